"""The ring on disk: the newest blocks of a chain, bounded by their number and their bytes.

It is no ledger: a file that is damaged, of another form or of another chain is begun anew.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.chains.facts.notes import Written
from engine.domain.block_facts import BlockFact

log = logging.getLogger(__name__)

FORM: Final = 1
BLOCKS_KEPT: Final = 20_000
BYTES_KEPT: Final = 48_000_000
TRIMMED_RATIO: Final = 0.05
"""So much more is let go at once."""

LOOKED_AT: Final = 64
"""How much is kept is looked at with each write of so many."""

DOUBTED: Final = 64
"""So many of the newest blocks go if the next one does not stand on them."""

ANSWER_BYTES_MAX: Final = 2_000_000
BUSY_S: Final = 1.0
IN_MEMORY: Final = Path(":memory:")

_TABLES: Final = """
CREATE TABLE chain (chain_id INTEGER NOT NULL);
CREATE TABLE facts (number INTEGER PRIMARY KEY, fact BLOB NOT NULL);
"""


class FactRing:
    """The file of one chain; its calls take no event loop's time if they are made in a thread.

    Args:
        blocks_kept, bytes_kept: of more the oldest go.
    """

    def __init__(
        self,
        file: sqlite3.Connection,
        *,
        blocks_kept: int = BLOCKS_KEPT,
        bytes_kept: int = BYTES_KEPT,
    ) -> None:
        self._file = file
        self._blocks_kept, self._bytes_kept = blocks_kept, bytes_kept
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(BlockFact)
        self._writes = 0

    def begin(self, number: int, block_hash: str, parent_hash: str) -> BlockFact | None:
        """Begin with a block; return what is kept of it.

        If what is kept is of another branch, its newest blocks go.
        """
        same, parent = self._at(number), self._at(number - 1)
        if same is not None and same.hash == block_hash:
            self._file.execute("DELETE FROM facts WHERE number > ?", (number,))
            return same
        if parent is not None and parent.hash != parent_hash:
            self._file.execute("DELETE FROM facts WHERE number >= ?", (number - DOUBTED,))
        return None

    def _at(self, number: int) -> BlockFact | None:
        query = "SELECT fact FROM facts WHERE number = ?"
        row = self._file.execute(query, (number,)).fetchone()
        try:
            return None if row is None else self._decoder.decode(row[0])
        except msgspec.MsgspecError:
            return None

    def write(self, written: Written) -> None:
        """Write what is new; all of it or nothing."""
        if written.gone_from is None and not written.facts:
            return
        rows = [(fact.number, self._encoder.encode(fact)) for fact in written.facts]
        self._file.execute("BEGIN IMMEDIATE")
        try:
            if written.gone_from is not None:
                self._file.execute("DELETE FROM facts WHERE number >= ?", (written.gone_from,))
            self._file.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)
            if self._writes % LOOKED_AT == 0:
                self._trim()
            self._writes += 1
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def newest(self, most: int, *, bytes_max: int = ANSWER_BYTES_MAX) -> list[BlockFact]:
        """Return the newest blocks, the oldest of them first; no more than fit."""
        found: list[BlockFact] = []
        room = bytes_max
        query = "SELECT fact FROM facts ORDER BY number DESC LIMIT ?"
        with closing(self._file.execute(query, (max(most, 0),))) as rows:
            for (text,) in rows:
                room -= len(text)
                if room < 0:
                    break
                try:
                    found.append(self._decoder.decode(text))
                except msgspec.MsgspecError as error:
                    log.warning("a block that was kept cannot be read: %s", error)
        return found[::-1]

    def _trim(self) -> None:
        (count, size) = self._file.execute(
            "SELECT count(*), coalesce(sum(length(fact)), 0) FROM facts"
        ).fetchone()
        if count <= self._blocks_kept and size <= self._bytes_kept:
            return
        left = min(count, self._blocks_kept)
        if size > self._bytes_kept:
            left = min(left, int(count * self._bytes_kept / size))
        left = int(left * (1 - TRIMMED_RATIO))
        self._file.execute(
            "DELETE FROM facts WHERE number NOT IN"
            " (SELECT number FROM facts ORDER BY number DESC LIMIT ?)",
            (left,),
        )


@contextmanager
def open_ring(
    path: Path, *, chain_id: int, on_anew: Callable[[str], object] = lambda _why: None
) -> Iterator[FactRing]:
    """Open a chain's ring, begun anew if its file cannot be used; in memory if none can be.

    Args:
        path: of the file.
        chain_id: of the chain that it is of.
        on_anew: is told why the file that was there cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _opened(path, chain_id, on_anew)
    except (OSError, sqlite3.Error) as error:
        log.warning("blocks of a chain are kept in memory alone, %s: %s", path, error)
        file = _begun(IN_MEMORY, chain_id)
    try:
        yield FactRing(file)
    finally:
        file.close()


def _opened(path: Path, chain_id: int, on_anew: Callable[[str], object]) -> sqlite3.Connection:
    if path.exists():
        try:
            return _checked(_connected(path), chain_id)
        except (sqlite3.Error, ValueError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise  # it is another's, and sound for all that is known
            log.warning("%s is begun anew: %s", path, error)
            on_anew(str(error))
            path.replace(path.with_name(path.name + ".damaged"))
            for left in ("-wal", "-shm"):
                path.with_name(path.name + left).unlink(missing_ok=True)
    return _begun(path, chain_id)


def _begun(path: Path, chain_id: int) -> sqlite3.Connection:
    file = _connected(path)
    try:
        file.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {FORM}; COMMIT;")
        file.execute("INSERT INTO chain VALUES (?)", (chain_id,))
    except BaseException:
        file.close()
        raise
    return file


def _checked(file: sqlite3.Connection, chain_id: int) -> sqlite3.Connection:
    try:
        _check(file, chain_id)
    except BaseException:
        file.close()
        raise
    return file


def _check(file: sqlite3.Connection, chain_id: int) -> None:
    (form,) = file.execute("PRAGMA user_version").fetchone()
    (sound,) = file.execute("PRAGMA quick_check(1)").fetchone()
    (of,) = file.execute("SELECT chain_id FROM chain").fetchone() or (None,)
    if (form, sound, of) != (FORM, "ok", chain_id):
        raise ValueError(f"it is of form {form} and chain {of}: {sound}")


def _connected(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    # One alone may have it open: SQLite before 3.51.3 can damage what two write in WAL mode.
    try:
        file.execute("PRAGMA locking_mode = EXCLUSIVE")
        # a crash of the machine may lose the newest blocks; never their order
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        file.execute("PRAGMA cache_size = -1000")
    except BaseException:
        file.close()
        raise
    return file
