"""The ledger: the only owner of the database. It answers requests with reports.

Opening it takes the lock, checks the file, migrates the schema and starts the writer and the
scheduled jobs; closing undoes that in reverse. A failure of the money database ends the ledger:
`open_ledger` raises `FatalError`, the role exits, and whoever starts it again starts from what is
on disk.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.commands import (
    DoneInbox,
    DoneNotices,
    GetExport,
    GetNotices,
    GetPnl,
    GetThreads,
    GetTrades,
    GetWhy,
    LedgerCommand,
    PutInbox,
    TakeInbox,
)
from engine.bus.lease import held_lease
from engine.bus.records import Append, Appended, EngineState, LoadState, Superseded
from engine.bus.reports import ExportReport, NoticesReport, PnlReport, Report, Unknown
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_DAY
from engine.storage import answers, clock_trust, generations, notice_store, totals
from engine.storage.append import append
from engine.storage.backup import take_backup
from engine.storage.export import EXPORTS, PAGE_ROWS, ROWS_MAX, load_page, render_csv
from engine.storage.ledger_settings import LEASE_NAME, LedgerSettings
from engine.storage.opening import Clock, open_writer, prepare
from engine.storage.retention import BATCH_ROWS, TABLES, Cutoffs, delete_batch
from engine.storage.schedule import scheduled
from engine.storage.writer import Writer

__all__ = ["Clock", "Ledger", "LedgerReply", "LedgerRequest", "LedgerSettings", "open_ledger"]

_log = logging.getLogger(__name__)

LedgerRequest = Append | LoadState | LedgerCommand
LedgerReply = Appended | Superseded | EngineState | Report


class Ledger:
    """Answers requests; made by `open_ledger`. Safe to be asked by many tasks at once."""

    def __init__(self, *, writer: Writer, settings: LedgerSettings, clock: Clock) -> None:
        self._writer = writer
        self._settings = settings
        self._clock = clock
        self._news = asyncio.Event()
        self._changes = 0
        # What an earlier process left may not be in a backup yet.
        self._changes_backed_up = -1

    async def answer(self, request: LedgerRequest) -> LedgerReply:
        """Carry out a request; what is acknowledged is durable.

        Cancelling it leaves its outcome unknown; asking again with the same ids is safe.

        Raises:
            FatalError: the database failed; the ledger has ended.
            TransientError: the database is away, the ledger is behind or closing; ask again.
            BadValueError: a value cannot be stored; nothing of the request was.
        """
        match request:
            case Append():
                return await self._append(request)
            case GetNotices():
                return await self._get_notices(request)
            case GetExport():
                return await self._export(request)
            case GetPnl():
                return await self._pnl(request)
            case LoadState() | GetTrades() | GetWhy():
                return await self._load(request)
            case PutInbox() | TakeInbox() | DoneInbox() | DoneNotices() | GetThreads():
                return await self._chat(request)
        assert_never(request)

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
        if await self._is_clock_doubted(now_ns):
            return 0
        cutoffs = Cutoffs.at(
            now_ns,
            retention_days=self._settings.retention_days,
            unread_days=self._settings.unread_days,
        )
        deleted = 0
        for table in TABLES:
            batch = BATCH_ROWS
            while batch == BATCH_ROWS:
                batch = await self._writer.transact(
                    partial(delete_batch, table=table, cutoffs=cutoffs)
                )
                deleted += batch
        return deleted

    async def _is_clock_doubted(self, now_ns: int) -> bool:
        async def work(connection: AsyncConnection) -> tuple[bool, bool]:
            doubt = await clock_trust.load_doubt(
                connection,
                now_ns=now_ns,
                period_ns=self._settings.retention_days * NS_PER_DAY,
                basis=self._settings.basis or Basis.SANDBOX,
            )
            return doubt is not None, doubt is not None and await clock_trust.tell_once(
                connection, doubt
            )

        is_doubted, is_news = await self._writer.transact(work)
        if is_news:
            _log.warning("nothing is deleted by its age: the clock may be wrong")
            self.wake()
        return is_doubted

    def wake(self) -> None:
        """Wake whoever waits for notices."""
        self._news.set()
        self._news = asyncio.Event()

    async def _append(self, request: Append) -> Appended | Superseded:
        basis = self._settings.basis or Basis.SANDBOX

        async def work(connection: AsyncConnection) -> int | Superseded | None:
            if request.generation is not None:
                newest = await generations.load(connection)
                if request.generation != newest:
                    return Superseded(generation=newest)
            return await append(connection, request.records, basis=basis)

        def tell(result: int | Superseded | None) -> None:
            if isinstance(result, Superseded):
                return
            self._changes += 1
            if result is not None:
                self.wake()

        result = await self._writer.transact(work, then=tell)
        if isinstance(result, Superseded):
            return result
        return Appended(count=len(request.records))

    async def _load(self, request: answers.MoneyRequest) -> LedgerReply:
        now_ns, settings = self._clock(), self._settings
        return await self._writer.transact(
            lambda connection: answers.load(connection, request, now_ns=now_ns, settings=settings)
        )

    async def _pnl(self, request: GetPnl) -> PnlReport:
        since_ns = answers.since(self._clock(), days=request.days)
        total = totals.PnlSum(since_ns=since_ns, basis=self._settings.basis)
        after: Row[Any] | None = None
        while True:
            page = await self._writer.transact(
                partial(totals.load_pnl_page, since_ns=since_ns, after=after)
            )
            total.add(page)
            if len(page) < totals.PAGE_ROWS:
                return total.report()
            after = page[-1]

    async def _chat(self, request: answers.ChatRequest) -> LedgerReply:
        now_ns = self._clock()
        own_ids: set[int] = set()

        def tell(_reply: object) -> None:
            self._changes += 1

        return await self._writer.transact(
            lambda connection: answers.chat(connection, request, now_ns=now_ns, own_ids=own_ids),
            then=tell,
        )

    async def _get_notices(self, request: GetNotices) -> NoticesReport:
        # Taken before the first look, so that no news falls between the look and the wait.
        news = self._news
        report = await self._load_notices(request)
        if report.notices or request.wait_ms <= 0:
            return report
        try:
            async with asyncio.timeout(min(request.wait_ms, notice_store.WAIT_MS_MAX) / 1_000):
                await news.wait()
        except TimeoutError:
            return report
        return await self._load_notices(request)

    async def _load_notices(self, request: GetNotices) -> NoticesReport:
        return await self._writer.transact(
            lambda connection: notice_store.load_notices(
                connection,
                reader=request.reader,
                after_seq=request.after_seq,
                limit=request.limit,
            )
        )

    async def _export(self, request: GetExport) -> ExportReport | Unknown:
        export = EXPORTS.get(request.table)
        if export is None:
            return Unknown(
                what=f"there is no table {request.table!r} to export; "
                f"choose one of {', '.join(EXPORTS)}"
            )
        now_ns = self._clock()
        since_ns = answers.since(now_ns, days=request.days)
        rows: list[tuple[object, ...]] = []
        page_rows = PAGE_ROWS
        while page_rows == PAGE_ROWS and len(rows) < ROWS_MAX:
            before = rows[-1] if rows else None
            page = await self._writer.transact(
                partial(load_page, export=export, since_ns=since_ns, before=before)
            )
            rows += page
            page_rows = len(page)
        content = await asyncio.to_thread(render_csv, export, rows)
        cut = f"-newest-{ROWS_MAX}" if page_rows == PAGE_ROWS else ""
        return ExportReport(
            file_name=f"{request.table}-{answers.bounded_days(request.days)}d{cut}.csv",
            content=content,
            rows=len(rows),
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
            async with scheduled(ledger, settings=settings, is_sqlite=writer.database.is_sqlite):
                try:
                    yield ledger
                finally:
                    ledger.wake()
