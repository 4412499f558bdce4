"""Keep copies of what background tasks keep."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_task_copies"
down_revision = "20261130_discoveries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task_copies",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("task", "kind", name="pk_task_copies"),
    )


def downgrade() -> None:
    op.drop_table("task_copies")
