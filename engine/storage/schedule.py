"""The ledger's timed jobs: retention, reports, proposals and, on SQLite, backups."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from engine.domain.errors import SyndicateError
from engine.storage.backup import list_backups
from engine.storage.ledger_settings import LedgerSettings

FIRST_S = 60
"""Delay of the first job after the start, which has more urgent things to do."""

DAILY_S: Final = 60
"""Interval at which is looked whether a daily report is due."""

TRANSFERS_S: Final = 3_600
"""Interval at which is looked whether a transfer would pay."""

LOOK_S: Final = 30.0
"""Interval at which the jobs are looked at for a wall clock that was set back."""

_log = logging.getLogger(__name__)


class Upkeep(Protocol):
    """What the jobs do."""

    async def apply_retention(self) -> int:
        """Delete what is too old."""
        ...

    async def tell_day(self) -> object:
        """Report the last day, if its hour has come and it was not told."""
        ...

    async def tell_transfers(self) -> object:
        """Propose transfers that were not proposed for a day."""
        ...

    async def backup_if_changed(self) -> object:
        """Back up what is new."""
        ...


@asynccontextmanager
async def scheduled(
    ledger: Upkeep, *, settings: LedgerSettings, is_sqlite: bool
) -> AsyncIterator[AsyncIOScheduler]:
    """Run the jobs until the end. Their failures are logged; fatal ones end the writer itself."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    _add(
        scheduler,
        "retention",
        ledger.apply_retention,
        every_s=settings.retention_s,
        first_s=min(FIRST_S, settings.retention_s),
    )
    if settings.daily_at_s is not None:
        _add(scheduler, "daily report", ledger.tell_day, every_s=DAILY_S, first_s=DAILY_S / 4)
    _add(
        scheduler,
        "transfers",
        ledger.tell_transfers,
        every_s=TRANSFERS_S,
        first_s=10 * FIRST_S,
    )
    if is_sqlite:
        _add(
            scheduler,
            "backup",
            ledger.backup_if_changed,
            every_s=settings.backup_s,
            first_s=_first_backup_s(settings),
        )
    else:
        _log.info("the backup job is off: PostgreSQL is backed up by its operator with pg_dump")
    scheduler.start()
    looking = asyncio.create_task(_look(scheduler))
    try:
        yield scheduler
    finally:
        looking.cancel()
        scheduler.shutdown(wait=False)


def bring_forward(scheduler: AsyncIOScheduler) -> None:
    """Let no job wait longer than its interval.

    The scheduler waits by the wall clock: set back by a day, it would back up nothing for a day.
    """
    now = datetime.now(UTC)
    for job in scheduler.get_jobs():
        if job.next_run_time - now > job.trigger.interval:
            job.modify(next_run_time=now + job.trigger.interval)


async def _look(scheduler: AsyncIOScheduler) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        bring_forward(scheduler)


def _add(
    scheduler: AsyncIOScheduler,
    name: str,
    job: Callable[[], Awaitable[object]],
    *,
    every_s: float,
    first_s: float,
) -> None:
    async def run() -> None:
        try:
            result = await job()
        except SyndicateError as error:
            _log.warning("%s: %s", name, error)
        else:
            if result is not None:
                _log.info("%s: %s", name, result)

    scheduler.add_job(
        run,
        "interval",
        seconds=every_s,
        next_run_time=datetime.now(UTC) + timedelta(seconds=first_s),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
        name=name,
    )


def _first_backup_s(settings: LedgerSettings) -> float:
    """A ledger that is restarted more often than it backs up must back up all the same."""
    backups = list_backups(settings.backups_dir)
    if not backups:
        return min(FIRST_S, settings.backup_s)
    age_s = max(0.0, time.time() - backups[-1].stat().st_mtime)
    return max(float(min(FIRST_S, settings.backup_s)), settings.backup_s - age_s)
