"""The streams of the chains, served on a socket: a client is told all live pools, then each word.

A client that does not keep up, or that a reorganisation takes further back than it has heard, is
disconnected: it connects again, and begins with whole states.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from engine.chains.following.machine import Following
from engine.domain.gas import GasPrice
from engine.pools.blocks import ChainWord

log = logging.getLogger(__name__)

WORDS_MAX: Final = 1_024
"""Minutes of blocks."""

SEND_S: Final = 10.0
QUESTION_BYTES_MAX: Final = 1_024
PATH_PREFIX: Final = "/chains/"


@dataclass(eq=False)
class _Client:
    """Who is told.

    Attributes:
        waiting: what is yet to be sent.
        blocks: how many it has that stand, with the one that it begins with.
        is_lost: whether words had to be left out.
    """

    waiting: asyncio.Queue[bytes]
    blocks: int = 1
    is_lost: bool = False


class ChainStream:
    """Tells what a chain's machine says to all who listen.

    Args:
        words_max: that may wait for a client.

    Attributes:
        disconnected: how many clients were given up.
    """

    def __init__(self, machine: Following, *, words_max: int = WORDS_MAX) -> None:
        self.disconnected = 0
        self._words_max = words_max
        self._machine = machine
        self._clients: set[_Client] = set()
        self._has_begun = asyncio.Event()
        self._gas: GasPrice | None = None

    def price_gas(self, price: GasPrice) -> None:
        """Tell what a transaction costs; who comes later is told too."""
        self._gas = price
        if self._has_begun.is_set():
            self.tell(ChainWord(gas=price))

    def tell(self, word: ChainWord) -> None:
        """Tell a word, the first one of which is a block."""
        self._has_begun.set()
        if not self._clients:
            return
        text = msgspec.json.encode(word)
        for client in list(self._clients):
            try:
                self._check_depth(client, word)
                client.waiting.put_nowait(text)
            except asyncio.QueueFull:
                self._give_up(client)

    @property
    def client_count(self) -> int:
        """How many listen."""
        return len(self._clients)

    async def serve(self, socket: ServerConnection) -> None:
        """Tell a client until it goes, or is given up."""
        await self._has_begun.wait()
        client = _Client(asyncio.Queue(self._words_max))
        begin = self._machine.whole()
        self._clients.add(client)  # no word between these two lines is missed, none comes twice
        try:
            await self._send_all(socket, begin, client)
        except (ConnectionClosed, TimeoutError) as error:
            log.info("a client has gone: %s", error)
        finally:
            self._clients.discard(client)

    async def _send_all(
        self, socket: ServerConnection, begin: Iterator[ChainWord], client: _Client
    ) -> None:
        for word in begin:
            if client.is_lost:
                return
            await _send(socket, msgspec.json.encode(word))
            await asyncio.sleep(0)
        if self._gas is not None:
            await _send(socket, msgspec.json.encode(ChainWord(gas=self._gas)))
        closing = asyncio.ensure_future(socket.wait_closed())
        try:
            while not client.is_lost:
                waiting = asyncio.ensure_future(client.waiting.get())
                await asyncio.wait((waiting, closing), return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    waiting.cancel()
                    return
                await _send(socket, waiting.result())
        finally:
            closing.cancel()

    def _check_depth(self, client: _Client, word: ChainWord) -> None:
        """Count a block; one that undoes more than the client has heard cannot be told to it."""
        if word.block is None:
            return
        undone = word.block.undone
        if undone > self._machine.rhythm.undo_blocks:  # all pools follow, as of this block
            client.blocks = 1
            return
        if client.blocks <= undone:
            raise asyncio.QueueFull
        client.blocks += 1 - undone

    def _give_up(self, client: _Client) -> None:
        self._clients.discard(client)
        self.disconnected += 1
        client.is_lost = True
        while not client.waiting.empty():
            client.waiting.get_nowait()
        client.waiting.put_nowait(b"")  # wakes who waits


@asynccontextmanager
async def serving(path: Path, streams: Mapping[str, ChainStream]) -> AsyncIterator[None]:
    """Serve the streams, each on a path of its chain's name, until the block ends."""

    async def serve(socket: ServerConnection) -> None:
        request = socket.request
        name = "" if request is None else request.path.removeprefix(PATH_PREFIX)
        stream = streams.get(name)
        if stream is None:
            await socket.close(1008, "no such chain")
            return
        await stream.serve(socket)

    async with unix_serve(
        serve,
        path=str(path),
        compression=None,
        max_size=QUESTION_BYTES_MAX,
        close_timeout=1.0,
    ):
        yield


async def _send(socket: ServerConnection, text: bytes) -> None:
    if text:
        async with asyncio.timeout(SEND_S):
            await socket.send(text)
