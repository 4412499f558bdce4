"""The daily report: a notice on each UTC day that is over, stored once however often tried."""

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.notices import DayClosed
from engine.bus.performance import BooksReport, PerformanceReport
from engine.bus.records import NoticeRecord
from engine.domain.modes import Basis, Money
from engine.domain.performance import By
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.storage.append import append
from engine.storage.discoveries import Discoveries
from engine.storage.tables.chats import notices
from engine.storage.tables.trades import executions, opportunities

ID: Final = "daily"

Transact = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]


class Books(Protocol):
    """What a report is made from."""

    async def performance(
        self, since_ns: int, until_ns: int, *, by: By, money: Money = Money.PAPER
    ) -> PerformanceReport:
        """Sum up the trades of a time, those on paper or those that were sent."""
        ...

    async def books(self) -> BooksReport:
        """Compare the balances with all that made them."""
        ...

    @property
    def discoveries(self) -> Discoveries:
        """What background work learned."""
        ...


async def tell(
    ledger: Books, transact: Transact, *, now_ns: int, at_s: int, basis: Basis
) -> str | None:
    """Store the report of the last day, if its hour has come and it is not stored; return the day.

    A run that is cancelled on the way has stored all of it or nothing.
    """
    day = due_day(now_ns, at_s=at_s)
    if day is None:
        return None
    wanted = partial(is_wanted, day=day, basis=basis)
    if not await transact(wanted):
        return None
    record = await make_report(ledger, day=day, now_ns=now_ns, basis=basis)

    async def work(connection: AsyncConnection) -> bool:
        # Looked at again: another run of this job may have told it meanwhile.
        if not await wanted(connection):
            return False
        await append(connection, [record], basis=basis)
        return True

    return day if await transact(work) else None


def due_day(now_ns: int, *, at_s: int) -> str | None:
    """Return the day that is to be reported now, None before its hour."""
    days, rest_ns = divmod(now_ns, NS_PER_DAY)
    return day_name((days - 1) * NS_PER_DAY) if rest_ns >= at_s * NS_PER_S else None


def day_name(at_ns: int) -> str:
    """Return the UTC day of an instant, as 2026-11-28."""
    return f"{dt.datetime.fromtimestamp(at_ns // NS_PER_S, dt.UTC):%Y-%m-%d}"


def record_id(day: str, basis: Basis) -> str:
    """Return under which id the report of a day is stored, once."""
    return f"{ID}-{day}-{basis}"


async def is_wanted(connection: AsyncConnection, *, day: str, basis: Basis) -> bool:
    """Say whether a day has no report yet, and there was anything in it."""
    told = await connection.execute(
        select(func.count()).where(notices.c.record_id == record_id(day, basis))
    )
    if told.scalar_one():
        return False
    start_ns = start_of(day)
    for table, at_ns in (
        (executions, executions.c.closed_at_ns),
        (opportunities, opportunities.c.seen_at_ns),
        (notices, notices.c.at_ns),
    ):
        found = await connection.execute(
            select(at_ns)
            .select_from(table)
            .where(at_ns >= start_ns, at_ns < start_ns + NS_PER_DAY)
            .limit(1)
        )
        if found.first() is not None:
            return True
    return False


def start_of(day: str) -> int:
    """Return the first instant of a day."""
    start = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    return int(start.timestamp()) * NS_PER_S


async def make_report(ledger: Books, *, day: str, now_ns: int, basis: Basis) -> NoticeRecord:
    """Sum up a day."""
    start_ns = start_of(day)
    came = await ledger.performance(start_ns, start_ns + NS_PER_DAY, by=By.ALL)
    sent = await ledger.performance(start_ns, start_ns + NS_PER_DAY, by=By.ALL, money=Money.LIVE)
    books = await ledger.books()
    counts = await ledger.discoveries.count(start_ns, start_ns + NS_PER_DAY)
    return NoticeRecord(
        record_id=record_id(day, basis),
        notice=DayClosed(
            at_ns=now_ns,
            basis=basis,
            day=day,
            sums=came.all,
            drawdown=came.drawdown,
            best=came.best,
            worst=came.worst,
            missed=came.missed,
            notices=came.notices,
            differences=len(books.differences)
            + (not came.is_summed_twice_alike)
            + (not sent.is_summed_twice_alike),
            learned=counts.learned(),
            live=sent.all if sent.all.trades else None,
            live_upkeep_usd=sent.upkeep_usd,
        ),
    )
