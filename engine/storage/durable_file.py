"""A role's own SQLite file, of which nothing that was committed is ever lost.

One process opens it. Each change is one transaction with a sync (`synchronous=FULL`), unless
whoever opens it syncs the log itself; an error of the disk is fatal, as a sync that failed is not
known to have happened when it is tried again. The log is moved to its places while nothing waits,
as that takes a disk some tens of milliseconds.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from engine.domain.errors import FatalError, TransientError

Boundary = Callable[[str], None]
"""Is told of each commit boundary; a test ends the process there."""


TIDY_CHANGES: Final = 400
"""So many changes are some thousand pages of the log."""

LOG_BYTES: Final = 8 * 1024 * 1024
"""What is written between two of these moves fits in so much."""

_CHUNK_BYTES: Final = 1024 * 1024

LOG_PAGES_MAX: Final = 16_000
"""A log of 64 MB is moved to its places whoever waits."""


def go_on(_where: str) -> None:
    """Go on."""


def allocate_log(path: Path, log_bytes: int) -> None:
    """Give the log of an SQLite file that this process has open its room on disk ahead.

    What is in it stays; see `DurableFile.allocate`.

    Raises:
        OSError: the disk does not take it.
    """
    log = os.open(f"{path}-wal", os.O_WRONLY | os.O_CLOEXEC)
    try:
        at = os.fstat(log).st_size
        while at < log_bytes:
            at += os.pwrite(log, bytes(min(log_bytes - at, _CHUNK_BYTES)), at)
        os.fsync(log)
    finally:
        os.close(log)


class DurableFile:
    """The file; see the module."""

    def __init__(
        self, path: Path, schema: str, *, what: str, then: str, is_synced: bool = True
    ) -> None:
        """Open it, or make it at the first start.

        Args:
            path: of the file; its folder is made, for this user alone.
            schema: statements that make what is missing of its tables.
            what: it is, for people: "the table of orders".
            then: what follows if it cannot be used: "no order is placed".
            is_synced: false where whoever opens it syncs the log: then the end of the process
                loses no change, and a loss of power those since that sync.

        Raises:
            TransientError: another process has it open.
            FatalError: it cannot be used.
        """
        self._path, self._what, self._then = path, what, then
        self._broken: BaseException | None = None
        self._tidied = 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=0.2)
            self.run("pragma locking_mode = exclusive")
            self.run("pragma journal_mode = wal")
            # In the log nothing is half: each of its pages has a checksum of all before it.
            self.run(f"pragma synchronous = {'full' if is_synced else 'normal'}")
            self.run(f"pragma wal_autocheckpoint = {LOG_PAGES_MAX}")
            self._database.executescript(schema)
        except (OSError, sqlite3.Error) as error:
            raise FatalError(f"{what} {path} cannot be used: {error}") from error

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def allocate(self, log_bytes: int = LOG_BYTES) -> None:
        """Give the log its room on disk before it is needed; what is in it stays.

        To sync a file that grew, or whose room was never written, the file system has to sync its
        own journal, and with it what everybody else changes. What lies behind the last change is
        none to SQLite: it has not the mark of this log.

        Raises:
            FatalError: the disk does not take it.
        """
        try:
            allocate_log(self._path, log_bytes)
        except OSError as error:
            raise FatalError(
                f"{self._what} {self._path} has no room for its log: {error}"
            ) from error

    @property
    def change_count(self) -> int:
        """How many rows were changed since it was opened."""
        return self._database.total_changes

    def tidy(self, *, after: int = TIDY_CHANGES) -> None:
        """Move the log to its places, after so many changes; for when nothing waits.

        Raises:
            FatalError: the disk does not take it.
        """
        changes = self.change_count
        if changes - self._tidied >= after:
            self.run("pragma wal_checkpoint(passive)")
            self._tidied = changes

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all of the block one change; nothing of it stays if it raises.

        After a commit that failed nothing is written any more: what this process has in its memory
        may be more than what is on disk.
        """
        self.run("begin immediate")
        try:
            yield
        except BaseException:
            self._database.rollback()
            raise
        try:
            self.run("commit")
        except BaseException as error:
            self._broken = error
            raise

    def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows.

        Raises:
            TransientError: another process has the file open.
            FatalError: the file cannot be used.
        """
        if self._broken is not None:
            raise FatalError(
                f"{self._what} {self._path} could not be written before: {self._then}"
            ) from self._broken
        try:
            with closing(self._database.execute(statement, tuple(values))) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise TransientError(
                    f"another process has {self._what} {self._path} open: only one may"
                ) from error
            raise FatalError(
                f"{self._what} {self._path} cannot be used ({error}): {self._then}"
            ) from error
