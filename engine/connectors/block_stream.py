"""A source of blocks: keeps one connection, and tells what comes by it in its order.

A connection that ends may have missed blocks, so that nothing of the chain is sure any more: it is
told as lost, and the next connection begins with whole states.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from websockets.asyncio.client import connect, unix_connect
from websockets.exceptions import WebSocketException

from engine.domain.backoff import Backoff
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.domain.recovery import BLOCKS_RECONNECT
from engine.pools.blocks import Block, ChainWord, SwapTold
from engine.pools.snapshots import PoolSnapshot

log = logging.getLogger(__name__)

MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
OPEN_S: Final = 10.0
BACKOFF_S_MIN: Final = 0.25
BACKOFF_S_MAX: Final = 30.0


class ChainSink(Protocol):
    """Takes what a source says."""

    def removed(self, address: str) -> None:
        """Forget a pool."""
        ...

    def pool(self, snapshot: PoolSnapshot) -> None:
        """Take a pool's whole state as of the newest block."""
        ...

    def block(self, block: Block) -> None:
        """Take the next block."""
        ...

    def gas(self, price: GasPrice) -> None:
        """Take what a transaction costs from now on."""
        ...

    def told(self, swap: SwapTold) -> None:
        """Take that a large swap is in a block that is still to come."""
        ...

    def lost(self, fault: Fault) -> None:
        """Learn that nothing of the chain is sure any more."""
        ...


class BlockStream:
    """Keeps the blocks of one chain coming until cancelled.

    Attributes:
        trouble: why they do not come now; empty while they do.

    Args:
        url: where to connect.
        socket_path: of a Unix socket by which to do so; empty for the network.
        sink: takes everything that comes.
        proxy: through which to connect, None for directly.
        jitter: returns a number from 0 to 1; spreads reconnects.
    """

    def __init__(
        self,
        url: str,
        sink: ChainSink,
        *,
        proxy: str | None,
        jitter: Callable[[], float],
        socket_path: str = "",
    ) -> None:
        self.trouble = "not connected yet"
        self._url = url
        self._socket_path = socket_path
        self._sink = sink
        self._proxy = proxy
        self._jitter = jitter

    async def run(self) -> None:
        """Connect and take what comes, again after each end."""
        backoff = Backoff(BLOCKS_RECONNECT, first_s=BACKOFF_S_MIN, longest_s=BACKOFF_S_MAX)
        while True:
            fault = Fault.DISCONNECTED
            try:
                await self._take_all(backoff)
            except (msgspec.MsgspecError, BadValueError) as error:
                fault, self.trouble = Fault.BAD_JSON, f"its source says what cannot be: {error}"
            except (WebSocketException, OSError, TimeoutError) as error:
                self.trouble = f"its source of blocks is away: {str(error) or type(error).__name__}"
            else:
                self.trouble = "its source of blocks has closed the connection"
            log.info("%s: %s", self._url, self.trouble)
            self._sink.lost(fault)
            await asyncio.sleep(backoff.next_s() * (0.5 + self._jitter() / 2))

    async def _take_all(self, backoff: Backoff) -> None:
        async with self._connection() as socket:
            async for message in socket:
                word = msgspec.json.decode(message, type=ChainWord)
                self.trouble = ""
                backoff.reset()
                for address in word.removed:
                    self._sink.removed(address)
                for snapshot in word.pools:
                    self._sink.pool(snapshot)
                    await asyncio.sleep(0)  # a deep one takes milliseconds; frames go between
                if word.gas is not None:
                    self._sink.gas(word.gas)
                for swap in word.told:
                    self._sink.told(swap)
                if word.block is not None:
                    self._sink.block(word.block)

    def _connection(self) -> connect:
        if self._socket_path:
            return unix_connect(
                self._socket_path,
                self._url,
                max_size=MESSAGE_BYTES_MAX,
                open_timeout=OPEN_S,
                compression=None,
            )
        return connect(
            self._url,
            max_size=MESSAGE_BYTES_MAX,
            open_timeout=OPEN_S,
            proxy=self._proxy,
            compression=None,
        )
