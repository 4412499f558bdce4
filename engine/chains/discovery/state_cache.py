"""States of pools as of a block, kept over a restart: those that take hundreds of reads to learn.

They are concentrated pools with contracts of their own. All others are read whole as quickly as
they could be compared.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import zstandard

from engine.chains.discovery.announcements import ALGEBRA, ANNOUNCED, FEE_TIER, SLIPSTREAM
from engine.chains.discovery.cache_file import change
from engine.chains.ports import BlockRef, PoolNow
from engine.domain.errors import BadValueError
from engine.pools.snapshot_rows import ConcentratedRow
from engine.pools.snapshots import PoolSnapshot, to_json

KEPT: Final = frozenset(
    protocol for protocol, made in ANNOUNCED.items() if made in (FEE_TIER, SLIPSTREAM, ALGEBRA)
)

STATES_AT_ONCE: Final = 20
STATE_BYTES_MAX: Final = 1_000_000
LEVEL: Final = 1


class Kept(NamedTuple):
    """States as of a block, and the block's number and hash."""

    number: int
    hash: str
    pools: dict[str, PoolNow]


class StateCache:
    """Keeps states in a file of its own, one set of them at a time."""

    def __init__(self, cache: sqlite3.Connection) -> None:
        self._cache = cache

    async def keep(self, snapshots: Iterable[PoolSnapshot], at: BlockRef) -> int:
        """Keep states as of a block in place of those that were kept; return how many."""
        packer = zstandard.ZstdCompressor(level=LEVEL)
        rows: list[tuple[bytes, bytes]] = []
        for index, snapshot in enumerate(snapshots):
            if index % STATES_AT_ONCE == STATES_AT_ONCE - 1:
                await asyncio.sleep(0)
            pool = snapshot.pool
            if pool.protocol in KEPT and isinstance(snapshot.row, ConcentratedRow):
                state = packer.compress(to_json(snapshot))
                rows.append((bytes.fromhex(pool.address[2:]), state))
        await asyncio.to_thread(self._write, rows, at)
        return len(rows)

    async def kept(self) -> Kept | None:
        """Return the states that were kept, but for what cannot be read; None if none were.

        Whether a pool can be in such a state is for who takes it over to check, as always.
        """
        at = self._cache.execute("SELECT number, hash FROM states_at").fetchone()
        if at is None:
            return None
        unpacker = zstandard.ZstdDecompressor()
        pools: dict[str, PoolNow] = {}
        rows = self._cache.execute("SELECT address, state FROM states").fetchall()
        for index, (address, state) in enumerate(rows):
            if index % STATES_AT_ONCE == STATES_AT_ONCE - 1:
                await asyncio.sleep(0)
            try:
                text = unpacker.decompress(state, max_output_size=STATE_BYTES_MAX)
                snapshot = msgspec.json.decode(text, type=PoolSnapshot)
            except (zstandard.ZstdError, msgspec.MsgspecError, BadValueError):
                continue
            pool = snapshot.pool
            if pool.address == "0x" + address.hex() and pool.protocol in KEPT:
                pools[pool.address] = PoolNow(pool=pool, row=snapshot.row)
        number, block_hash = at
        return Kept(number, block_hash, pools)

    def _write(self, rows: list[tuple[bytes, bytes]], at: BlockRef) -> None:
        with change(self._cache):
            self._cache.execute("DELETE FROM states")
            self._cache.execute("DELETE FROM states_at")
            self._cache.executemany("INSERT INTO states VALUES (?, ?)", rows)
            self._cache.execute("INSERT INTO states_at VALUES (?, ?)", (at.number, at.hash))
