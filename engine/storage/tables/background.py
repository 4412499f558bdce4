"""What background work learned and keeps."""

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary, Table, Text, text

from engine.storage.columns import FreeText
from engine.storage.tables.metadata import metadata, number

task_copies = Table(
    "task_copies",
    metadata,
    Column("task", Text, primary_key=True),
    Column("kind", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""Copies of what background tasks keep, the newest of each; `content` is sealed and compressed, and
empty where there is nothing any more."""

discoveries = Table(
    "discoveries",
    metadata,
    number(),
    Column("record_id", Text, nullable=False, unique=True),
    Column("basis", Text, nullable=False),
    Column("task", FreeText, nullable=False),
    Column("agent", FreeText, nullable=False),
    Column("task_run", FreeText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", FreeText, nullable=False),
    Column("says", FreeText, nullable=False),
    Column("figures", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("advice", Text),
    Column("score", Double, nullable=False),
    Column("holds_s", Double, nullable=False),
    Column("digest", Text, nullable=False),
    Column("found_at_ns", BigInteger, nullable=False),
    Column("seen_at_ns", BigInteger, nullable=False),
    Column("seen_count", BigInteger, nullable=False),
    Column("seen_in", Text, nullable=False),
    Column("expires_at_ns", BigInteger, nullable=False),
    Column("ended_at_ns", BigInteger),
    Column("ended", FreeText),
    Column("use", Text),
    Column("uses_count", BigInteger, nullable=False),
    Column("effect", Text),
    Index(
        "ix_discoveries_in_force",
        "basis",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("ended_at_ns IS NULL"),
        postgresql_where=text("ended_at_ns IS NULL"),
    ),
    Index("ix_discoveries_kind", "kind", "subject"),
    Index("ix_discoveries_digest", "digest"),
    sqlite_autoincrement=True,
)
"""What background work learned. `figures`, `evidence`, `advice`, `use` (the newest input that the
advice became) and `effect` (as it was measured last) are JSON. One that is neither ended nor
expired is in force; `digest` is of what it says, `seen_in` the record that told the same last. Its
words are in the table `discovery_words`, which is of SQLite's or PostgreSQL's own kind; see
`discovery_words.py`."""

discovery_counts = Table(
    "discovery_counts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""How many discoveries were refused, by reason, left out and pruned."""
