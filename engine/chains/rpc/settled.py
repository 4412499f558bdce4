"""Reads at a development node, which answers about its newest block while it makes the next one.

Anvil (1.7.1) runs the next block's transactions in the very state that it reads the newest block
from, and only then says that there is one more: of 6,338 reads at the newest block while blocks
came every few milliseconds 281 were of the block after. What an event then adds to such a state is
counted twice. Older blocks are read from states that nothing changes any more.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from engine.chains.ports import BlockRef, Call, Node, Reader

SETTLE_S: Final = 0.02
"""A node is done with a block's transactions, and tells of it, in a fraction of this."""


class SettledReader:
    """A reader whose answers are of the block that was named; see `ports.Reader`."""

    def __init__(self, reader: Reader, node: Node, settle_s: float = SETTLE_S) -> None:
        self._reader = reader
        self._node = node
        self._settle_s = settle_s
        self.logs: Final = reader.logs

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        """Return each call's answer; once more, if a block was being made when it was asked for.

        Raises:
            NodeError: the block is not known (any more), or no answer may be used.
        """
        if not await self._is_newest(at):
            return await self._reader.call(calls, at)
        answers = await self._reader.call(calls, at)
        await asyncio.sleep(self._settle_s)
        if await self._is_newest(at):
            return answers
        return await self._reader.call(calls, at)

    async def _is_newest(self, at: BlockRef) -> bool:
        newest = await self._node.request("eth_getBlockByNumber", "latest", False)
        return isinstance(newest, dict) and newest.get("hash") == at.hash
