"""The file in which a chain's discoveries are kept: found again in seconds, or else found anew.

It is no ledger: all that it holds can be asked of a node again. So a file that is damaged, of
another form or of another chain is put aside and begun anew, and what a killed process had not
committed is asked again. Where no file can be, all is held in memory, and asked again by the next
process.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

FORM: Final = 2
"""Of the tables below: a file of another one is begun anew."""

BUSY_S: Final = 1.0

_IN_MEMORY: Final = Path(":memory:")

_TABLES: Final = """
CREATE TABLE chain (chain_id INTEGER NOT NULL);
CREATE TABLE pools (
    address BLOB PRIMARY KEY, dex TEXT NOT NULL, tokens BLOB NOT NULL, fee_pips INTEGER NOT NULL,
    number INTEGER NOT NULL, serial INTEGER NOT NULL, block INTEGER NOT NULL, worth_usd REAL
) WITHOUT ROWID;
CREATE INDEX pools_by_block ON pools (block);
CREATE INDEX pools_by_worth ON pools (worth_usd);
CREATE TABLE valued (usd_min REAL NOT NULL, at_s INTEGER NOT NULL);
CREATE TABLE scanned (
    dex TEXT PRIMARY KEY, number INTEGER NOT NULL, serial INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE ends (number INTEGER PRIMARY KEY, hash TEXT NOT NULL);
CREATE TABLE refused (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tokens (
    address BLOB PRIMARY KEY, symbol TEXT NOT NULL, name TEXT NOT NULL, decimals INTEGER NOT NULL,
    refusal TEXT NOT NULL, block INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE states (address BLOB PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE states_at (number INTEGER NOT NULL, hash TEXT NOT NULL);
"""


def open_cache(
    path: Path,
    *,
    chain_id: int,
    tell: Callable[[str], object] = log.warning,
    on_anew: Callable[[str], object] = lambda _why: None,
) -> sqlite3.Connection:
    """Open a chain's file, begun anew if it cannot be used.

    Args:
        path: of the file.
        chain_id: of the chain that it is of.
        tell: is told why nothing is kept, if no file can be there.
        on_anew: is told why the file that was there cannot be used.
    """
    try:
        return _on_disk(path, chain_id, on_anew)
    except (OSError, sqlite3.Error) as error:
        tell(f"{path.name} is not kept over a restart: {error}")
        return _made(_IN_MEMORY, chain_id)


def _on_disk(path: Path, chain_id: int, on_anew: Callable[[str], object]) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        try:
            return _opened(path, chain_id)
        except (sqlite3.Error, ValueError) as error:
            log.warning("%s is begun anew: %s", path, error)
            on_anew(str(error))
            _put_aside(path)
    return _made(path, chain_id)


@contextmanager
def change(cache: sqlite3.Connection) -> Iterator[None]:
    """Change the file, all that is in the block or nothing."""
    cache.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        cache.execute("ROLLBACK")
        raise
    cache.execute("COMMIT")


def _opened(path: Path, chain_id: int) -> sqlite3.Connection:
    cache = _connected(path)
    try:
        _check(cache, chain_id)
    except BaseException:
        cache.close()
        raise
    return cache


def _check(cache: sqlite3.Connection, chain_id: int) -> None:
    (form,) = cache.execute("PRAGMA user_version").fetchone()
    if form != FORM:
        raise ValueError(f"it is of form {form}, not {FORM}")
    (sound,) = cache.execute("PRAGMA quick_check(1)").fetchone()
    if sound != "ok":
        raise ValueError(f"it is damaged: {sound}")
    (of,) = cache.execute("SELECT chain_id FROM chain").fetchone() or (None,)
    if of != chain_id:
        raise ValueError(f"it is of the chain {of}, not {chain_id}")


def _made(path: Path, chain_id: int) -> sqlite3.Connection:
    cache = _connected(path)
    cache.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {FORM}; COMMIT;")
    cache.execute("INSERT INTO chain VALUES (?)", (chain_id,))
    return cache


def _connected(path: Path) -> sqlite3.Connection:
    cache = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    # a crash of the machine may lose the newest changes, which are asked again; never their order
    cache.execute("PRAGMA journal_mode = WAL")
    cache.execute("PRAGMA synchronous = NORMAL")
    cache.execute("PRAGMA cache_size = -2000")
    return cache


def _put_aside(path: Path) -> None:
    path.replace(path.with_name(path.name + ".damaged"))
    for left in ("-wal", "-shm"):
        path.with_name(path.name + left).unlink(missing_ok=True)
