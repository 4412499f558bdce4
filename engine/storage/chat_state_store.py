"""What a chat keeps over its restarts, stored with how far it has taken the notices."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import Kept, KeptReport
from engine.storage.insertion import insert_new
from engine.storage.tables.chats import chat_states as table


async def keep(connection: AsyncConnection, *, chat: str, states: Sequence[Kept]) -> None:
    """Store what a chat keeps under these names, in place of what it kept."""
    for one in states:
        is_it = (table.c.chat == chat) & (table.c.name == one.name)
        if one.value is None:
            await connection.execute(delete(table).where(is_it))
            continue
        row = {"chat": chat, "name": one.name, "value": one.value}
        if not await insert_new(connection, table, row):
            await connection.execute(update(table).where(is_it).values(value=one.value))


async def load_chat_states(connection: AsyncConnection, *, chat: str) -> KeptReport:
    """Load all that a chat keeps, by name."""
    found = await connection.execute(
        select(table.c.name, table.c.value).where(table.c.chat == chat).order_by(table.c.name)
    )
    return KeptReport(states=[Kept(name=row.name, value=row.value) for row in found])
