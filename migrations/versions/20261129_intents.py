"""Keep what plans are about to send, and why an execution counts nothing."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_intents"
down_revision = "20261129_outcomes"
branch_labels = None
depends_on = None

WHY = "money records are never changed or deleted"


def upgrade() -> None:
    op.create_table(
        "intents",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_intents"),
    )
    op.create_index("ix_intents_plan_id", "intents", ["plan_id"])
    op.add_column("executions", sa.Column("void", sa.Text(), nullable=True))
    op.create_index("ix_executions_plan_id", "executions", ["plan_id"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_intents_{change.lower()} BEFORE {change} ON intents "
                f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER keep_intents BEFORE UPDATE OR DELETE OR TRUNCATE ON intents "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_money()"
    )


def downgrade() -> None:
    op.drop_index("ix_executions_plan_id", "executions")
    op.drop_column("executions", "void")
    op.drop_table("intents")
