"""Keep what leftovers were filled for and realised, fees in base, generations and an order."""

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
    ("fills", "fee_base"),
)


def upgrade() -> None:
    for table, column in NEW:
        op.add_column(table, sa.Column(column, ExactDecimal(), nullable=True))
    op.create_table(
        "generations",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_generations")),
    )
    op.add_column("executions", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.create_index("ix_executions_seq", "executions", ["seq"])


def downgrade() -> None:
    op.drop_index("ix_executions_seq", "executions")
    op.drop_column("executions", "seq")
    op.drop_table("generations")
    for table, column in reversed(NEW):
        op.drop_column(table, column)
