"""Keep what people were asked and what they granted."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261129_approvals"
down_revision = "20261129_delayed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.Text(), primary_key=True),
        sa.Column("engine_id", sa.Text(), nullable=False, server_default="main"),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("asked_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("profit_usd", ExactDecimal(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger()),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("now_usd", ExactDecimal()),
    )
    op.create_index("ix_approvals_asked_at_ns", "approvals", ["asked_at_ns"])
    op.create_table(
        "mandates",
        sa.Column("mandate_id", sa.Text(), primary_key=True),
        sa.Column("engine_id", sa.Text(), nullable=False, server_default="main"),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("granted_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("mandate", sa.Text(), nullable=False),
        sa.Column("spent_usd", ExactDecimal(), nullable=False),
        sa.Column("plans", sa.BigInteger(), nullable=False),
        sa.Column("realised_usd", ExactDecimal(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger()),
        sa.Column("ended_by", sa.Text(), nullable=False),
    )
    op.create_index("ix_mandates_granted_at_ns", "mandates", ["granted_at_ns"])


def downgrade() -> None:
    op.drop_table("mandates")
    op.drop_table("approvals")
