"""The durable inbox of a chat: stored before it is confirmed to the chat, done once."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import InboxItems, InboxStored
from engine.storage.tables.chats import inbox

ITEMS_MAX = 1_000


async def put(
    connection: AsyncConnection,
    *,
    source: str,
    updates: Sequence[tuple[int, bytes]],
    now_ns: int,
    own_ids: set[int],
) -> InboxStored:
    """Store updates; an id that is stored already, done or not, is left as it is.

    `own_ids` is empty at first and kept over runs of one request. When a run's commit had an
    unknown outcome and is run again, what that run stored is still new to whoever asked.
    """
    stored: set[int] = set()
    rows = [
        {"source": source, "update_id": update_id, "payload": payload, "stored_at_ns": now_ns}
        for update_id, payload in dict(reversed(updates)).items()  # of one id, the first
    ]
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(inbox).on_conflict_do_nothing().returning(inbox.c.update_id)
        # Rows beside the statement: one that holds them is compiled anew each time, 10 ms of them.
        stored.update((await connection.execute(statement, rows)).scalars())
    own_ids |= stored
    ids = dict.fromkeys(update_id for update_id, _ in updates)
    return InboxStored(new_ids=[update_id for update_id in ids if update_id in own_ids])


async def load_waiting(connection: AsyncConnection, *, source: str) -> InboxItems:
    """Load the oldest updates that are not done, `ITEMS_MAX` at most."""
    found = await connection.execute(
        select(inbox.c.update_id, inbox.c.payload)
        .where(inbox.c.source == source, inbox.c.done_at_ns.is_(None))
        .order_by(inbox.c.update_id)
        .limit(ITEMS_MAX)
    )
    return InboxItems(updates=[(row.update_id, row.payload) for row in found])


async def mark_done(
    connection: AsyncConnection, *, source: str, update_ids: Sequence[int], now_ns: int
) -> InboxStored:
    """Mark updates as done; an unknown or done one is left as it is."""
    await connection.execute(
        update(inbox)
        .where(
            inbox.c.source == source,
            inbox.c.update_id.in_(update_ids),
            inbox.c.done_at_ns.is_(None),
        )
        .values(done_at_ns=now_ns)
    )
    return InboxStored()
