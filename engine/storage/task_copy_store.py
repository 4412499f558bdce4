"""Copies of what background tasks keep: the newest of each, in place of the one before."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.background_copies import CopiesKept, TaskCopies, TaskCopy
from engine.domain.errors import BadValueError
from engine.storage.insertion import insert_new
from engine.storage.tables.background import task_copies as table

NAME_MAX: Final = 80
KIND_MAX: Final = 255
NUMBER_MAX: Final = (1 << 63) - 1
CONTENT_BYTES_MAX: Final = 34_000_000


async def keep(connection: AsyncConnection, *, copies: Sequence[TaskCopy]) -> CopiesKept:
    """Store copies; one that is not newer than what is stored changes nothing.

    Raises:
        BadValueError: one cannot be stored.
    """
    kept = 0
    for one in copies:
        _check(one)
        is_it = (table.c.task == one.task) & (table.c.kind == one.kind)
        changed = {"sequence": one.sequence, "at_ns": one.at_ns, "content": one.content}
        if await insert_new(connection, table, {"task": one.task, "kind": one.kind, **changed}):
            kept += 1
            continue
        is_older = table.c.sequence < one.sequence
        done = await connection.execute(update(table).where(is_it & is_older).values(**changed))
        kept += done.rowcount
    return CopiesKept(kept=kept)


async def load(connection: AsyncConnection, *, task: str) -> TaskCopies:
    """Load the newest copies of a task."""
    found = await connection.execute(
        select(table).where(table.c.task == task).order_by(table.c.kind)
    )
    return TaskCopies(
        copies=[
            TaskCopy(
                task=row.task,
                kind=row.kind,
                sequence=row.sequence,
                at_ns=row.at_ns,
                content=row.content,
            )
            for row in found
        ]
    )


def _check(one: TaskCopy) -> None:
    if not 0 < len(one.task) <= NAME_MAX or "\0" in one.task:
        raise BadValueError(f"a task's name has 1 to {NAME_MAX} characters, not {len(one.task)}")
    if not 0 <= one.kind <= KIND_MAX or not 0 <= one.sequence <= NUMBER_MAX:
        raise BadValueError(f"no copy of {one.task} is of kind {one.kind}, number {one.sequence}")
    if abs(one.at_ns) > NUMBER_MAX or len(one.content) > CONTENT_BYTES_MAX:
        raise BadValueError(
            f"a copy of {one.task} has {len(one.content):,} bytes; "
            f"{CONTENT_BYTES_MAX:,} are allowed"
        )
