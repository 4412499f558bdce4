"""The made-up chain's door: who connects is told all pools, then each block as it is made."""

import asyncio
import contextlib
import time
from typing import Final

import msgspec
from aiohttp import web

from engine.pools.blocks import ChainWord
from engine.sandbox.chain import MadeUpChain

BLOCK_MS: Final = 2_000
"""Of replay time: so that a minute shows some blocks."""

WORDS_MAX: Final = 64
"""Blocks that may wait for a client; one that lets more pile up is disconnected."""


class ChainDoor:
    """Makes a chain's blocks and serves them.

    Args:
        chain: what is served.
        block_s: time between two blocks.
    """

    def __init__(self, chain: MadeUpChain, *, block_s: float) -> None:
        self.chain = chain
        self.block_s = block_s
        self._clients: set[asyncio.Queue[bytes]] = set()

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/_chain/{self.chain.name}"

    def add_route(self, application: web.Application) -> None:
        """Add the chain's path to an application."""
        application.router.add_get(self.path, self._serve)

    async def run(self) -> None:
        """Make blocks for ever; cancel to stop."""
        while True:
            await asyncio.sleep(self.block_s)
            self.step(time.time_ns())

    def step(self, made_at_ns: int) -> None:
        """Make the next block and tell it to all who are connected."""
        word = msgspec.json.encode(ChainWord(block=self.chain.next(made_at_ns)))
        for waiting in list(self._clients):
            try:
                waiting.put_nowait(word)
            except asyncio.QueueFull:
                self._clients.discard(waiting)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=30.0)
        await socket.prepare(request)
        waiting: asyncio.Queue[bytes] = asyncio.Queue(WORDS_MAX)
        # Between these two lines no block is made: the states are as of the one before the first.
        await_first = msgspec.json.encode(ChainWord(pools=tuple(self.chain.snapshots())))
        self._clients.add(waiting)
        listening = asyncio.ensure_future(socket.receive())
        try:
            await socket.send_bytes(await_first)
            while waiting in self._clients and not listening.done():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await socket.send_bytes(await waiting.get())
        except ConnectionError:
            pass
        finally:
            self._clients.discard(waiting)
            listening.cancel()
        await socket.close()
        return socket
