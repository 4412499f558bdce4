"""Keep transactions and their swaps, as money records that are never changed."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261129_transactions"
down_revision = "20261129_limits"
branch_labels = None
depends_on = None

WHY = "money records are never changed or deleted"
TABLES = ("transactions", "swaps")


def upgrade() -> None:
    op.create_table(
        "transactions",
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("sent_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("flash_fee", ExactDecimal(), nullable=True),
        sa.Column("gas_asset", sa.Text(), nullable=True),
        sa.Column("gas", ExactDecimal(), nullable=True),
        sa.Column("gas_quote", ExactDecimal(), nullable=True),
        sa.Column("landed_at_ns", sa.BigInteger(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["executions.execution_id"],
            name="fk_transactions_execution_id",
        ),
        sa.PrimaryKeyConstraint("execution_id", name="pk_transactions"),
    )
    op.create_table(
        "swaps",
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("amount_in", ExactDecimal(), nullable=False),
        sa.Column("amount_out", ExactDecimal(), nullable=False),
        sa.Column("frame_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["transactions.execution_id"],
            name="fk_swaps_execution_id",
        ),
        sa.PrimaryKeyConstraint("execution_id", "position", name="pk_swaps"),
    )
    for table in TABLES:
        if op.get_bind().dialect.name == "sqlite":
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER keep_{table}_{change.lower()} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
                )
        else:
            op.execute(
                f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION keep_money()"
            )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
