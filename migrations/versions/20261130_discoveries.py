"""Keep what background work learned, and an index of its words."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_discoveries"
down_revision = "20261129_fees"
branch_labels = None
depends_on = None

IN_FORCE = sa.text("ended_at_ns IS NULL")


def upgrade() -> None:
    op.create_table(
        "discoveries",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("task_run", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text()),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("holds_s", sa.Double(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("found_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("seen_count", sa.BigInteger(), nullable=False),
        sa.Column("seen_in", sa.Text(), nullable=False),
        sa.Column("expires_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger()),
        sa.Column("ended", sa.Text()),
        sa.Column("use", sa.Text()),
        sa.Column("uses_count", sa.BigInteger(), nullable=False),
        sa.Column("effect", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name="pk_discoveries"),
        sa.UniqueConstraint("record_id", name="uq_discoveries_record_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_discoveries_in_force",
        "discoveries",
        ["basis", "kind", "subject"],
        unique=True,
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    )
    op.create_index("ix_discoveries_kind", "discoveries", ["kind", "subject"])
    op.create_index("ix_discoveries_digest", "discoveries", ["digest"])
    op.create_table(
        "discovery_counts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_discovery_counts"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE discovery_words "
            "USING fts5(words, tokenize = 'unicode61 remove_diacritics 0')"
        )
        return
    op.execute("CREATE TABLE discovery_words (seq BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
    op.execute("CREATE INDEX ix_discovery_words_words ON discovery_words USING gin (words)")


def downgrade() -> None:
    op.drop_table("discovery_words")
    op.drop_table("discovery_counts")
    op.drop_table("discoveries")
