"""The durable inbox of a chat: stored before it is confirmed to the chat, done once."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import InboxItems, InboxStored
from engine.storage.insertion import insert_new
from engine.storage.tables import inbox

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
    new_ids = []
    for update_id, payload in updates:
        row = {
            "source": source,
            "update_id": update_id,
            "payload": payload,
            "stored_at_ns": now_ns,
        }
        if update_id in new_ids:
            continue
        if await insert_new(connection, inbox, row) or update_id in own_ids:
            new_ids.append(update_id)
    own_ids.update(new_ids)
    return InboxStored(new_ids=new_ids)


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
    connection: AsyncConnection, *, source: str, update_id: int, now_ns: int
) -> InboxStored:
    """Mark an update as done; an unknown or done one is left as it is."""
    await connection.execute(
        update(inbox)
        .where(
            inbox.c.source == source,
            inbox.c.update_id == update_id,
            inbox.c.done_at_ns.is_(None),
        )
        .values(done_at_ns=now_ns)
    )
    return InboxStored()
