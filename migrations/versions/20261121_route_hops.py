"""Keep all legs of an opportunity's route."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_route_hops"
down_revision = "20261121_keep_money"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opportunities", sa.Column("hops", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("opportunities", "hops")
