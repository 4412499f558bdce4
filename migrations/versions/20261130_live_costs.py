"""Keep which word of a transaction is booked, where its gains went, and costs of no plan."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261130_live_costs"
down_revision = "20261130_money"
branch_labels = None
depends_on = None

WHY = "money records are never changed or deleted"


def upgrade() -> None:
    op.add_column("transactions", sa.Column("tip", ExactDecimal(), nullable=True))
    op.add_column("transactions", sa.Column("gains_at", sa.Text(), nullable=True))
    op.add_column("transactions", sa.Column("version", sa.BigInteger(), nullable=True))
    op.create_index("ix_transactions_client_order_id", "transactions", ["client_order_id"])
    op.add_column("deposits", sa.Column("opened", sa.Text(), nullable=True))
    op.create_table(
        "costs",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("usd", ExactDecimal(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("engine_id", sa.Text(), nullable=False, server_default="main"),
        sa.Column("money", sa.Text(), nullable=False, server_default="paper"),
        sa.PrimaryKeyConstraint("record_id", name="pk_costs"),
    )
    op.create_index("ix_costs_client_order_id", "costs", ["client_order_id"])
    op.create_index("ix_costs_at_ns", "costs", ["at_ns"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_costs_{change.lower()} BEFORE {change} ON costs "
                f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER keep_costs BEFORE UPDATE OR DELETE OR TRUNCATE ON costs "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_money()"
    )


def downgrade() -> None:
    op.drop_table("costs")
    op.drop_column("deposits", "opened")
    op.drop_index("ix_transactions_client_order_id", "transactions")
    for column in ("version", "gains_at", "tip"):
        op.drop_column("transactions", column)
