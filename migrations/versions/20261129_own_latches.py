"""Keep whose kill latch an act was on: of all engines, or of one by its name."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_own_latches"
down_revision = "20261129_engine_ids"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operator_state", sa.Column("latch_of", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("operator_state", "latch_of")
