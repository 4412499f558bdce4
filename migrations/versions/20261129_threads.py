"""Keep in which message something was told, so that later news edits it after a restart too."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_threads"
down_revision = "20261129_true_books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "threads",
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chat", "thread", name="pk_threads"),
    )


def downgrade() -> None:
    op.drop_table("threads")
