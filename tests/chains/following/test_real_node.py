"""On a real node with real contracts: the pools are as the node reads them, whatever it does."""

import asyncio
import random
from collections.abc import Mapping

import pytest

from engine.chains.following.counts import Count
from engine.chains.ports import BlockRef, PoolNow
from engine.chains.rpc.addresses import Access
from engine.domain.pools import Protocol
from tests.chains.following.node import Followed, following, pools_of
from tests.chains.local_world import LocalWorld


def access_to(world: LocalWorld) -> Access:
    return Access(name="local", http_url=world.world.http_url, socket_url=world.world.ws_url)


def trade(world: LocalWorld, rng: random.Random, count: int) -> None:
    """Swap in pools at random; each is a block, if the node makes one of each transaction."""
    trader = world.trader(rng.randrange(1, 3))
    pools = [one for one in world.made.pools if one.protocol is not Protocol.UNISWAP_V4]
    for _ in range(count):
        pool = rng.choice(pools)
        token = rng.choice(pool.tokens)
        known = next(one for one in world.made.tokens if one.address == token)
        usd = {"USDC": 1, "USDT": 1, "DAI": 1}.get(known.symbol, 3_000)
        trader.swap(pool, token, int(rng.uniform(10, 5_000) / usd * 10**known.decimals))
    trader.hands.flush()


async def settled(world: LocalWorld, followed: Followed) -> list[str]:
    head = await asyncio.to_thread(world.head)
    await followed.until_at(head["hash"])
    return await followed.differing()


async def test_a_follower_that_ends_while_others_restore_its_pools_ends_them_in_order(
    world: LocalWorld,
) -> None:
    pools, is_asked = pools_of(world.made, "ethereum"), asyncio.Event()

    async def known_at(_: BlockRef) -> Mapping[str, PoolNow]:
        is_asked.set()
        await asyncio.Event().wait()
        return {}

    async with following([access_to(world)], []) as followed:
        await settled(world, followed)
        restoring = asyncio.create_task(followed.follower.restore(pools, known_at))
        await is_asked.wait()
    restoring.cancel()

    with pytest.raises(asyncio.CancelledError):
        await restoring


async def test_pools_are_as_the_node_has_them_after_trades_positions_and_reorganisations(
    world: LocalWorld,
) -> None:
    rng = random.Random(5)
    pools = pools_of(world.made, "ethereum")
    async with following([access_to(world)], pools) as followed:
        assert not await settled(world, followed)
        assert len(followed.machine.pools.of) == len(pools) > 5
        await asyncio.to_thread(world.mine, 20)  # the node takes back none that it began with
        await asyncio.to_thread(trade, world, rng, 12)
        assert not await settled(world, followed)
        for depth in (1, 3, 8):
            await asyncio.to_thread(world.reorg, depth)
            assert not await settled(world, followed)
            await asyncio.to_thread(trade, world, rng, 5)
            assert not await settled(world, followed)

        machine = followed.machine
    assert machine.counts[Count.REORGANISATIONS] >= 3
    assert machine.deepest == 8
    assert machine.counts[Count.MOVES] > 10
    assert not machine.counts[Count.LIES] + machine.counts[Count.DIVERGED]
