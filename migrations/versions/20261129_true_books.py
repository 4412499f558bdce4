"""Keep leftovers, fees in base, stories, generations, an order, balances, acts on the latch."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261129_true_books"
down_revision = "20261121_route_hops"
branch_labels = None
depends_on = None

NEW = (
    ("executions", "carry_quote"),
    ("executions", "correction_quote"),
    ("executions", "correction_usd"),
    ("executions", "found_usd"),
    ("fills", "fee_base"),
)
WHY = "money records are never changed or deleted"
LATCH = (("latch_act", sa.Text), ("code_step", sa.BigInteger))


def upgrade() -> None:
    op.add_column("opportunities", sa.Column("ended", sa.Text(), nullable=True))
    for table, column in NEW:
        op.add_column(table, sa.Column(column, ExactDecimal(), nullable=True))
    op.add_column("executions", sa.Column("story", sa.Text(), nullable=True))
    op.create_table(
        "generations",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_generations")),
    )
    op.add_column("executions", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.create_index("ix_executions_seq", "executions", ["seq"])
    for column, of_type in LATCH:
        op.add_column("operator_state", sa.Column(column, of_type(), nullable=True))
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "deposits",
        sa.Column("seq", whole, autoincrement=True, nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("added", ExactDecimal(), nullable=False),
        sa.Column("started", ExactDecimal(), nullable=False),
        sa.Column("started_usd", ExactDecimal(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_deposits"),
        sa.UniqueConstraint("record_id", name="uq_deposits_record_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "balances",
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("held", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("basis", "venue", "asset", name="pk_balances"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_deposits_{change.lower()} BEFORE {change} ON deposits "
                f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER keep_deposits BEFORE UPDATE OR DELETE OR TRUNCATE ON deposits "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_money()"
    )


def downgrade() -> None:
    for column, _ in reversed(LATCH):
        op.drop_column("operator_state", column)
    op.drop_index("ix_executions_seq", "executions")
    op.drop_column("executions", "seq")
    op.drop_table("generations")
    op.drop_table("balances")
    op.drop_table("deposits")
    op.drop_column("executions", "story")
    for table, column in reversed(NEW):
        op.drop_column(table, column)
    op.drop_column("opportunities", "ended")
