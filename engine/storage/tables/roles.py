"""What roles need to begin again and to do nothing twice."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from engine.storage.tables.metadata import metadata, number

generations = Table(
    "generations",
    metadata,
    Column("role", Text, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("run_id", Text),
)
"""How many times a role began; what an older one of it still sends is refused. `run_id` is the name
that was given to the newest; versions before kept none."""

outcomes = Table(
    "outcomes",
    metadata,
    number(),
    Column("command_id", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("stored_at_ns", BigInteger, nullable=False),
    Index("ix_outcomes_stored_at_ns", "stored_at_ns"),
    sqlite_autoincrement=True,
)
"""What became of each command, stored with what it changed: one that comes again gets `answer`."""
