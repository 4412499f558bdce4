"""Keep what the operator sets of limits; what was set before set none."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_limits"
down_revision = "20261129_run_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "operator_state", sa.Column("limits", sa.Text(), nullable=False, server_default="{}")
    )


def downgrade() -> None:
    op.drop_column("operator_state", "limits")
