"""Generations of the engine: each start is given the next one; records of an older one are refused.

The system's lock keeps two engines apart; this keeps what an engine sent before it lost its place
from being stored behind the back of the one that loaded its state since.
"""

from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.storage.tables import generations

ENGINE: Final = "engine"


async def take_next(connection: AsyncConnection) -> int:
    """Begin a generation; those before it end."""
    number = await load(connection) + 1
    if number == 1:
        await connection.execute(insert(generations).values(role=ENGINE, generation=number))
    else:
        await connection.execute(
            update(generations).where(generations.c.role == ENGINE).values(generation=number)
        )
    return number


async def load(connection: AsyncConnection) -> int:
    """Return the newest generation, 0 before the first."""
    found = await connection.execute(
        select(generations.c.generation).where(generations.c.role == ENGINE)
    )
    return found.scalar_one_or_none() or 0
