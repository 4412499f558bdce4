"""Keep which venues and pairs are switched off; before, none could be."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_switched_off"
down_revision = "20261129_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "operator_state", sa.Column("switched_off", sa.Text(), nullable=False, server_default="[]")
    )


def downgrade() -> None:
    op.drop_column("operator_state", "switched_off")
