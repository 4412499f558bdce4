"""Keep what executions left over in a table of its own: a route may leave several assets over."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261129_leftovers"
down_revision = "20261129_threads"
branch_labels = None
depends_on = None

WHY = "money records are never changed or deleted"


def upgrade() -> None:
    op.create_table(
        "residuals",
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("held", ExactDecimal(), nullable=False),
        sa.Column("carry_asset", sa.Text(), nullable=False),
        sa.Column("carry", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "position", name="pk_residuals"),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["executions.execution_id"],
            name="fk_residuals_execution_id_executions",
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_residuals_{change.lower()} BEFORE {change} ON residuals "
                f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER keep_residuals BEFORE UPDATE OR DELETE OR TRUNCATE ON residuals "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_money()"
    )


def downgrade() -> None:
    op.drop_table("residuals")
