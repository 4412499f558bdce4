"""Profit of all days: summed up once, then only what was stored since.

The overview shows it at each look, and executions are never changed: their numbers say what is new.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import PnlReport
from engine.domain.modes import Basis
from engine.storage.generations import load_engine_ids
from engine.storage.tables.trades import executions
from engine.storage.totals import PAGE_ROWS, PnlSum
from engine.storage.upkeep import NO_UPKEEP, Upkeep

Transact = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]

_COLUMNS = (
    executions.c.seq,
    executions.c.execution_id,
    executions.c.opportunity_id,
    executions.c.closed_at_ns,
    executions.c.basis,
    executions.c.pair,
    executions.c.buy_venue,
    executions.c.sell_venue,
    executions.c.profit_usd,
    executions.c.correction_usd,
    executions.c.expected_usd,
    executions.c.engine_id,
    executions.c.money,
)


class Ever:
    """The running sum of one ledger."""

    def __init__(self, basis: Basis | None) -> None:
        self._basis = basis
        self._sum = PnlSum(since_ns=0, basis=basis, has_points=False)
        self._seq: int | None = None
        self._one_at_a_time = asyncio.Lock()

    async def report(self, transact: Transact, *, upkeep: Upkeep = NO_UPKEEP) -> PnlReport:
        """Add what is new, and return what all of it came to."""
        async with self._one_at_a_time:
            if self._seq is None:
                await self._add_unnumbered(transact)
                self._seq = 0
            while True:
                rows = await transact(partial(_page, after=self._seq))
                self._sum.add(rows)
                self._seq = max((row.seq for row in rows), default=self._seq)
                if len(rows) < PAGE_ROWS:
                    break
            self._sum.know(await transact(load_engine_ids))
            self._sum.upkeep = upkeep
            return self._sum.report()

    async def _add_unnumbered(self, transact: Transact) -> None:
        """Add what versions stored that did not number executions; none is stored any more."""
        total, after = PnlSum(since_ns=0, basis=self._basis, has_points=False), ""
        while True:
            rows = await transact(partial(_unnumbered_page, after=after))
            total.add(rows)
            if len(rows) < PAGE_ROWS:
                break
            after = rows[-1].execution_id
        # Only now: a failure on the way must not leave half of them in the sum.
        self._sum = total


async def _page(connection: AsyncConnection, *, after: int) -> list[Row[Any]]:
    query = select(*_COLUMNS).where(executions.c.seq > after).order_by(executions.c.seq)
    found = await connection.execute(query.limit(PAGE_ROWS))
    rows: list[Row[Any]] = list(found.all())  # type: ignore[arg-type] # a row of any columns
    return rows


async def _unnumbered_page(connection: AsyncConnection, *, after: str) -> list[Row[Any]]:
    query = select(*_COLUMNS).where(executions.c.seq.is_(None), executions.c.execution_id > after)
    found = await connection.execute(query.order_by(executions.c.execution_id).limit(PAGE_ROWS))
    rows: list[Row[Any]] = list(found.all())  # type: ignore[arg-type] # a row of any columns
    return rows
