"""Keep which execution a correction corrects: fills that were told after it had ended."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_late_fills"
down_revision = "20261129_transactions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("executions", sa.Column("corrects", sa.Text(), nullable=True))
    op.create_index("ix_executions_corrects", "executions", ["corrects"])


def downgrade() -> None:
    op.drop_index("ix_executions_corrects", "executions")
    op.drop_column("executions", "corrects")
