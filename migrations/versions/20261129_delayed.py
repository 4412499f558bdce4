"""Keep which loosenings were allowed and wait; of what was set before, none did."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_delayed"
down_revision = "20261129_whose_finds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "operator_state", sa.Column("delayed", sa.Text(), nullable=False, server_default="[]")
    )


def downgrade() -> None:
    op.drop_column("operator_state", "delayed")
