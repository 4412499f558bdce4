"""Keep which engine found an opportunity."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_whose_finds"
down_revision = "20261129_own_latches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "opportunities", sa.Column("engine_id", sa.Text(), nullable=False, server_default="main")
    )


def downgrade() -> None:
    op.drop_column("opportunities", "engine_id")
