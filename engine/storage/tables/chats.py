"""What chats are told and tell: notices, how far each is read, what a chat keeps."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, text

from engine.storage.tables.metadata import metadata, number

notices = Table(
    "notices",
    metadata,
    number(),
    Column("record_id", Text, nullable=False, unique=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("ix_notices_at_ns", "at_ns"),
    sqlite_autoincrement=True,
)
"""`notice` is the whole notice as JSON."""

readers = Table(
    "readers",
    metadata,
    Column("reader", Text, primary_key=True),
    Column("delivered_seq", BigInteger, nullable=False),
)
"""How far each reader has confirmed the notices."""

threads = Table(
    "threads",
    metadata,
    Column("chat", Text, primary_key=True),
    Column("thread", Text, primary_key=True),
    Column("message_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
)
"""In which message of a chat something was told, and with which notice: later news edits it."""

chat_states = Table(
    "chat_states",
    metadata,
    Column("chat", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""What a chat keeps over its restarts beside its messages, by names of its own: its alerts."""

inbox = Table(
    "inbox",
    metadata,
    Column("source", Text, primary_key=True),
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
    Column("stored_at_ns", BigInteger, nullable=False),
    Column("done_at_ns", BigInteger),
    Index(
        "ix_inbox_waiting",
        "source",
        "update_id",
        sqlite_where=text("done_at_ns IS NULL"),
        postgresql_where=text("done_at_ns IS NULL"),
    ),
    Index("ix_inbox_done_at_ns", "done_at_ns"),
)
"""Updates of a chat, kept from before they are confirmed to it until after they were done."""
