"""What was signed, on disk before it leaves: so a nonce is used once, and caps hold over restarts.

One SQLite file that this process alone opens. What is written survives the end of the process at
once; it survives the loss of power after the next checkpoint, which is made while nobody asks. What
must hold even then, the caps, is reserved ahead with a sync, see `caps.py`.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.domain.errors import FatalError
from engine.domain.signing import Purpose

KEPT_DAYS: Final = 90

TIDY_CHANGES: Final = 300
"""So many signatures are about a thousand pages of the log, 4 MB."""

NEAR: Final = 100
"""Nonces of one plan follow one another; so far apart at most they are looked for."""

BUSY: Final = 20
"""Where somebody always asks, so many times as many are waited for."""

_SCHEMA: Final = """
create table if not exists signed (
  address text not null, chain_id integer not null, nonce integer not null, number integer not null,
  digest blob not null, purpose text not null, plan_digest text not null, fee_wei text not null,
  tip_wei text not null, charges text not null, day integer not null, raw blob not null,
  primary key (address, chain_id, nonce, number)
) without rowid;
create table if not exists reserved (
  day integer not null, cap text not null, amount text not null, boot text not null,
  primary key (day, cap)
) without rowid;
create table if not exists charged (
  day integer not null, cap text not null, amount integer not null, primary key (day, cap)
) without rowid;
create table if not exists live (
  engine text primary key, by text not null, at_ns integer not null, mode_ns integer not null
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Live:
    """That a person let an engine carry plans out without a word on each.

    Attributes:
        by: who said so.
        at_ns: when.
        mode_ns: since when the engine's mode has said so; 0 while nobody looked.
    """

    by: str
    at_ns: int
    mode_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One signature.

    Attributes:
        digest: of what was asked.
        plan_digest: of the plan that it carries out, empty for none.
        fee_wei, tip_wei: its two fees for each unit of gas.
        charges: what it counts for, by the caps' names.
        day: since 1970, by UTC.
        raw: what was answered.
    """

    digest: bytes
    purpose: Purpose
    plan_digest: str
    fee_wei: int
    tip_wei: int
    charges: Mapping[str, int]
    day: int
    raw: bytes


class Journal:
    """The file of an installation's signatures."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it at the first start.

        Raises:
            FatalError: it cannot be used, or another process has it open.
        """
        self._path = path
        self._newest: dict[tuple[str, int], int] = {}
        self._live: dict[str, Live | None] = {}
        self._routes: set[str] | None = None
        self._tidied = self._seen = 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Callers take turns by a lock: a key elsewhere is asked in a thread, nothing else is.
            self._database = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self.run("pragma locking_mode = exclusive")
            self.run("pragma journal_mode = wal")
            self.run("pragma synchronous = normal")
            self.run("pragma wal_autocheckpoint = 0")  # it takes a disk tens of ms: see `tidy`
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise FatalError(
                f"the signer's journal {path} cannot be used ({error}): nothing is signed"
            ) from error

    def make(self, schema: str) -> None:
        """Make further tables, at the first start.

        Raises:
            FatalError: it cannot be written.
        """
        try:
            self._database.executescript(schema)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def tidy(self) -> None:
        """Move the log to its places if it is long and nobody asked since the last call.

        Raises:
            FatalError: the disk does not take it.
        """
        changes = self._database.total_changes
        is_idle, self._seen = changes == self._seen, changes
        if changes - self._tidied >= TIDY_CHANGES * (1 if is_idle else BUSY):
            self.run("pragma wal_checkpoint(passive)")
            self._tidied = changes

    def of_nonce(self, address: str, chain_id: int, nonce: int) -> list[Entry]:
        """Return all that was signed for a nonce, in its order."""
        if nonce > self._newest_of(address, chain_id):
            return []
        return self._entries(
            "address = ? and chain_id = ? and nonce = ? order by number", address, chain_id, nonce
        )

    def beside(self, address: str, chain_id: int, nonce: int, plan_digest: str) -> list[Entry]:
        """Return all that was signed of a plan at other nonces, which are near."""
        return self._entries(
            "address = ? and chain_id = ? and nonce between ? and ? and nonce != ?"
            " and plan_digest = ?",
            *(address, chain_id, nonce - NEAR, nonce + NEAR, nonce, plan_digest),
        )

    def has_route(self, plan_digest: str) -> bool:
        """Say whether a transaction was signed that carries a plan out."""
        if self._routes is None:  # read once: an index would cost something at each signature
            found = self.run(
                "select plan_digest from signed where purpose = ?", (Purpose.ROUTE.value,)
            )
            self._routes = {digest for (digest,) in found}
        return plan_digest in self._routes

    def _entries(self, which: str, *values: object) -> list[Entry]:
        columns = "digest, purpose, plan_digest, fee_wei, tip_wei, charges, day, raw"
        found = self.run(f"select {columns} from signed where {which}", values)  # noqa: S608 - ours
        return [
            Entry(
                digest=digest,
                purpose=Purpose(purpose),
                plan_digest=plan_digest,
                fee_wei=int(fee_wei),
                tip_wei=int(tip_wei),
                charges=msgspec.json.decode(charges, type=dict[str, int]),
                day=day,
                raw=raw,
            )
            for digest, purpose, plan_digest, fee_wei, tip_wei, charges, day, raw in found
        ]

    def _newest_of(self, address: str, chain_id: int) -> int:
        """Return the highest nonce of which anything is known; most that are asked are above it."""
        wallet = (address, chain_id)
        if wallet not in self._newest:
            (found,) = self.run(
                "select max(nonce) from signed where address = ? and chain_id = ?", wallet
            )
            self._newest[wallet] = -1 if found[0] is None else int(found[0])
        return self._newest[wallet]

    def add(self, address: str, chain_id: int, nonce: int, number: int, entry: Entry) -> None:
        """Keep a signature; returns once the end of this process cannot lose it.

        Raises:
            FatalError: it cannot be written.
        """
        self.run(
            "insert into signed values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(address, chain_id, nonce, number),
                *(entry.digest, entry.purpose.value, entry.plan_digest),
                *(str(entry.fee_wei), str(entry.tip_wei)),
                *(msgspec.json.encode(entry.charges).decode(), entry.day, entry.raw),
            ),
        )
        self._newest[address, chain_id] = max(nonce, self._newest_of(address, chain_id))
        if self._routes is not None and entry.purpose is Purpose.ROUTE:
            self._routes.add(entry.plan_digest)

    def charged(self, day: int) -> dict[str, int]:
        """Return what a day's signatures count for, by the caps' names."""
        total: dict[str, int] = {}
        for (text,) in self.run("select charges from signed where day = ?", (day,)):
            for cap, amount in msgspec.json.decode(text, type=dict[str, int]).items():
                total[cap] = total.get(cap, 0) + amount
        for cap, amount in self.run("select cap, amount from charged where day = ?", (day,)):
            total[cap] = total.get(cap, 0) + amount
        return total

    def charge(self, day: int, charges: Mapping[str, int]) -> None:
        """Count something for a day's caps that stands elsewhere than among transactions."""
        for cap, amount in charges.items():
            self.run(
                "insert into charged values (?, ?, ?)"
                " on conflict (day, cap) do update set amount = amount + excluded.amount",
                (day, cap, amount),
            )

    def reserved(self, day: int) -> dict[str, tuple[int, str]]:
        """Return what is reserved of a day's caps, and since which start of the machine."""
        found = self.run("select cap, amount, boot from reserved where day = ?", (day,))
        return {cap: (int(amount), boot) for cap, amount, boot in found}

    def reserve(self, day: int, amounts: Mapping[str, int], *, boot: str) -> None:
        """Reserve of a day's caps; returns once the loss of power cannot lose it.

        Raises:
            FatalError: it cannot be written, or not be made durable.
        """
        with self.durably():
            for cap, amount in amounts.items():
                self.run("insert or replace into reserved values (?, ?, ?, ?)",
                         (day, cap, str(amount), boot))  # fmt: skip

    def live(self, engine: str) -> Live | None:
        """Return who let an engine go live; None for nobody."""
        if engine not in self._live:
            found = self.run("select by, at_ns, mode_ns from live where engine = ?", (engine,))
            self._live[engine] = Live(*found[0]) if found else None
        return self._live[engine]

    def keep_live(self, engine: str, *, by: str, at_ns: int) -> None:
        """Keep that a person let an engine go live, in place of what was there."""
        self.run("insert or replace into live values (?, ?, ?, 0)", (engine, by, at_ns))
        self._live[engine] = Live(by, at_ns, 0)

    def bind_live(self, engine: str, mode_ns: int) -> None:
        """Keep since when the engine's mode has said so."""
        self.run("update live set mode_ns = ? where engine = ?", (mode_ns, engine))
        self._live.pop(engine, None)

    def end_live(self, engine: str) -> None:
        """Forget that an engine is live."""
        if self._live.get(engine, "unknown") is not None:
            self.run("delete from live where engine = ?", (engine,))
            self._live[engine] = None

    def newest_day(self) -> int:
        """Return the last day of which anything is known; 0 for none."""
        (found,) = self.run(
            "select max(day) from (select day from signed union all select day from reserved"
            " union all select day from charged)"
        )
        return int(found[0] or 0)

    def forget_before(self, day: int) -> None:
        """Leave out what is older than anything that could still be on its way."""
        self.run("delete from signed where day < ?", (day,))
        self.run("delete from reserved where day < ?", (day,))
        self.run("delete from charged where day < ?", (day,))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all of it or nothing; survives the end of this process."""
        self.run("begin immediate")
        try:
            yield
        except BaseException:
            self.run("rollback")
            raise
        self.run("commit")

    @contextmanager
    def durably(self) -> Iterator[None]:
        """The same, and it survives the loss of power, too."""
        self.run("pragma synchronous = full")
        try:
            with self.together():
                yield
        finally:
            self.run("pragma synchronous = normal")

    def run(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Run a statement.

        Raises:
            FatalError: the file cannot be used.
        """
        try:
            with closing(self._database.execute(statement, values)) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> FatalError:
        return FatalError(
            f"the signer's journal {self._path} cannot be used ({error}): nothing is signed"
        )
