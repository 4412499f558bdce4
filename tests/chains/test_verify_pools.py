"""`make verify-pools` says that pools are as the node has them only if they are."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random

import pytest

from engine.chains.ports import BlockRef, Call, Log, Reader
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound
from engine.tools.verify_local import ground_of, verify_worlds
from engine.tools.verify_pools import Found, table, verify
from tests.chains.local_world import LocalWorld

COUNT = 21


class Liar:
    """Answers as a reader, but for the calls of the last request, or without some events."""

    def __init__(self, reader: Reader, *, quotes_off: int = 0, drops_logs: bool = False) -> None:
        self._reader = reader
        self._quotes_off = quotes_off
        self._drops_logs = drops_logs

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        answers = await self._reader.call(calls, at)
        if len(calls) != COUNT:
            return answers
        return [one and one[:-32] + _plus(one[-32:], self._quotes_off) for one in answers]

    async def logs(
        self, first: int, last: int, *, topics: Sequence[bytes], addresses: Sequence[str] = ()
    ) -> list[Log]:
        logs = await self._reader.logs(first, last, topics=topics, addresses=addresses)
        return logs[: len(logs) // 2] if self._drops_logs else logs


def _plus(word: bytes, more: int) -> bytes:
    return (int.from_bytes(word) + more).to_bytes(32)


async def verified(
    world: LocalWorld, dexes: set[str], *, quotes_off: int = 0, drops_logs: bool = False
) -> Found:
    """Compare the pools of some DEXs while a swap goes through each, by a reader that lies."""
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(open_outbound(None))
        node = await stack.enter_async_context(
            open_pool([Access(name="one", http_url=world.world.http_url)], way)
        )
        ground = ground_of(world.world, ChainReader(node))
        pools = [one for one in ground.pools if ground.names[one.address] in dexes]
        weth = world.token("WETH")
        reader = Liar(ground.reader, quotes_off=quotes_off, drops_logs=drops_logs)

        def live() -> None:
            for pool in world.made.pools:
                if pool.dex in dexes and weth.address in pool.tokens:
                    world.swap(pool, weth.symbol, 0.01)

        return await verify(
            replace(ground, pools=pools, reader=reader),
            head=lambda: parse_block(world.head()),
            live=live,
            count=COUNT,
            random=Random(3),
        )


async def test_all_pools_of_a_local_chain_are_as_its_node_has_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await verify_worlds("base", count=COUNT, seed=3, say=print)
    assert "all as the node has it: 21 pools" in capsys.readouterr().out


async def test_a_quote_that_is_one_unit_off_is_told(world: LocalWorld) -> None:
    # Pairs' quotes end with the output, so that a unit can be added there.
    right = await verified(world, {"Uniswap V2"})
    wrong = await verified(world, {"Uniswap V2"}, quotes_off=1)

    assert right.is_good
    assert not wrong.is_good
    assert table("ethereum", wrong)[-1].startswith("DIFFERENT: ")


async def test_a_state_that_events_did_not_lead_to_is_told(world: LocalWorld) -> None:
    found = await verified(world, {"Uniswap V2", "Uniswap V3"}, drops_logs=True)

    assert any("by logs" in one for one in found.different)


async def test_where_nothing_was_compared_nothing_is_said_to_be_right(world: LocalWorld) -> None:
    found = await verified(world, set())

    assert not found.is_good
    assert table("ethereum", found)[-1] == "NOTHING was compared"
