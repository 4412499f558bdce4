"""Make the ledger's tables."""

import sqlalchemy as sa
from alembic import op

revision = "20261121_ledger_tables"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MONEY = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    _make_opportunities()
    _make_executions()
    _make_orders()
    _make_fills()
    _make_operator_state()
    _make_notices()
    _make_readers()
    _make_inbox()


def downgrade() -> None:
    for table in (
        "inbox",
        "readers",
        "notices",
        "operator_state",
        "fills",
        "orders",
        "executions",
        "opportunities",
    ):
        op.drop_table(table)


def _make_opportunities() -> None:
    op.create_table(
        "opportunities",
        sa.Column("opportunity_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("seen_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("buy_venue", sa.Text(), nullable=False),
        sa.Column("sell_venue", sa.Text(), nullable=False),
        sa.Column("size_base", sa.Double(), nullable=False),
        sa.Column("gross_edge_bps", sa.Double(), nullable=False),
        sa.Column("net_edge_bps", sa.Double(), nullable=False),
        sa.Column("profit_quote", sa.Double(), nullable=False),
        sa.Column("profit_usd", sa.Double(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("trigger_seq", sa.BigInteger(), nullable=False),
        sa.Column("buy_seq", sa.BigInteger(), nullable=False),
        sa.Column("sell_seq", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_ns", sa.BigInteger(), nullable=True),
        sa.Column("peak_profit_quote", sa.Double(), nullable=True),
        sa.Column("refusals", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("opportunity_id", name="pk_opportunities"),
    )
    op.create_index("ix_opportunities_seen_at_ns", "opportunities", ["seen_at_ns"])


def _make_executions() -> None:
    op.create_table(
        "executions",
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("opportunity_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("buy_venue", sa.Text(), nullable=False),
        sa.Column("sell_venue", sa.Text(), nullable=False),
        sa.Column("decided_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("size_base", MONEY, nullable=False),
        sa.Column("profit_quote", MONEY, nullable=False),
        sa.Column("profit_usd", MONEY, nullable=False),
        sa.Column("expected_usd", MONEY, nullable=False),
        sa.Column("residual_base", MONEY, nullable=False),
        sa.Column("residual_sign", sa.SmallInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", name="pk_executions"),
    )
    op.create_index("ix_executions_closed_at_ns", "executions", ["closed_at_ns"])
    op.create_index("ix_executions_opportunity_id", "executions", ["opportunity_id"])
    op.create_index(
        "ix_executions_residual",
        "executions",
        ["residual_sign"],
        sqlite_where=sa.text("residual_sign <> 0"),
        postgresql_where=sa.text("residual_sign <> 0"),
    )


def _make_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("size_base", MONEY, nullable=False),
        sa.Column("price_limit", MONEY, nullable=False),
        sa.Column("sent_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("arrives_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("client_order_id", name="pk_orders"),
        sa.ForeignKeyConstraint(
            ["execution_id"], ["executions.execution_id"], name="fk_orders_execution_id"
        ),
    )
    op.create_index("ix_orders_execution_id", "orders", ["execution_id"])


def _make_fills() -> None:
    op.create_table(
        "fills",
        sa.Column("fill_id", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filled_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("price", MONEY, nullable=False),
        sa.Column("size_base", MONEY, nullable=False),
        sa.Column("fee_quote", MONEY, nullable=False),
        sa.Column("frame_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fill_id", name="pk_fills"),
        sa.ForeignKeyConstraint(
            ["client_order_id"], ["orders.client_order_id"], name="fk_fills_client_order_id"
        ),
    )
    op.create_index("ix_fills_client_order_id", "fills", ["client_order_id"])
    op.create_index("ix_fills_filled_at_ns", "fills", ["filled_at_ns"])


def _make_operator_state() -> None:
    op.create_table(
        "operator_state",
        sa.Column("seq", NUMBER, autoincrement=True, nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_operator_state"),
        sa.UniqueConstraint("record_id", name="uq_operator_state_record_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operator_state_at_ns", "operator_state", ["at_ns"])


def _make_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("seq", NUMBER, autoincrement=True, nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_notices"),
        sa.UniqueConstraint("record_id", name="uq_notices_record_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_at_ns", "notices", ["at_ns"])


def _make_readers() -> None:
    op.create_table(
        "readers",
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("delivered_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader", name="pk_readers"),
    )


def _make_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("done_at_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "update_id", name="pk_inbox"),
    )
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["source", "update_id"],
        sqlite_where=sa.text("done_at_ns IS NULL"),
        postgresql_where=sa.text("done_at_ns IS NULL"),
    )
    op.create_index("ix_inbox_done_at_ns", "inbox", ["done_at_ns"])
