"""Generations of the engine: each start is given the next one, and the name of its run.

The system's lock keeps two engines apart; this keeps what an engine sent before it lost its place
from being stored behind the back of the one that loaded its state since. The name is stored before
the engine hears of it, so that no start gets one again, whatever became of the run and however
soon the next one begins.
"""

from typing import Final

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.notices import Started
from engine.domain.engines import MAIN
from engine.storage.tables.chats import notices
from engine.storage.tables.roles import generations

ENGINE: Final = "engine"

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


async def take_next(connection: AsyncConnection, *, at_ns: int, engine_id: str) -> tuple[int, str]:
    """Begin a generation of an engine; those before it end.

    Returns:
        its number and the name of its run, which no run of any engine had.
    """
    role = role_of(engine_id)
    found = await connection.execute(select(generations))
    rows = {row.role: row for row in found.all()}
    row = rows.get(role)
    number = 1 if row is None else row.generation + 1
    named = [one.run_id or "" for one in rows.values()]
    run_id = make_run_id(at_ns, after=(*named, await _load_newest_started(connection)))
    values = {"generation": number, "run_id": run_id}
    if row is None:
        await connection.execute(insert(generations).values(role=role, **values))
    else:
        await connection.execute(
            update(generations).where(generations.c.role == role).values(**values)
        )
    return number, run_id


async def load(connection: AsyncConnection, *, engine_id: str) -> int:
    """Return the newest generation of an engine, 0 before the first."""
    found = await connection.execute(
        select(generations.c.generation).where(generations.c.role == role_of(engine_id))
    )
    return found.scalar_one_or_none() or 0


async def load_engine_ids(connection: AsyncConnection) -> list[str]:
    """Return all engines that ever began a generation, `main` too."""
    found = await connection.execute(select(generations.c.role))
    return sorted({MAIN, *(row.role.partition(":")[2] or MAIN for row in found)})


def role_of(engine_id: str) -> str:
    """Return what the generations of an engine are kept under; earlier versions had one engine."""
    return ENGINE if engine_id == MAIN else f"{ENGINE}:{engine_id}"


def make_run_id(at_ns: int, *, after: tuple[str, ...] = ()) -> str:
    """Return a short name of a run, such as ``t0ab3x``: it sorts by time.

    Args:
        at_ns: when the run starts.
        after: names of runs before it. Neither they nor their order must come again because
            the clock was set back, or because two runs start within a second.
    """
    number, text = at_ns // 1_000_000_000, ""
    number = max(number, *(int(name, len(_DIGITS)) + 1 for name in after if name), 0)
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


async def _load_newest_started(connection: AsyncConnection) -> str:
    """Load the name of the run that was started last, as versions before tell that kept no names.

    It goes by the order of the records.
    """
    found = await connection.execute(
        select(notices.c.notice)
        .where(notices.c.kind == Started.__name__)
        .order_by(notices.c.seq.desc())
        .limit(1)
    )
    text = found.scalar_one_or_none()
    # Not as a `Started`: one of an earlier version may lack a field.
    return "" if text is None else str(msgspec.json.decode(text).get("run_id", ""))
