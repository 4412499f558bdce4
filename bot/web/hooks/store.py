"""Where events are kept before their bodies are acknowledged: one SQLite file, one process.

Each change is one transaction, synced whole before it counts (`synchronous = FULL`); several bodies
share one. What is kept does two things: an event that is told again is known, and one that nobody
has taken yet is handed over after a restart. An event that was taken keeps its key alone.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.bus.hooked import HookEvent
from engine.domain.errors import FatalError

FILE: Final = "hooks.sqlite"
KEPT_MAX: Final = 2_000_000
"""Events whose keys are kept, some 300 MB; what was told before the oldest is not taken again."""

PRUNED_AT_ONCE: Final = 2_000
_KEY_BYTES: Final = 16
_LOG_PAGES: Final = 2_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL,
    level INTEGER NOT NULL,
    received_at_ns INTEGER NOT NULL,
    body BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS event_key ON event (key, level);
CREATE INDEX IF NOT EXISTS event_waiting ON event (seq) WHERE body IS NOT NULL;
CREATE TABLE IF NOT EXISTS pruned (one INTEGER PRIMARY KEY CHECK (one = 1), until_ns INTEGER);
"""
# An event that is confirmed is told already where it is only seen, in whatever order they come.
_ADD: Final = """
INSERT INTO event (key, level, received_at_ns, body) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
    SELECT 1 FROM event WHERE key = ?1 AND (level = ?2 OR (?2 = 0 AND level = 1)))
"""
_TAKEN: Final = "UPDATE event SET body = NULL WHERE key = ? AND level = ?"
_WAITING: Final = """
SELECT body FROM event WHERE body IS NOT NULL AND received_at_ns < ? ORDER BY seq LIMIT ?
"""

Key = tuple[bytes, int]


class DiskError(Exception):
    """The disk takes nothing now; what was to be kept is not."""


class HookStore:
    """The file; for one thread.

    Attributes:
        pruned_until_ns: what was received before then is not known any more.

    Args:
        pages_max: so many pages at most, for trials of a full disk.
    """

    def __init__(self, directory: Path, *, pages_max: int | None = None) -> None:
        self._path = directory / FILE
        self._pages_max = pages_max
        self._file: sqlite3.Connection | None = None
        self.pruned_until_ns = 0

    @property
    def is_open(self) -> bool:
        """Whether it can be used, and what it has forgotten is known."""
        return self._file is not None

    @property
    def is_there(self) -> bool:
        """Whether anything was ever kept."""
        return self._path.exists()

    def open(self) -> None:
        """Open it, or make it.

        Raises:
            DiskError: that cannot be now.
            FatalError: it is damaged.
        """
        try:
            _ = self._file or self._open()
        except sqlite3.Error as error:
            raise DiskError(str(error)) from error

    def close(self) -> None:
        """Close the file; again it changes nothing."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(sqlite3.Error):
                file.close()

    def keep(self, bodies: Sequence[Sequence[HookEvent]], taken: Iterable[Key]) -> list[list[bool]]:
        """Keep the events of bodies, and that others were taken, all in one change.

        Returns:
            Of each event of each body whether it was told for the first time.

        Raises:
            DiskError: nothing of it is kept.
        """
        try:
            file = self._file or self._open()
            file.execute("BEGIN IMMEDIATE")
            known = [
                [
                    file.execute(
                        _ADD,
                        (
                            key_of(event),
                            int(event.level),
                            event.received_at_ns,
                            msgspec.msgpack.encode(event),
                        ),
                    ).rowcount
                    == 1
                    for event in events
                ]
                for events in bodies
            ]
            file.executemany(_TAKEN, taken)
            file.execute("COMMIT")
        except sqlite3.Error as error:
            # Whether a failed sync happened nobody knows: what is there is read anew.
            self.close()
            raise DiskError(str(error)) from error
        return known

    def waiting(self, *, before_ns: int, most: int) -> list[HookEvent]:
        """Return the oldest events that nobody has taken.

        Args:
            before_ns: received before then.
            most: so many at most.

        Raises:
            DiskError: they cannot be read.
        """
        rows: list[tuple[bytes]] = self._rows(_WAITING, (before_ns, most))
        return [msgspec.msgpack.decode(body, type=HookEvent) for (body,) in rows]

    def waiting_count(self) -> int:
        """Return how many events nobody has taken; raises as `waiting`."""
        (row,) = self._rows("SELECT count(*) FROM event WHERE body IS NOT NULL", ())
        return int(row[0])

    def prune(self, *, before_ns: int, kept_max: int = KEPT_MAX) -> int:
        """Forget some of the oldest events where they are older, or too many.

        Returns:
            How many.

        Raises:
            DiskError: nothing was forgotten.
        """
        ends: list[tuple[int | None, int]] = self._rows("SELECT min(seq), max(seq) FROM event", ())
        first, last = ends[0]
        if first is None:
            return 0
        # Numbers are given one after the other, so that their span bounds their count.
        beyond = max(last - first + 1 - kept_max, 0)
        rows = self._rows(
            "SELECT seq, received_at_ns FROM event ORDER BY seq LIMIT ?", (PRUNED_AT_ONCE,)
        )
        gone = [row for row in rows if row[1] < before_ns or row[0] < first + beyond]
        if not gone:
            return 0
        until_ns = max(self.pruned_until_ns, *(row[1] for row in gone)) + 1
        try:
            file = self._file or self._open()
            file.execute("BEGIN IMMEDIATE")
            file.executemany("DELETE FROM event WHERE seq = ?", [(row[0],) for row in gone])
            file.execute("INSERT OR REPLACE INTO pruned VALUES (1, ?)", (until_ns,))
            file.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise DiskError(str(error)) from error
        self.pruned_until_ns = until_ns
        return len(gone)

    def _rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        try:
            return (self._file or self._open()).execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise DiskError(str(error)) from error

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=0.5
            )
            self._file = file
            file.execute("PRAGMA locking_mode = EXCLUSIVE")
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = FULL")
            file.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            if self._pages_max is not None:
                file.execute(f"PRAGMA max_page_count = {self._pages_max}")
            file.executescript(_SCHEMA)
            row = file.execute("SELECT until_ns FROM pruned").fetchone()
            self.pruned_until_ns = 0 if row is None else int(row[0])
        except sqlite3.DatabaseError as error:
            self.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise FatalError(
                f"{self._path} is damaged ({error}): move it away, and what was told lately may be"
                " told again"
            ) from error
        except OSError as error:
            raise FatalError(f"{self._path} cannot be used: {error.strerror}") from error
        return file


def key_of(event: HookEvent) -> bytes:
    """Return what an event of a stream is known by, whatever level it is told at."""
    text = f"{event.stream} {event.chain} {event.block_hash} {event.tx_hash} {event.log_index}"
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest()


def row_of(event: HookEvent) -> Key:
    """Return the key of what is kept of an event at its level."""
    return key_of(event), int(event.level)
