"""Where events are kept before their bodies are acknowledged: one SQLite file, one process.

Each change is one transaction, synced whole before it counts (`synchronous = FULL`); several bodies
share one. What is kept does two things: an event that is told again is known, and one that nobody
has taken yet is handed over after a restart. An event that was taken keeps its key alone.

A change is a few statements, however many events it has: for each one the thread lets go of the
interpreter and has to get it back from the loop. Keys begin with their block's number, so that what
comes together lies together, and a change writes a few pages instead of one for each event.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.bus.hooked import HookEvent, Level
from engine.domain.errors import FatalError

FILE: Final = "hooks.sqlite"
KEPT_MAX: Final = 2_000_000
"""Events whose keys are kept, some 300 MB; what was told before the oldest is not taken again."""

PRUNED_AT_ONCE: Final = 2_000
ROWS_AT_ONCE: Final = 1_000
"""Of one statement; SQLite takes 32,766 values."""

_NUMBER_BYTES: Final = 6
_DIGEST_BYTES: Final = 12
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
INSERT INTO event (key, level, received_at_ns, body)
SELECT * FROM (VALUES {rows}) AS told WHERE NOT EXISTS (
    SELECT 1 FROM event WHERE event.key = told.column1
    AND (event.level = told.column2 OR (told.column2 = 0 AND event.level = 1)))
"""
_NEWEST: Final = "SELECT key, level FROM event ORDER BY seq DESC LIMIT ?"
_TAKEN: Final = """
UPDATE event SET body = NULL WHERE seq IN (
    SELECT event.seq FROM (VALUES {rows}) AS taken CROSS JOIN event
    WHERE event.key = taken.column1 AND event.level = taken.column2)
"""
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
        gone = set(taken)
        keys = [[row_of(event) for event in events] for events in bodies]
        rows = _rows_of(zip(chain(*keys), chain(*bodies), strict=True), gone)
        try:
            file = self._file or self._open()
            file.execute("BEGIN IMMEDIATE")
            new: set[Key] = set()
            for part in _parts([*rows.values()]):
                new |= _added(file, part)
            for away in _parts([*(gone - new)]):
                file.execute(_statement(_TAKEN, away), [*chain(*away)])
            file.execute("COMMIT")
        except sqlite3.Error as error:
            # Whether a failed sync happened nobody knows: what is there is read anew.
            self.close()
            raise DiskError(str(error)) from error
        # The first one of a body or of several that tells an event is the one that tells it.
        return [[_is_first(key, new) for key in of_body] for of_body in keys]

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


Row = tuple[bytes, int, int, bytes | None]


def _rows_of(told: Iterable[tuple[Key, HookEvent]], gone: set[Key]) -> dict[Key, Row]:
    """Return each event that is told for the first time among these, in their order."""
    rows: dict[Key, Row] = {}
    for key, event in told:
        is_told = key in rows or (key[1] == Level.SEEN and (key[0], Level.CONFIRMED) in rows)
        if not is_told:
            body = None if key in gone else msgspec.msgpack.encode(event)
            rows[key] = *key, event.received_at_ns, body
    return rows


def _added(file: sqlite3.Connection, rows: Sequence[Row]) -> set[Key]:
    """Keep rows that are not there; return which those are."""
    count = file.execute(_statement(_ADD, rows), [*chain(*rows)]).rowcount
    if count == len(rows):
        return {row[:2] for row in rows}
    return set(file.execute(_NEWEST, (count,)))


def _is_first(key: Key, new: set[Key]) -> bool:
    """Say once of each key that it is new."""
    if key not in new:
        return False
    new.remove(key)
    return True


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + ROWS_AT_ONCE] for at in range(0, len(rows), ROWS_AT_ONCE))


def _statement(text: str, rows: Sequence[Sequence[object]]) -> str:
    row = f"({', '.join('?' * len(rows[0]))})"
    return text.format(rows=", ".join([row] * len(rows)))


def key_of(event: HookEvent) -> bytes:
    """Return what an event of a stream is known by, whatever level it is told at."""
    text = f"{event.stream} {event.chain} {event.block_hash} {event.tx_hash} {event.log_index}"
    digest = hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
    number = event.block_number % (1 << 8 * _NUMBER_BYTES)
    return number.to_bytes(_NUMBER_BYTES) + digest


def row_of(event: HookEvent) -> Key:
    """Return the key of what is kept of an event at its level."""
    return key_of(event), int(event.level)
