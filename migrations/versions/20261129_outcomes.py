"""Keep what became of each command, so that none is carried out twice over a restart."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_outcomes"
down_revision = "20261129_late_fills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outcomes",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_outcomes"),
        sa.UniqueConstraint("command_id", name="uq_outcomes_command_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outcomes_stored_at_ns", "outcomes", ["stored_at_ns"])


def downgrade() -> None:
    op.drop_index("ix_outcomes_stored_at_ns", table_name="outcomes")
    op.drop_table("outcomes")
