"""What became of commands, so that none is carried out twice."""

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import Outcome
from engine.storage.tables.roles import outcomes as table

LOADED_MAX = 1_000
"""The newest, which an engine that starts is given: far more than are given while one is valid."""


async def keep(connection: AsyncConnection, outcome: Outcome | None, *, at_ns: int) -> None:
    """Store what became of a command, in the place of what was stored of it before."""
    if outcome is None:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {
        "command_id": outcome.command_id,
        "digest": outcome.digest,
        "answer": outcome.answer,
        "stored_at_ns": at_ns,
    }
    result = await connection.execute(dialect.insert(table).on_conflict_do_nothing(), row)
    if not result.rowcount:
        await connection.execute(
            update(table)
            .where(table.c.command_id == outcome.command_id)
            .values(answer=outcome.answer)
        )


async def load(connection: AsyncConnection) -> list[Outcome]:
    """Load what became of the newest commands."""
    found = await connection.execute(
        select(table.c.command_id, table.c.digest, table.c.answer)
        .order_by(table.c.seq.desc())
        .limit(LOADED_MAX)
    )
    return [
        Outcome(command_id=row.command_id, digest=row.digest, answer=row.answer) for row in found
    ]
