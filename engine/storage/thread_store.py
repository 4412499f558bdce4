"""Messages that later news edits: stored with the notices that they told, the newest are kept."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import Thread, ThreadsReport
from engine.storage.insertion import insert_new
from engine.storage.tables.chats import threads as table

KEPT: Final = 256
"""Threads of a chat; a trade follows what was found within seconds."""

PINNED_SEQ: Final = 2**62
"""Of what stands for good: newer than whatever is told."""


async def keep(
    connection: AsyncConnection, *, chat: str, threads: Sequence[Thread], seq: int
) -> None:
    """Store in which messages something was told, up to this notice."""
    for one in threads:
        place = {"message_id": one.message_id, "seq": seq}
        key = {"chat": chat, "thread": one.name}
        if not await insert_new(connection, table, key | place):
            await connection.execute(
                update(table)
                .where(table.c.chat == chat, table.c.thread == one.name)
                .values(**place)
            )
    if threads:
        newest = select(table.c.seq).where(table.c.chat == chat).order_by(table.c.seq.desc())
        oldest_kept = newest.offset(KEPT - 1).limit(1).scalar_subquery()
        await connection.execute(
            delete(table).where(table.c.chat == chat, table.c.seq < oldest_kept)
        )


async def load_threads(connection: AsyncConnection, *, chat: str) -> ThreadsReport:
    """Load the newest threads of a chat, oldest first."""
    found = await connection.execute(
        select(table.c.thread, table.c.message_id)
        .where(table.c.chat == chat)
        .order_by(table.c.seq.desc(), table.c.message_id.desc())
        .limit(KEPT)
    )
    newest_first = [Thread(name=row.thread, message_id=row.message_id) for row in found]
    return ThreadsReport(threads=newest_first[::-1])
