"""The stream of blocks of the sandbox: from whole states on, and lost with each connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from engine.connectors.block_stream import BlockStream
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.pools.blocks import Block, ChainWord, SwapTold
from engine.pools.snapshots import PoolSnapshot
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from tests.patience import PATIENCE_S


class Told:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.words: list[PoolSnapshot | Block | GasPrice | SwapTold | Fault | str] = []
        self.changed = asyncio.Event()

    def removed(self, address: str) -> None:
        self._tell(address)

    def pool(self, snapshot: PoolSnapshot) -> None:
        self._tell(snapshot)

    def block(self, block: Block) -> None:
        self._tell(block)

    def gas(self, price: GasPrice) -> None:
        self._tell(price)

    def told(self, swap: SwapTold) -> None:
        self._tell(swap)

    def lost(self, fault: Fault) -> None:
        self._tell(fault)

    def _tell(self, word: PoolSnapshot | Block | GasPrice | SwapTold | Fault | str) -> None:
        self.words.append(word)
        self.changed.set()

    async def until(self, kind: type, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while sum(isinstance(word, kind) for word in self.words) < count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def streaming(url: str, told: Told) -> AsyncIterator[BlockStream]:
    stream = BlockStream(url, told, proxy=None, jitter=lambda: 0.0)
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        task.cancel()


def url_of(sandbox: Sandbox) -> str:
    (source,) = sandbox.announcement()["chains"].values()
    url: str = source["url"]
    return url


async def test_a_connection_begins_with_whole_states_and_goes_on_with_the_next_block() -> None:
    async with open_sandbox(SandboxSettings(speed=40.0)) as sandbox:
        told = Told()
        async with streaming(url_of(sandbox), told) as stream:
            await told.until(Block, 3)

            assert stream.trouble == ""
    pools = [word for word in told.words if isinstance(word, PoolSnapshot)]
    blocks = [word for word in told.words if isinstance(word, Block)]
    assert told.words[: len(pools)] == pools
    assert len(pools) == 11
    assert {one.block for one in pools} == {blocks[0].number + blocks[0].undone - 1}
    for before, block in pairwise(blocks):
        assert block.undone or block.parent_hash == before.hash


@pytest.mark.parametrize(
    "word",
    [
        b"{",
        b'{"pools": 7}',
        b'{"block": {}}',
        b'{"gas": {"gwei": "-1"}}',
        b'{"gas": {"gwei": "NaN"}}',
        b'{"gas": {"gwei": "1", "data_leg_raw": 1.5}}',
    ],
)
async def test_what_cannot_be_ends_the_connection_and_the_chain_is_lost(word: bytes) -> None:
    async with serving(word) as url:
        told = Told()
        async with streaming(url, told) as stream:
            await told.until(Fault, 2)

            assert "its source says what cannot be" in stream.trouble
    assert set(told.words) == {Fault.BAD_JSON}


async def test_what_gas_costs_is_told_and_a_word_may_hold_nothing_else() -> None:
    price = GasPrice(gwei=Decimal("0.01"), data_fixed_raw=7, data_leg_raw=3, now_gwei=Decimal(2))
    async with serving(msgspec.json.encode(ChainWord(gas=price))) as url:
        told = Told()
        async with streaming(url, told):
            await told.until(GasPrice, 1)
    assert told.words[0] == price


async def test_with_a_connection_the_chain_is_lost_and_with_the_next_it_is_read_anew() -> None:
    async with serving(b'{"pools": []}') as url:
        told = Told()
        async with streaming(url, told):
            await told.until(Fault, 3)
    assert set(told.words) == {Fault.DISCONNECTED}


@asynccontextmanager
async def serving(word: bytes) -> AsyncIterator[str]:
    """A server that says one word to everybody and closes."""

    async def say(socket: ServerConnection) -> None:
        await socket.send(word.decode())

    async with serve(say, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"
