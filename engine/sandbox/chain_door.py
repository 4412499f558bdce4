"""The made-up chain's door: who connects is told all pools, then each block as it is made."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

from engine.pools.blocks import ChainWord
from engine.sandbox.chain import MadeUpChain

BLOCK_MS: Final = 2_000
"""Of replay time: so that a minute shows some blocks."""

WORDS_MAX: Final = 64
"""Blocks that may wait for a client; one that lets more pile up is disconnected."""


@dataclass(eq=False)
class _Client:
    """Who is told.

    Attributes:
        waiting: what is yet to be sent.
        gone: done once it is told nothing more.
        blocks: how many it was told that stand: it can undo no others.
    """

    waiting: asyncio.Queue[bytes]
    gone: asyncio.Future[None]
    blocks: int = 0


class ChainDoor:
    """Makes a chain's blocks and serves them.

    Args:
        chain: what is served.
        block_s: time between two blocks.
    """

    def __init__(self, chain: MadeUpChain, *, block_s: float) -> None:
        self.chain = chain
        self.block_s = block_s
        self._clients: set[_Client] = set()

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
        """Make the next block and tell it to all who are connected.

        Who has not heard what it undoes is disconnected, and begins anew with whole states.
        """
        block = self.chain.next(made_at_ns)
        word = msgspec.json.encode(ChainWord(block=block))
        for client in list(self._clients):
            if block.undone > client.blocks or client.waiting.full():
                self._clients.discard(client)
                client.gone.set_result(None)
                continue
            client.blocks += 1 - block.undone
            client.waiting.put_nowait(word)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=30.0)
        await socket.prepare(request)
        client = _Client(asyncio.Queue(WORDS_MAX), asyncio.get_running_loop().create_future())
        # Between these two lines no block is made: the states are as of the one before the first.
        await_first = msgspec.json.encode(ChainWord(pools=tuple(self.chain.snapshots())))
        self._clients.add(client)
        listening = asyncio.ensure_future(socket.receive())
        telling = asyncio.ensure_future(_tell(socket, await_first, client.waiting))
        try:
            await asyncio.wait(
                (listening, telling, client.gone), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self._clients.discard(client)
            listening.cancel()
            telling.cancel()
        await socket.close()
        return socket

    @property
    def client_count(self) -> int:
        """How many are told."""
        return len(self._clients)


async def _tell(socket: web.WebSocketResponse, first: bytes, waiting: asyncio.Queue[bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        await socket.send_bytes(first)
        while True:
            await socket.send_bytes(await waiting.get())
