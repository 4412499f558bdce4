"""Online backups of SQLite: copied through the writer's own connection, verified, then named.

A backup is one plain file without a write-ahead log, so it can be copied and opened anywhere.
"""

import asyncio
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.errors import FatalError, TransientError
from engine.storage.writer import Writer

PREFIX = "ledger-"
SUFFIX = ".sqlite3"
PARTIAL = ".partial"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def list_backups(directory: Path) -> list[Path]:
    """List verified backups, oldest first."""
    return sorted(directory.glob(f"{PREFIX}*{SUFFIX}"))


def restore_hint(directory: Path) -> str:
    """Say how to restore the newest backup."""
    backups = list_backups(directory)
    if not backups:
        return f"there is no backup in {directory}; keep the file and ask for help to recover it"
    return f"restore the newest backup with: make restore FILE={backups[-1]}"


def check_present(path: Path, *, backups_dir: Path) -> None:
    """Refuse to start anew in the place of a database that was lost.

    Raises:
        FatalError: the file is missing or empty although backups or a write-ahead log exist.
    """
    if path.exists() and path.stat().st_size > 0:
        return
    log = path.with_name(f"{path.name}-wal")
    if list_backups(backups_dir) or (log.exists() and log.stat().st_size > 0):
        raise FatalError(
            f"the database {path} is missing or empty; {restore_hint(backups_dir)} "
            f"(to start anew instead, move {backups_dir} and {log} away)"
        )


async def take_backup(writer: Writer, *, directory: Path, now_ns: int, kept: int) -> Path:
    """Copy the database, verify the copy, give it its name and delete the oldest ones.

    Raises:
        TransientError: the backup failed; the database and earlier backups are as they were.
        FatalError: the database itself is damaged.
    """
    path = _next_path(directory, now_ns)
    partial = path.with_name(path.name + PARTIAL)
    with _told_as_transient(path):
        _make_room(directory)

    async def copy(connection: AsyncConnection) -> sqlite3.Error | OSError | None:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, aiosqlite.Connection)
        try:
            with closing(sqlite3.connect(partial, check_same_thread=False)) as target:
                # Syncing happens once, in `finish`; a copy cut short is never given its name.
                target.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
                await driver.backup(target)
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorname", "").startswith(_DAMAGED):
                raise
            return error
        return None

    failure = await writer.alone(copy)
    with _told_as_transient(path):
        if failure is not None:
            raise failure
        await asyncio.to_thread(_finish, partial, path)
        for old in list_backups(directory)[:-kept]:
            old.unlink()
    return path


def verify(path: Path, *, shown: Path) -> None:
    """Check a whole file and make it a plain one without a write-ahead log.

    Args:
        path: the file.
        shown: the name by which a person knows it.

    Raises:
        FatalError: it is no database, or damaged.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as database:
            database.execute("PRAGMA journal_mode=DELETE").fetchone()
            finding = one_line(row[0] for row in database.execute("PRAGMA quick_check(3)"))
    except sqlite3.Error as error:
        raise FatalError(
            f"{shown} is no sound database ({error}); choose another backup"
        ) from error
    if finding != "ok":
        raise FatalError(f"{shown} is damaged ({finding}); choose another backup")


def one_line(findings: Iterable[str]) -> str:
    """Join what a check found, each of whose findings may have several lines."""
    return "; ".join(" ".join(finding.split()) for finding in findings)


def sync(path: Path) -> None:
    """Make a file's content, or a directory's names, durable."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _next_path(directory: Path, now_ns: int) -> Path:
    """Name a backup by its time, or just after the newest one if the clock was set back since.

    The order of the names says which are the newest: those that are kept, and restored.
    """
    at = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    at = at.replace(microsecond=now_ns // 1_000_000 % 1_000 * 1_000)
    for newest in list_backups(directory)[-1:]:
        with suppress(ValueError):
            taken = datetime.strptime(newest.name, f"{PREFIX}{_STAMP}{SUFFIX}").replace(tzinfo=UTC)
            at = max(at, taken + timedelta(milliseconds=1))
    stamp = f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1_000:03d}Z"
    return directory / f"{PREFIX}{stamp}{SUFFIX}"


def _make_room(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for leftover in directory.glob(f"*{PARTIAL}"):
        leftover.unlink()


def _finish(partial: Path, path: Path) -> None:
    verify(partial, shown=path)
    sync(partial)
    partial.replace(path)
    sync(path.parent)


@contextmanager
def _told_as_transient(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, FatalError) as error:
        raise TransientError(
            f"the backup {path} failed ({error}); the database and earlier backups are unharmed; "
            "check the disk's free space"
        ) from error
