"""The ledger: the only owner of the database. It answers requests with reports.

Opening it takes the lock, checks the file, migrates the schema and starts the writer and the
scheduled jobs; closing undoes that in reverse. A failure of the money database ends the ledger:
`open_ledger` raises `FatalError`, the role exits, and whoever starts it again starts from what is
on disk.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.background_copies import CopiesKept, TaskCopies, TaskCopy
from engine.bus.booked import BookedOrdersReport, BookedReport
from engine.bus.health_reports import HealthDesk, NotWatched
from engine.bus.lease import held_lease
from engine.bus.life import LifeReport
from engine.bus.money_reports import FreeAt, InventoryPast, RebalancingReport
from engine.bus.notices import AlertAct, AuditGap, MetricAlert, MetricCalm
from engine.bus.past_reports import EpisodesReport, PastTradesReport
from engine.bus.performance import BooksReport, PerformanceReport
from engine.bus.permit_reports import WaitingReport
from engine.bus.records import (
    Appended,
    EngineState,
    IntentRecord,
    NoticeRecord,
    Record,
    Superseded,
)
from engine.bus.reports import (
    AuditReport,
    EngineIds,
    ExportReport,
    InboxStored,
    PnlReport,
    TradesReport,
    Unknown,
    WhyReport,
)
from engine.bus.request import Reply, Request
from engine.bus.truths import TruthsKept, TruthsReport
from engine.bus.use_reports import NotMeasured, UseDesk
from engine.domain.engines import MAIN, check_engine_id
from engine.domain.errors import TransientError
from engine.domain.modes import Basis, Money
from engine.domain.performance import By
from engine.domain.units import NS_PER_DAY
from engine.storage import (
    clock_trust,
    daily,
    generations,
    permit_store,
    proposals,
    task_copy_store,
    totals,
    truth_store,
)
from engine.storage.append import append, intent_row
from engine.storage.audit import ACTS, Head, close_gap, load_head
from engine.storage.audit_check import check
from engine.storage.audit_head import HeadFile
from engine.storage.backup import take_backup
from engine.storage.booked import load_booked
from engine.storage.booked_orders import load_booked_orders
from engine.storage.books import load_books
from engine.storage.chats import Chats
from engine.storage.discoveries import Discoveries
from engine.storage.ever import Ever
from engine.storage.export import Span
from engine.storage.export_file import export_file
from engine.storage.intents import keep_at_once
from engine.storage.inventory_past import load_inventory_past
from engine.storage.ledger_settings import LEASE_NAME, LedgerSettings
from engine.storage.life import load_life
from engine.storage.opening import Clock, open_writer, prepare
from engine.storage.past import load_episodes, load_past_trades
from engine.storage.performance import load_performance, make_known
from engine.storage.retention import Cutoffs, delete_old
from engine.storage.schedule import scheduled
from engine.storage.upkeep import FOR_EVER_NS, Upkeep, load_upkeep
from engine.storage.whose import Whose
from engine.storage.why import load_why
from engine.storage.writer import Writer

__all__ = ["Clock", "Ledger", "LedgerSettings", "open_ledger"]

DAYS_MAX: Final = 36_500
BOOKED_MAX: Final = 500

AT_ONCE_MAX: Final = 50
"""Of so many intents each has values of its own in one statement."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Ledger:
    """Answers requests; made by `open_ledger`. Safe to be asked by many tasks at once.

    How a request is answered stands with it, in `requests`.

    Attributes:
        health_desk, use_desk: answer how components stand, and what is used.
        unheard: at how many ends of roles what watches components failed.
    """

    def __init__(self, *, writer: Writer, settings: LedgerSettings, clock: Clock) -> None:
        self._writer = writer
        self._settings = settings
        self._clock = clock
        self._head_file = HeadFile(settings.data_dir)
        self._changes = 0
        self._ever = Ever(settings.basis)
        self._known = make_known()
        self.health_desk: HealthDesk = NotWatched()
        self.use_desk: UseDesk = NotMeasured()
        self.unheard = 0
        self.chats = Chats(change=self._change, transact=writer.transact, clock=clock)
        self.discoveries = Discoveries(
            change=self._change, transact=writer.transact, clock=clock, basis=settings.basis
        )
        # What an earlier process left may not be in a backup yet.
        self._changes_backed_up = -1

    async def answer(self, request: Request[Reply], /) -> Reply:
        """Carry out a request; what is acknowledged is durable.

        Cancelling it leaves its outcome unknown; asking again with the same ids is safe.

        Raises:
            FatalError: the database failed; the ledger has ended.
            TransientError: the database is away, the ledger is behind or closing; ask again.
            BadValueError: a value cannot be stored; nothing of the request was.
        """
        return await request.answer(self)

    async def backup(self) -> Path:
        """Back up now and return the verified file.

        Raises:
            TransientError: the backup failed, or the database is PostgreSQL.
            FatalError: the database is damaged.
        """
        if not self._writer.database.is_sqlite:
            raise TransientError(
                "PostgreSQL is backed up by its operator: run pg_dump on a schedule"
            )
        changes = self._changes
        path = await take_backup(
            self._writer,
            directory=self._settings.backups_dir,
            now_ns=self._clock(),
            kept=self._settings.backups_kept,
        )
        self._changes_backed_up = changes
        return path

    async def backup_if_changed(self) -> Path | None:
        """Back up if anything changed since the last backup."""
        if self._changes == self._changes_backed_up:
            return None
        return await self.backup()

    async def apply_retention(self) -> int:
        """Delete what is older than the settings allow; return the number of rows.

        Nothing is deleted while the clock may be wrong, which is told once.
        """
        now_ns = self._clock()
        is_doubted, is_news = await self._writer.transact(
            partial(
                clock_trust.doubted,
                now_ns=now_ns,
                period_ns=self._settings.retention_days * NS_PER_DAY,
                basis=self._settings.basis or Basis.SANDBOX,
            )
        )
        if is_news:
            _log.warning("nothing is deleted by its age: the clock may be wrong")
            self.wake()
        if is_doubted:
            return 0
        cutoffs = Cutoffs.at(
            now_ns,
            retention_days=self._settings.retention_days,
            unread_days=self._settings.unread_days,
        )
        deleted = await delete_old(self._writer.transact, cutoffs)
        return deleted + await self.discoveries.prune(old_at_ns=cutoffs.old_at_ns)

    def wake(self) -> None:
        """Wake whoever waits for notices."""
        self.chats.wake()

    async def append(
        self, records: Sequence[Record], *, generation: int | None, engine_id: str = MAIN
    ) -> Appended | Superseded:
        """Store records; see `Append`."""
        if await self._keep_at_once(records, generation=generation, engine_id=engine_id):
            return Appended(count=len(records))
        basis = self._settings.basis or Basis.SANDBOX

        has_acts = any(isinstance(record, ACTS) for record in records)

        async def work(connection: AsyncConnection) -> tuple[int | None, Head | None] | Superseded:
            if generation is not None:
                newest = await generations.load(connection, engine_id=engine_id)
                if generation != newest:
                    return Superseded(generation=newest)
            notice = await append(connection, records, basis=basis, engine_id=engine_id)
            return notice, await load_head(connection) if has_acts else None

        def tell(result: tuple[int | None, Head | None] | Superseded) -> None:
            if isinstance(result, Superseded):
                return
            self._changes += 1
            notice, head = result
            if head is not None:
                self._head_file.write(head)
            if notice is not None:
                self.wake()

        result = await self._writer.transact(work, then=tell)
        if isinstance(result, Superseded):
            return result
        return Appended(count=len(records))

    async def _keep_at_once(
        self, records: Sequence[Record], *, generation: int | None, engine_id: str
    ) -> bool:
        """Keep intents before all that waits, if there is nothing else and nothing is unusual."""
        found = [one for one in records if isinstance(one, IntentRecord)]
        is_fit = 0 < len(found) == len(records) <= AT_ONCE_MAX
        if generation is None or not is_fit or not self._writer.database.is_sqlite:
            return False
        rows = [intent_row(one, engine_id) for one in found]
        return await self._writer.at_once(
            partial(keep_at_once, rows=rows, generation=generation, engine_id=engine_id),
            then=self._kept,
        )

    def _kept(self, is_kept: bool) -> None:  # noqa: FBT001 - as it is called
        self._changes += is_kept

    async def load_state(
        self, *, day_start_ns: int, engine_id: str = MAIN, drawdown_since_ns: int = 0
    ) -> EngineState:
        """Begin the next engine; see `LoadState`."""
        load = partial(
            totals.load_state,
            day_start_ns=day_start_ns,
            at_ns=self._clock(),
            engine_id=check_engine_id(engine_id),
            basis=self._settings.basis,
            drawdown_since_ns=drawdown_since_ns,
        )

        async def work(connection: AsyncConnection) -> tuple[EngineState, Head]:
            return await load(connection), await load_head(connection)

        def tell(result: tuple[EngineState, Head]) -> None:
            self._head_file.write(result[1])  # what the engine before left has ended
            self.wake()

        return (await self._writer.transact(work, then=tell))[0]

    async def approvals(self, days: int) -> WaitingReport:
        """Sum up what people were asked in the last days, and what waiting for them cost."""
        since_ns = _since(self._clock(), days=days)
        load = partial(permit_store.load_waiting, since_ns=since_ns, basis=self._settings.basis)
        return await self._writer.transact(load)

    async def trades(self, limit: int) -> TradesReport:
        """Load the newest executions."""
        return await self._writer.transact(partial(totals.load_trades, limit=limit))

    async def why(self, ref: str) -> WhyReport | Unknown:
        """Load one decision."""
        note = self._settings.market_note
        return await self._writer.transact(
            partial(load_why, ref=ref, now_ns=self._clock(), market_note=note)
        )

    async def pnl(self, days: int) -> PnlReport:
        """Sum up the profit of the last days."""
        if days >= DAYS_MAX:
            return await self._ever.report(self._writer.transact, upkeep=await self._upkeep(0))
        since_ns = _since(self._clock(), days=days)
        total = totals.PnlSum(
            since_ns=since_ns,
            basis=self._settings.basis,
            engine_ids=await self._writer.transact(generations.load_engine_ids),
        )
        after: Row[Any] | None = None
        while True:
            page = await self._writer.transact(
                partial(totals.load_pnl_page, since_ns=since_ns, after=after)
            )
            total.add(page)
            if len(page) < totals.PAGE_ROWS:
                total.upkeep = await self._upkeep(since_ns)
                return total.report()
            after = page[-1]

    async def _upkeep(self, since_ns: int, until_ns: int = FOR_EVER_NS) -> Upkeep:
        whose = Whose(basis=self._settings.basis, money=Money.LIVE)
        return await self._writer.transact(
            partial(load_upkeep, since_ns=since_ns, until_ns=until_ns, whose=whose)
        )

    async def performance(
        self, since_ns: int, until_ns: int, *, by: By, money: Money = Money.PAPER
    ) -> PerformanceReport:
        """Sum up the trades of a time, those on paper or those that were sent."""
        report = await load_performance(
            self._writer.transact,
            since_ns=since_ns,
            until_ns=until_ns,
            by=by,
            whose=Whose(basis=self._settings.basis, money=money),
            known=self._known,
        )
        if money is Money.PAPER:
            return report
        upkeep = await self._upkeep(since_ns, until_ns)
        return msgspec.structs.replace(report, upkeep_usd=upkeep.usd)

    async def episodes(self, since_ns: int, *, most: int) -> EpisodesReport:
        """Load the newest opportunities of a time."""
        whose = Whose(basis=self._settings.basis)
        return await load_episodes(self._writer.transact, since_ns=since_ns, most=most, whose=whose)

    async def rebalancing(self, free: Sequence[FreeAt], since_ns: int) -> RebalancingReport:
        """Propose transfers by what routes drew, and were refused for want of, since an instant."""
        return await proposals.rebalance(
            self._writer.transact,
            {(one.venue, one.asset): one.free for one in free},
            since_ns=since_ns,
            basis=self._settings.basis,
            terms=self._settings.transfers,
            allowed=self._settings.destinations,
        )

    async def tell_transfers(self) -> str | None:
        """Propose transfers of live money, each at most once a day; say what is told now."""
        told = await proposals.tell(
            self._writer.transact,
            now_ns=self._clock(),
            basis=self._settings.basis or Basis.SANDBOX,
            terms=self._settings.transfers,
            allowed=self._settings.destinations,
        )
        if not told:
            return None
        self._changes += 1
        self.wake()
        return f"{len(told)} proposed"

    async def past_trades(self, since_ns: int, *, most: int) -> PastTradesReport:
        """Load the newest trades of a time."""
        whose = Whose(basis=self._settings.basis)
        return await load_past_trades(
            self._writer.transact, since_ns=since_ns, most=most, whose=whose
        )

    async def tell_day(self) -> str | None:
        """Report the last UTC day once, from its hour on; return the day if it was told now."""
        at_s = self._settings.daily_at_s
        if at_s is None:
            return None
        basis = self._settings.basis or Basis.SANDBOX
        day = await daily.tell(
            self, self._writer.transact, now_ns=self._clock(), at_s=at_s, basis=basis
        )
        if day is not None:
            self._changes += 1
            self.wake()
        return day

    async def life(self, ref: str) -> LifeReport | Unknown:
        """Load the life of a trade."""
        return await self._writer.transact(partial(load_life, ref=ref))

    async def booked(self, client_order_ids: Sequence[str]) -> BookedReport:
        """Load what is booked of transactions."""
        load = partial(load_booked, client_order_ids=client_order_ids[:BOOKED_MAX])
        return BookedReport(booked=tuple(await self._writer.transact(load)))

    async def booked_orders(self, client_order_ids: Sequence[str]) -> BookedOrdersReport:
        """Load what is booked of the live plans that orders are of."""
        load = partial(load_booked_orders, client_order_ids=client_order_ids[:BOOKED_MAX])
        return BookedOrdersReport(plans=tuple(await self._writer.transact(load)))

    async def books(self) -> BooksReport:
        """Compare the balances with all that made them."""
        return await load_books(self._writer.transact, basis=self._settings.basis)

    async def inventory_past(self, since_ns: int, until_ns: int, *, money: Money) -> InventoryPast:
        """Reckon back what each place held."""
        return await load_inventory_past(
            self._writer.transact,
            basis=self._settings.basis,
            money=money,
            since_ns=since_ns,
            until_ns=until_ns,
        )

    async def audit(self, limit: int, *, looked_for: str = "") -> AuditReport:
        """Check the chain of all acts and load the newest."""
        kept = self._head_file.read()
        return await check(self._writer, kept, limit=limit, looked_for=looked_for or None)

    async def close_gap(self) -> None:
        """Note and tell if links of the audit are missed, and keep its newest one."""
        kept, at_ns = self._head_file.read(), self._clock()
        basis = self._settings.basis or Basis.SANDBOX

        async def work(connection: AsyncConnection) -> Head:
            why = await close_gap(connection, kept, at_ns=at_ns)
            if why is not None:
                _log.error("links of the audit are missed: %s", why)
                gap = AuditGap(at_ns=at_ns, basis=basis, why=why)
                record = NoticeRecord(record_id=f"audit-gap-{at_ns}", notice=gap)
                await append(connection, [record], basis=basis)
            return await load_head(connection)

        self._head_file.write(await self._writer.transact(work))

    async def engine_ids(self) -> EngineIds:
        """Load which engines there ever were."""
        return EngineIds(engine_ids=await self._writer.transact(generations.load_engine_ids))

    async def tell(self, told: Mapping[str, AlertAct | MetricAlert | MetricCalm]) -> InboxStored:
        """Store notices of front-ends, by names, as of this ledger's basis; each name once."""
        basis = self._settings.basis or Basis.SANDBOX
        records = [
            NoticeRecord(record_id=name, notice=msgspec.structs.replace(notice, basis=basis))
            for name, notice in told.items()
        ]
        await self.append(records, generation=None)
        return InboxStored()

    async def keep_task_copies(self, copies: list[TaskCopy]) -> CopiesKept:
        """Keep copies of what background tasks keep."""
        return await self._change(partial(task_copy_store.keep, copies=copies))

    async def task_copies(self, task: str) -> TaskCopies:
        """Load the copies of what a background task keeps."""
        return await self._writer.transact(partial(task_copy_store.load, task=task))

    async def keep_truths(self, truths: list[bytes], *, basis: Basis) -> TruthsKept:
        """Keep what transactions came to."""
        return await self._change(partial(truth_store.keep, truths=truths, basis=basis))

    async def truths(self, since_ns: int, *, limit: int) -> TruthsReport:
        """Sum up what transactions since an instant came to."""
        return await self._writer.transact(
            partial(truth_store.load, since_ns=since_ns, limit=limit)
        )

    async def _change(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        def count(_reply: object) -> None:
            self._changes += 1

        return await self._writer.transact(work, then=count)

    async def export(
        self, table: str, *, days: int, since_ns: int | None, until_ns: int | None, form: str
    ) -> ExportReport | Unknown:
        """Load a table as a file, and compare what is in it with what is stored."""
        span = Span.of(
            self._clock(), days=_bounded_days(days), since_ns=since_ns, until_ns=until_ns
        )
        return await export_file(
            self._writer.transact, table=table, span=span, form=form, known=self._known
        )


@asynccontextmanager
async def open_ledger(settings: LedgerSettings, *, clock: Clock) -> AsyncIterator[Ledger]:
    """Open the ledger of a data directory, and close it at the end.

    Raises:
        FatalError: the database cannot be relied on, when opening or later: locked by another
            process, damaged, newer than the code, read-only, disk full. Later, the body is
            cancelled and this is raised in its place.
        TransientError: the PostgreSQL server is away.
        BadValueError: the URL cannot be used.
    """
    with held_lease(settings.data_dir / LEASE_NAME, what="ledger"):
        async with open_writer(settings) as writer:
            await prepare(writer, settings=settings, clock=clock)
            ledger = Ledger(writer=writer, settings=settings, clock=clock)
            await ledger.close_gap()
            async with scheduled(ledger, settings=settings, is_sqlite=writer.database.is_sqlite):
                try:
                    yield ledger
                finally:
                    ledger.wake()


def _bounded_days(days: int) -> int:
    """Bound a number of days that a person asked for: 1 to `DAYS_MAX`."""
    return max(1, min(days, DAYS_MAX))


def _since(now_ns: int, *, days: int) -> int:
    """Return the instant that many days ago."""
    return now_ns - _bounded_days(days) * NS_PER_DAY
