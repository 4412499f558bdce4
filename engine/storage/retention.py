"""Retention: what is deleted by age, in small batches. Money records never are."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, false, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.units import NS_PER_DAY
from engine.storage.tables.background import task_copies
from engine.storage.tables.chats import inbox, notices, readers
from engine.storage.tables.roles import outcomes
from engine.storage.tables.trades import opportunities

BATCH_ROWS = 500
"""Rows deleted in one transaction; appends get their turn in between."""

Transact = Callable[[Callable[[AsyncConnection], Awaitable[int]]], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Instants before which rows go.

    Attributes:
        old_at_ns: for opportunities, notices that every reader confirmed, done chat updates, what
            became of commands, and copies of what tasks keep that have not changed since.
        unread_at_ns: for notices that some reader never confirmed.
    """

    old_at_ns: int
    unread_at_ns: int

    @classmethod
    def at(cls, now_ns: int, *, retention_days: int, unread_days: int) -> "Cutoffs":
        """Work out the cutoffs for an instant."""
        return cls(
            old_at_ns=now_ns - retention_days * NS_PER_DAY,
            unread_at_ns=now_ns - max(unread_days, retention_days) * NS_PER_DAY,
        )


TABLES: tuple[Table, ...] = (opportunities, notices, inbox, outcomes, task_copies)


async def delete_old(transact: Transact, cutoffs: Cutoffs) -> int:
    """Delete what is old, batch by batch; return the number of rows."""
    deleted = 0
    for table in TABLES:
        batch = BATCH_ROWS
        while batch == BATCH_ROWS:
            batch = await transact(partial(delete_batch, table=table, cutoffs=cutoffs))
            deleted += batch
    return deleted


async def delete_batch(connection: AsyncConnection, *, table: Table, cutoffs: Cutoffs) -> int:
    """Delete up to `BATCH_ROWS` old rows of a table; return how many."""
    keys: Sequence[ColumnElement[Any]] = list(table.primary_key.columns)
    rule = await _old(connection, table, cutoffs)
    found = await connection.execute(select(*keys).where(rule).limit(BATCH_ROWS))
    old = [tuple(row) for row in found]
    if old:
        await connection.execute(delete(table).where(tuple_(*keys).in_(old)))
    return len(old)


async def _old(connection: AsyncConnection, table: Table, cutoffs: Cutoffs) -> ColumnElement[bool]:
    if table is opportunities:
        return opportunities.c.seen_at_ns < cutoffs.old_at_ns
    if table is outcomes:
        return outcomes.c.stored_at_ns < cutoffs.old_at_ns
    if table is task_copies:
        return task_copies.c.at_ns < cutoffs.old_at_ns
    if table is inbox:
        return inbox.c.done_at_ns < cutoffs.old_at_ns
    slowest = await connection.execute(select(func.min(readers.c.delivered_seq)))
    read_seq = slowest.scalar_one_or_none()
    is_read = false() if read_seq is None else notices.c.seq <= read_seq
    return or_(
        and_(notices.c.at_ns < cutoffs.old_at_ns, is_read),
        notices.c.at_ns < cutoffs.unread_at_ns,
    )
