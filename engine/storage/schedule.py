"""The ledger's timed jobs: retention and, on SQLite, backups."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from engine.domain.errors import SyndicateError
from engine.storage.backup import list_backups
from engine.storage.ledger_settings import LedgerSettings

FIRST_S = 60
"""Delay of the first job after the start, which has more urgent things to do."""

_log = logging.getLogger(__name__)


class Upkeep(Protocol):
    """What the jobs do."""

    async def apply_retention(self) -> int:
        """Delete what is too old."""
        ...

    async def backup_if_changed(self) -> object:
        """Back up what is new."""
        ...


@asynccontextmanager
async def scheduled(
    ledger: Upkeep, *, settings: LedgerSettings, is_sqlite: bool
) -> AsyncIterator[None]:
    """Run the jobs until the end, by the time that passes and not by the wall clock.

    Their failures are logged; fatal ones end the writer itself.
    """
    first_s = float(min(FIRST_S, settings.retention_s))
    jobs = [_repeat("retention", ledger.apply_retention, first_s, settings.retention_s)]
    if is_sqlite:
        first_s = _first_backup_s(settings)
        jobs.append(_repeat("backup", ledger.backup_if_changed, first_s, settings.backup_s))
    else:
        _log.info("the backup job is off: PostgreSQL is backed up by its operator with pg_dump")
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(job) for job in jobs]
        try:
            yield
        finally:
            for task in running:
                task.cancel()


async def _repeat(
    name: str, job: Callable[[], Awaitable[object]], first_s: float, every_s: float
) -> None:
    await asyncio.sleep(first_s)
    while True:
        try:
            _log.info("%s: %s", name, await job())
        except SyndicateError as error:
            _log.warning("%s: %s", name, error)
        except Exception:  # noqa: BLE001 - a job that fails must not end the ledger
            _log.exception("%s failed", name)
        await asyncio.sleep(every_s)


def _first_backup_s(settings: LedgerSettings) -> float:
    """A ledger that is restarted more often than it backs up must back up all the same."""
    backups = list_backups(settings.backups_dir)
    if not backups:
        return min(FIRST_S, settings.backup_s)
    age_s = max(0.0, time.time() - backups[-1].stat().st_mtime)
    return max(float(min(FIRST_S, settings.backup_s)), settings.backup_s - age_s)
