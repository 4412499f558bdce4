"""Keep what each transaction was predicted, simulated and realised to come to."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261130_truths"
down_revision = "20261130_task_copies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "truths",
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("decided_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("opportunity_id", sa.Text(), nullable=False),
        sa.Column("engine_id", sa.Text(), nullable=False, server_default="main"),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("predicted_raw", ExactDecimal(), nullable=False),
        sa.Column("simulated_raw", ExactDecimal()),
        sa.Column("realised_raw", ExactDecimal(), nullable=False),
        sa.Column("predicted_usd", ExactDecimal(), nullable=False),
        sa.Column("simulated_usd", ExactDecimal()),
        sa.Column("realised_usd", ExactDecimal(), nullable=False),
        sa.Column("causes", sa.Text(), nullable=False),
        sa.Column("ahead", sa.BigInteger()),
        sa.Column("first_ahead", sa.Text(), nullable=False),
        sa.Column("block", sa.BigInteger()),
        sa.Column("place", sa.BigInteger()),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("chance", sa.Double()),
        sa.Column("truth", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("client_order_id", name="pk_truths"),
    )
    op.create_index("ix_truths_decided_at_ns", "truths", ["decided_at_ns"])
    op.create_index("ix_truths_plan_id", "truths", ["plan_id"])


def downgrade() -> None:
    op.drop_table("truths")
