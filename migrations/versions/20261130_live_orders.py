"""Keep fees in a third asset, and which word of an order is booked."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261130_live_orders"
down_revision = "20261130_live_costs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("version", sa.BigInteger(), nullable=True))
    op.add_column("fills", sa.Column("other_fee", ExactDecimal(), nullable=True))
    op.add_column("fills", sa.Column("other_fee_asset", sa.Text(), nullable=True))
    op.add_column("fills", sa.Column("other_fee_quote", ExactDecimal(), nullable=True))
    op.add_column("fills", sa.Column("version", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for column in ("version", "other_fee_quote", "other_fee_asset", "other_fee"):
        op.drop_column("fills", column)
    op.drop_column("orders", "version")
