"""Gas in the role `chains`: read from a real node, told to the engine, also to who comes later."""

import asyncio
from decimal import Decimal
from pathlib import Path

from engine.domain.gas import GasPrice
from engine.pools.blocks import Block
from engine.pools.snapshots import PoolSnapshot
from engine.wiring.chain_nodes import chains_of
from engine.wiring.run_set_up import _assumed_gas
from tests.chains.following.role import SETTINGS, announced, chains_role, engine_side
from tests.chains.following.test_serving import served, streaming
from tests.chains.local_world import LocalWorld
from tests.connectors.test_block_stream import Told

ONE = GasPrice(gwei=Decimal(1), data_leg_raw=7)
OTHER = GasPrice(gwei=Decimal(2))


async def test_what_a_real_node_s_gas_costs_reaches_the_engine(
    world: LocalWorld, tmp_path: Path
) -> None:
    paths = announced(tmp_path / "var", world)
    async with chains_role(paths), engine_side(paths) as told:
        await told.until(GasPrice, 1)
    await asyncio.to_thread(world.mine)

    price = next(word for word in told.words if isinstance(word, GasPrice))
    base_fee_wei = int((await asyncio.to_thread(world.head))["baseFeePerGas"], 16)
    assert price.gwei * 10**9 >= base_fee_wei > 0
    assert price.now_gwei is not None
    assert price.data_raw(2) == 0


async def test_who_comes_later_is_told_the_newest_price_after_the_pools(tmp_path: Path) -> None:
    first, second = Told(), Told()
    async with served(tmp_path) as one:
        one.stream.price_gas(ONE)
        async with streaming(one, first):
            await first.until(GasPrice, 1)
            one.stream.price_gas(OTHER)
            await first.until(GasPrice, 2)
        async with streaming(one, second):
            await second.until(GasPrice, 1)

    assert [word for word in first.words if isinstance(word, GasPrice)] == [ONE, OTHER]
    assert [type(word) for word in second.words] == [Block, *[PoolSnapshot] * 3, GasPrice]
    assert second.words[-1] == OTHER


def test_where_a_chain_tells_no_price_is_assumed_before(world: LocalWorld, tmp_path: Path) -> None:
    sources = chains_of(SETTINGS, announced(tmp_path / "var", world))

    assert "ethereum" in _assumed_gas({})
    assert "ethereum" not in _assumed_gas(sources)
