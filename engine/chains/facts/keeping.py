"""Keeps a chain's blocks: notes them as they are told, writes them within a second, in a thread.

Nothing of it is on the way of a block to the engine but one look at its header.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Final

from engine.chains.facts.notes import BlockNotes, Written
from engine.chains.facts.ring import FactRing
from engine.chains.facts.swaps import swaps_of
from engine.chains.gas.reader import GasSeen
from engine.chains.pending.waiting import Waits
from engine.chains.pending.whales import Swapped, UsdOf
from engine.chains.ports import BlockRef, Json
from engine.domain.block_facts import BlockFact, Wait
from engine.domain.units import GWEI_DECIMALS
from engine.pools.blocks import Block

log = logging.getLogger(__name__)

WRITTEN_S: Final = 1.0
LEGS: Final = 2
"""Swaps of the transaction of which it is noted what its bytes cost."""


class KeptBlocks:
    """The blocks of one chain, as they are noted and kept.

    Attributes:
        notes: of the newest ones.
        trouble: why the last write failed; empty if it did not.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self.notes: Final = BlockNotes()
        self.trouble = ""
        self._now_ns = now_ns
        self._ring: FactRing | None = None
        self._has_begun = False
        self._open: tuple[FactRing, Executor] | None = None

    def begin(self, ring: FactRing) -> None:
        """Go on from what was kept before, with the first block that is told."""
        self._ring = ring

    def head(self, block_hash: str, said: Json, is_told: bool) -> None:  # noqa: FBT001 - as called
        """Hear a header."""
        self.notes.head(block_hash, said, heard_at_ns=self._now_ns() if is_told else 0)

    def told(self, block: Block) -> None:
        """Note a block that the engine was just told of."""
        if not self._has_begun and self._begins(block):
            return
        self.notes.told(block, at_ns=self._now_ns())

    def swapped(self, ref: BlockRef, swaps: Sequence[Swapped], usd_of: UsdOf) -> None:
        """Note the swaps of a block."""
        self.notes.swapped(ref.number, ref.hash, swaps_of(swaps, usd_of))

    def took(self, ref: BlockRef, waits: Sequence[Waits]) -> None:
        """Note what a block took that had been heard before."""
        self.notes.took(
            ref.number,
            ref.hash,
            [
                Wait(heard_at_ns=one.heard_at_ns, tip_gwei=one.tx.tip_raw_max / 10**GWEI_DECIMALS)
                for one in waits
            ],
        )

    def seen(self, seen: GasSeen) -> None:
        """Note what gas is."""
        self.notes.data_raw = seen.price.data_raw(LEGS)
        if seen.paid is not None:
            self.notes.paid(seen.paid)

    async def run(self, ring: FactRing) -> None:
        """Write what is noted until cancelled; the last of it as this ends."""
        thread = ThreadPoolExecutor(1, "block-facts")
        self._open = (ring, thread)
        try:
            while True:
                await asyncio.sleep(WRITTEN_S)
                # what was taken to be written is written, though this be cancelled
                await asyncio.shield(asyncio.wrap_future(self._write(ring, thread)))
        finally:
            self._open = None
            self._write(ring, thread)
            thread.shutdown()  # what is under way takes milliseconds, and the file is closed next

    async def newest(self, most: int) -> list[BlockFact]:
        """Return the newest blocks, the oldest of them first; no more than fit an answer."""
        if self._open is None:
            return []
        ring, thread = self._open
        self._write(ring, thread)
        return await asyncio.wrap_future(thread.submit(ring.newest, most))

    def _begins(self, block: Block) -> bool:
        """Begin with a block; say whether it was kept already."""
        self._has_begun = True
        if self._ring is None:
            return False
        try:
            known = self._ring.begin(block.number, block.hash, block.parent_hash)
        except sqlite3.Error as error:
            log.warning("blocks that were kept cannot be read: %s", error)
            return False
        if known is not None:
            self.notes.known(known)
        return known is not None

    def _write(self, ring: FactRing, thread: Executor) -> Future[None]:
        return thread.submit(self._write_now, ring, self.notes.take())

    def _write_now(self, ring: FactRing, written: Written) -> None:
        try:
            ring.write(written)
            self.trouble = ""
        except sqlite3.Error as error:  # a full disk: blocks are told all the same
            self.trouble = str(error)
            log.warning("blocks are not kept: %s", error)
