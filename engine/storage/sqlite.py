"""SQLite as the money database: one connection in the only process, every commit synced.

SQLite before 3.51.3 can corrupt a database in WAL mode when two connections write or checkpoint at
once. The ledger therefore has exactly one connection for writing and reading, holds the file with
`locking_mode=EXCLUSIVE` so that nobody else can open it meanwhile, and maps no memory.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from engine.domain.errors import BadValueError, FatalError, SyndicateError, TransientError
from engine.storage.database import refused_value
from engine.storage.durable_file import allocate_log
from engine.storage.exact_sql import add_functions

BUSY_MS = 2_000
WAL_BYTES_KEPT = 16 * 1024 * 1024
WAL_PAGES_MAX = 4_000
"""A log of so many pages is moved to its places by whichever commit makes it; see `tidy`."""
_SETTINGS = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA cell_size_check=ON",
    "PRAGMA trusted_schema=OFF",
    f"PRAGMA journal_size_limit={WAL_BYTES_KEPT}",
    f"PRAGMA wal_autocheckpoint={WAL_PAGES_MAX}",
)
_EXPECTED = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "locking_mode": "exclusive",
}

_CAUSES = {
    "SQLITE_FULL": ("the disk is full", "free space on it and start again"),
    "SQLITE_IOERR": (
        "the disk failed while reading or writing",
        "check the disk and its free space, then start again",
    ),
    "SQLITE_READONLY": (
        "the file or its directory is read-only",
        "make both writable for this user and start again",
    ),
    "SQLITE_CANTOPEN": (
        "the file cannot be opened",
        "check that its directory exists and is writable for this user",
    ),
    "SQLITE_PERM": (
        "access to the file is denied",
        "make it writable for this user and start again",
    ),
    "SQLITE_BUSY": (
        "another program has the database open",
        "close that program and start again",
    ),
}


class SqliteDatabase:
    """An SQLite file."""

    is_sqlite: bool = True

    def __init__(self, *, url: URL, restore_hint: Callable[[], str]) -> None:
        assert url.database is not None
        # A commit to a file cannot be called back, so it is waited for.
        self.transaction_s: float | None = None
        self.path = Path(url.database)
        self.shown = str(self.path)
        self._restore_hint = restore_hint
        self._engine = _make_engine(url)
        self._connection: AsyncConnection | None = None

    async def connect(self) -> AsyncConnection:
        """Open the file and check that it is kept as the ledger relies on."""
        self._check_rights()
        try:
            self._connection = await self._engine.connect()
            await self._set_up(self._connection)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            await self.disconnect()
            raise self.translate(error) from error
        except FatalError:
            await self.disconnect()
            raise
        return self._connection

    def _check_rights(self) -> None:
        # The driver would only complain of a disk error.
        if self.path.exists() and not os.access(self.path, os.R_OK | os.W_OK):
            cause, advice = _CAUSES["SQLITE_READONLY"]
            raise FatalError(f"the ledger cannot use {self.path}: {cause}; {advice}")

    async def _set_up(self, connection: AsyncConnection) -> None:
        # Settings belong outside of a transaction, so they go to the driver.
        driver = await driver_of(connection)
        for setting in _SETTINGS:
            await driver.execute_fetchall(setting)
        await add_functions(driver)
        for name, expected in _EXPECTED.items():
            ((actual,),) = await driver.execute_fetchall(f"PRAGMA {name}")
            if actual != expected:
                raise FatalError(
                    f"the ledger needs {name}={expected} but {self.path} has {actual}; "
                    "put it on a local disk that supports write-ahead logging"
                )

    def translate(self, error: BaseException) -> SyndicateError:
        """Say what a failure means; nothing about a local file is worth trying again."""
        refused = refused_value(error)
        if refused is not None:
            return refused
        if isinstance(error, IntegrityError | DBAPIError) and isinstance(
            error.orig, sqlite3.IntegrityError
        ):
            return BadValueError(f"the ledger's rules refuse a record: {error.orig}")
        if isinstance(error, SyndicateError):
            return error
        orig = error.orig if isinstance(error, DBAPIError) else error
        name = getattr(orig, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_CORRUPT") or name == "SQLITE_NOTADB":
            return self.damaged(str(orig))
        for prefix, (cause, advice) in _CAUSES.items():
            if name.startswith(prefix):
                return FatalError(
                    f"the ledger cannot use {self.path}: {cause} ({orig}); {advice}; "
                    "nothing unacknowledged was kept"
                )
        return FatalError(
            f"the ledger cannot use {self.path}: {orig}; "
            "keep the file, and start again or restore a backup"
        )

    def damaged(self, finding: str) -> FatalError:
        """Say that the file is damaged and how to restore the newest backup."""
        return FatalError(
            f"the database {self.path} is damaged ({finding}); {self._restore_hint()}"
        )

    async def allocate(self, _connection: AsyncConnection, log_bytes: int) -> None:
        """Give the log its room on disk, which the first commits would have to sync, too."""
        await asyncio.to_thread(allocate_log, self.path, log_bytes)

    async def tidy(self, connection: AsyncConnection) -> None:
        """Move the log to its places, which takes a disk some tens of milliseconds."""
        await (await driver_of(connection)).execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")

    async def disconnect(self) -> None:
        """Close the file."""
        if self._connection is not None:
            with suppress(SQLAlchemyError, OSError, TransientError):
                await self._connection.close()
            self._connection = None
        await self._engine.dispose()


async def driver_of(connection: AsyncConnection) -> aiosqlite.Connection:
    """Return the driver's connection, for what SQLAlchemy would take many turns for."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, aiosqlite.Connection)
    return driver


def _make_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, poolclass=NullPool)

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # The driver's own transactions start late and deferred; ours start with BEGIN IMMEDIATE.
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
