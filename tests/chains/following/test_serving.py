"""The stream of a chain on a Unix socket: whole states first, then each word, or the door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.client import unix_connect

from engine.chains.following.serving import ChainStream, serving
from engine.connectors.block_stream import BlockStream
from engine.domain.faults import Fault
from engine.pools.blocks import Block, ChainWord
from engine.pools.snapshots import PoolSnapshot
from tests.chains.following.made_up import CHAIN, MadeBlock
from tests.chains.following.test_machine import ONE, UNDO, Line
from tests.connectors.test_block_stream import Told

URL = f"ws://chains/chains/{CHAIN}"


class Served:
    """A line whose words are told on a socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = Line(pools=3)
        self.stream = ChainStream(self.line.machine, words_max=4)
        self.tell(self.line.words)

    def tell(self, words: list[ChainWord]) -> None:
        for word in words:
            self.stream.tell(word)

    def hear(self, block: MadeBlock) -> None:
        self.tell(self.line.hear(block))


@asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    one = Served(tmp_path / "chains.sock")
    async with serving(one.path, {CHAIN: one.stream}):
        yield one


@asynccontextmanager
async def streaming(one: Served, told: Told) -> AsyncIterator[None]:
    stream = BlockStream(URL, told, proxy=None, jitter=lambda: 0.0, socket_path=str(one.path))
    task = asyncio.create_task(stream.run())
    try:
        yield
    finally:
        task.cancel()


def of(told: Told, kind: type) -> list[object]:
    return [word for word in told.words if isinstance(word, kind)]


async def test_a_client_is_told_the_newest_block_all_pools_as_of_it_and_then_each_word(
    tmp_path: Path,
) -> None:
    told = Told()
    async with served(tmp_path) as one, streaming(one, told):
        await told.until(PoolSnapshot, 3)
        one.hear(one.line.mine(str(10**21)))
        one.hear(one.line.mine())
        await told.until(Block, 3)
        one.tell([ChainWord(removed=(ONE,))])
        await told.until(str, 1)

    kinds = [type(word) for word in told.words]
    assert kinds == [Block, *[PoolSnapshot] * 3, Block, Block, str]
    assert [word.number for word in told.words if isinstance(word, Block)] == [100, 101, 102]


async def test_a_client_that_has_not_heard_what_is_undone_begins_anew(tmp_path: Path) -> None:
    told = Told()
    async with served(tmp_path) as one:
        for _ in range(UNDO):
            one.hear(one.line.mine(str(10**21)))
        async with streaming(one, told):
            await told.until(PoolSnapshot, 3)
            one.hear(one.line.mine(on=one.line.chain.back(2)))
            await told.until(PoolSnapshot, 6)

    assert of(told, Fault) == [Fault.DISCONNECTED]
    blocks = [word for word in told.words if isinstance(word, Block)]
    assert [(block.number, block.undone) for block in blocks] == [(104, 0), (103, 0)]
    assert one.stream.disconnected == 1


async def test_blocks_that_were_undone_are_none_that_a_client_could_undo_again(
    tmp_path: Path,
) -> None:
    told = Told()
    async with served(tmp_path) as one:
        for _ in range(UNDO):
            one.hear(one.line.mine(str(10**21)))
        async with streaming(one, told):
            await told.until(PoolSnapshot, 3)
            one.hear(one.line.mine())
            one.hear(one.line.mine(on=one.line.chain.back(1)))
            await told.until(Block, 3)
            one.hear(one.line.mine(on=one.line.chain.back(2)))
            await told.until(PoolSnapshot, 6)

    assert of(told, Fault) == [Fault.DISCONNECTED]
    blocks = [word for word in told.words if isinstance(word, Block)]
    assert [block.undone for block in blocks] == [0, 0, 1, 0]


async def test_a_client_that_does_not_keep_up_is_disconnected_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    told = Told()
    async with (
        served(tmp_path) as one,
        unix_connect(str(one.path), URL, max_queue=1, close_timeout=0.1) as slow,
    ):
        await slow.recv()
        async with streaming(one, told):
            await told.until(PoolSnapshot, 3)
            big = ChainWord(removed=(ONE,) * 20_000)
            for count in range(1, 20):
                one.stream.tell(big)
                await told.until(str, 20_000 * count)
                if one.stream.disconnected:
                    break

            assert one.stream.disconnected == 1
            assert one.stream.client_count == 1
            assert not of(told, Fault)


async def test_an_unknown_chain_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as one, unix_connect(str(one.path), "ws://chains/chains/no") as it:
        await it.wait_closed()

        assert it.close_reason == "no such chain"
