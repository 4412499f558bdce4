"""Keep what the operator sets of fees; what was set before set none."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_fees"
down_revision = "20261129_switched_off"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "operator_state", sa.Column("fees", sa.Text(), nullable=False, server_default="{}")
    )


def downgrade() -> None:
    op.drop_column("operator_state", "fees")
