"""Pools that were found, kept in the chain's file: up to which block, and what was refused."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from engine.chains.discovery.cache_file import change
from engine.chains.discovery.found import FoundPool, PoolRefusal
from engine.domain.dexes import Dex

POOLS_MAX: Final = 100_000
"""Of a chain. Factories that let anybody make a pool have been told of by the million."""

ENDS_MAX: Final = 200
"""Blocks kept by their hashes, to see where a branch left the one that was scanned."""

ROWS_AT_ONCE: Final = 500

_ADDRESS_BYTES: Final = 20


class Scanned(NamedTuple):
    """How far a factory's events were read.

    Attributes:
        number: of the last block that was read.
        serial: of the last pool that was told; -1 if that is not known (any more).
    """

    number: int
    serial: int


class PoolCache:
    """What is known of a chain's pools."""

    def __init__(self, cache: sqlite3.Connection, dexes: Sequence[Dex]) -> None:
        self._cache = cache
        self._dexes = {key_of(dex): dex for dex in dexes}

    def scanned(self) -> dict[str, Scanned]:
        """Return how far each factory was read, by its key; others were not."""
        rows = self._cache.execute("SELECT dex, number, serial FROM scanned")
        return {dex: Scanned(number, serial) for dex, number, serial in rows if dex in self._dexes}

    def ends(self) -> list[tuple[int, str]]:
        """Return blocks up to which events were read, and their hashes, the newest first."""
        return self._cache.execute("SELECT number, hash FROM ends ORDER BY number DESC").fetchall()

    def count(self) -> int:
        """Return how many pools are known."""
        (count,) = self._cache.execute("SELECT count(*) FROM pools").fetchone()
        return int(count)

    def refused(self) -> Counter[str]:
        """Return how many pools were refused for which reason."""
        return Counter(dict(self._cache.execute("SELECT reason, count FROM refused")))

    def among(self, addresses: Iterable[str]) -> dict[str, FoundPool]:
        """Return those of some pools that are known, by address."""
        found: dict[str, FoundPool] = {}
        for address in addresses:
            row = self._cache.execute(
                f"{_SELECT} WHERE address = ?", (bytes.fromhex(address[2:]),)
            ).fetchone()
            if row is not None and (pool := self._found(row)) is not None:
                found[address] = pool
        return found

    def all(self) -> Iterator[FoundPool]:
        """Give all known pools of the DEXs, in the order of their blocks."""
        return self._where("true ORDER BY block, address")

    def to_value(self, usd_min: float, *, poor_usd: float, block: int) -> Iterator[FoundPool]:
        """Give pools in which nobody has looked, or worth so much, and poor ones after a block."""
        last = b""
        while rows := self._cache.execute(
            f"{_SELECT} WHERE (worth_usd IS NULL OR worth_usd >= ? OR worth_usd < ? AND block > ?)"
            " AND address > ? ORDER BY address LIMIT ?",
            (usd_min, poor_usd, block, last, ROWS_AT_ONCE),
        ).fetchall():
            last = rows[-1][0]
            yield from filter(None, map(self._found, rows))

    def worth(self, usd_min: float) -> Iterator[FoundPool]:
        """Give pools with so much in them or more, the richest first."""
        return self._where("worth_usd >= ? ORDER BY worth_usd DESC, address", usd_min)

    def worths(self) -> dict[str, float]:
        """Return what pools are worth, as far as that was looked at; see `set_worth`."""
        rows = self._cache.execute(
            "SELECT address, worth_usd FROM pools WHERE worth_usd IS NOT NULL"
        )
        return {"0x" + address.hex(): worth for address, worth in rows}

    def counts(self, usd_min: float) -> tuple[int, int]:
        """Return how many pools are worth less, and of how many nobody knows the worth."""
        poor, unknown = self._cache.execute(
            "SELECT coalesce(sum(worth_usd >= 0 AND worth_usd < ?), 0),"
            " coalesce(sum(worth_usd < 0), 0) FROM pools",
            (usd_min,),
        ).fetchone()
        return int(poor), int(unknown)

    def add(
        self,
        pools: Sequence[FoundPool],
        refused: Mapping[PoolRefusal, int],
        scanned: Mapping[str, Scanned],
        end: tuple[int, str],
    ) -> int:
        """Take over what a span of blocks told, and that it was read: all of it or nothing.

        Returns:
            How many of the pools there was no room for.
        """
        with change(self._cache):
            beyond = max(0, self.count() + len(pools) - POOLS_MAX)
            beyond -= self._forget_poorest(beyond) if beyond else 0
            kept = pools[: len(pools) - beyond]
            self._cache.executemany(
                "INSERT OR IGNORE INTO pools VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", map(_row, kept)
            )
            self._count({**refused, PoolRefusal.FULL: beyond} if beyond else refused)
            self._cache.executemany(
                "INSERT OR REPLACE INTO scanned VALUES (?, ?, ?)",
                [(key, done.number, done.serial) for key, done in scanned.items()],
            )
            self._cache.execute("INSERT OR REPLACE INTO ends VALUES (?, ?)", end)
            self._thin_ends()
        return beyond

    def listed(self, dex: Dex) -> int:
        """Return up to which place a DEX's list was read: as far as is known, or as pools tell."""
        done = self.scanned().get(key_of(dex))
        if done is not None and done.serial >= 0:
            return done.serial
        (serial,) = self._cache.execute(
            "SELECT coalesce(max(serial), 0) FROM pools WHERE dex = ?", (key_of(dex),)
        ).fetchone()
        return int(serial)

    def begin_again(self, dex: Dex) -> None:
        """Have a factory read from the chain's first block on."""
        with change(self._cache):
            self._cache.execute("INSERT OR REPLACE INTO scanned VALUES (?, -1, 0)", (key_of(dex),))

    def step_back(self, dex: Dex) -> None:
        """Have a factory read again from the block on in which its newest known pool was told."""
        (newest,) = self._cache.execute(
            "SELECT max(block) FROM pools WHERE dex = ?", (key_of(dex),)
        ).fetchone()
        if newest is None:
            self.begin_again(dex)
        else:
            with change(self._cache):
                self._cache.execute(
                    "UPDATE scanned SET number = min(number, ?), serial = -1 WHERE dex = ?",
                    (newest - 1, key_of(dex)),
                )

    def go_back(self, number: int) -> int:
        """Forget what blocks after this one told; -1 forgets all. Return how many pools it was."""
        with change(self._cache):
            gone = self._cache.execute("DELETE FROM pools WHERE block > ?", (number,)).rowcount
            self._cache.execute("DELETE FROM ends WHERE number > ?", (number,))
            self._cache.execute(
                "UPDATE scanned SET number = ?, serial = -1 WHERE number > ?", (number, number)
            )
        return gone

    def set_worth(self, worth_usd: Mapping[str, float]) -> None:
        """Keep what pools were last seen to be worth, below 0 where nobody knows."""
        with change(self._cache):
            self._cache.executemany(
                "UPDATE pools SET worth_usd = ? WHERE address = ?",
                [(usd, bytes.fromhex(address[2:])) for address, usd in worth_usd.items()],
            )

    def _where(self, rule: str, *values: float) -> Iterator[FoundPool]:
        # all at once: the file may change while they are gone through
        for row in self._cache.execute(f"{_SELECT} WHERE {rule}", values).fetchall():
            if (pool := self._found(row)) is not None:
                yield pool

    def _thin_ends(self) -> None:
        """Keep the newest blocks, and of older ones fewer the older they are, but the first one."""
        numbers = [number for number, _ in self.ends()]
        if len(numbers) > ENDS_MAX:
            older = numbers[ENDS_MAX // 2 : -1]
            self._cache.executemany(
                "DELETE FROM ends WHERE number = ?", [(number,) for number in older[::2]]
            )

    def valued_at_s(self, usd_min: float) -> int:
        """Return when all pools with so much in them were last looked at, 0 if never."""
        (at_s,) = self._cache.execute(
            "SELECT coalesce(max(at_s), 0) FROM valued WHERE usd_min <= ?", (usd_min,)
        ).fetchone()
        return int(at_s)

    def set_valued(self, usd_min: float, at_s: int) -> None:
        """Keep that all pools with so much in them were looked at, by the chain's own time."""
        with change(self._cache):
            self._cache.execute("DELETE FROM valued WHERE usd_min >= ?", (usd_min,))
            self._cache.execute("INSERT INTO valued VALUES (?, ?)", (usd_min, at_s))

    def _forget_poorest(self, count: int) -> int:
        return self._cache.execute(
            "DELETE FROM pools WHERE address IN"
            " (SELECT address FROM pools WHERE worth_usd = 0 ORDER BY block LIMIT ?)",
            (count,),
        ).rowcount

    def _count(self, refused: Mapping[PoolRefusal, int]) -> None:
        self._cache.executemany(
            "INSERT INTO refused VALUES (?, ?)"
            " ON CONFLICT (reason) DO UPDATE SET count = count + excluded.count",
            [(str(reason), count) for reason, count in refused.items()],
        )

    def _found(self, row: tuple[bytes, str, bytes, int, int, int, int]) -> FoundPool | None:
        address, key, tokens, fee_pips, number, serial, block = row
        dex = self._dexes.get(key)
        if dex is None:  # its row was taken out of the table
            return None
        return FoundPool(
            dex=dex,
            address="0x" + address.hex(),
            tokens=tuple(
                "0x" + tokens[start : start + _ADDRESS_BYTES].hex()
                for start in range(0, len(tokens), _ADDRESS_BYTES)
            ),
            fee_pips=fee_pips,
            number=number,
            serial=serial,
            block=block,
        )


_SELECT: Final = "SELECT address, dex, tokens, fee_pips, number, serial, block FROM pools"


def key_of(dex: Dex) -> str:
    """Return what names a deployment in the file."""
    return f"{dex.protocol}:{dex.factory}"


def _row(pool: FoundPool) -> tuple[bytes, str, bytes, int, int, int, int]:
    return (
        bytes.fromhex(pool.address[2:]),
        key_of(pool.dex),
        b"".join(bytes.fromhex(token[2:]) for token in pool.tokens),
        pool.fee_pips,
        pool.number,
        pool.serial,
        pool.block,
    )
