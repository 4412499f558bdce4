"""Keep the alerts of a chat; a reader of alerts begins where the chat's news are told up to."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_chat_states"
down_revision = "20261129_approvals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chat_states",
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chat", "name", name="pk_chat_states"),
    )
    # Without a place of its own it would take all that was told before for new.
    op.execute(
        "INSERT INTO readers (reader, delivered_seq)"
        " SELECT reader || '-alerts', delivered_seq FROM readers"
    )


def downgrade() -> None:
    op.execute("DELETE FROM readers WHERE reader LIKE '%-alerts'")
    op.drop_table("chat_states")
