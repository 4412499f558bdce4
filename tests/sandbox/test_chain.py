"""The made-up chain: what its blocks say is what its pools are, whoever follows them."""

import asyncio
import math
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from engine.connectors.block_stream import BlockStream
from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.chains import BlockTerms
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.pools import Pool
from engine.pools.blocks import Block
from engine.pools.moves import PairMove, PositionMove, PriceMove
from engine.pools.snapshots import PoolSnapshot
from engine.sandbox.chain import MadeUpChain, with_grosses
from engine.sandbox.chain_door import ChainDoor
from engine.sandbox.lineup import load_start_prices
from engine.sandbox.pools import load_pools
from tests.connectors.test_block_stream import Told
from tests.detect.test_pool_moves import check_same
from tests.reference.world import Setup, World, make_instrument

USD = {"ETH": 2_685.5, "WBTC": 61_838.0}


@dataclass
class Books:
    """Where the books stand: at the start prices, times a ratio."""

    ratio: float = 1.0

    def price_of(self, pool: Pool) -> float | None:
        if not set(pool.assets) & USD.keys():
            return None
        price = USD.get(pool.assets[0], 1.0) / USD.get(pool.assets[1], 1.0)
        return price * self.ratio if pool.assets[0] in USD else price / self.ratio


def make_chain(seed: int = 3, books: Books | None = None) -> MadeUpChain:
    pools = [one for one in load_pools(load_start_prices()) if len(one.pool.tokens) == 2]
    return MadeUpChain(pools, seed=seed, number=50, price_of=(books or Books()).price_of)


def follow(chain: MadeUpChain, blocks: int) -> tuple[World, list[Block]]:
    """A world that follows the chain from now on."""
    world = World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDT")],
            pools=chain.snapshots(),
            chains={chain.name: BlockTerms(stale_ms=10_000, undo_blocks=8)},
        )
    )
    made = []
    for number in range(blocks):
        made.append(chain.next(number))
        world.take(made[-1])
        world.wait(2_000)
    return world, made


@pytest.mark.parametrize("seed", range(3))
def test_who_follows_the_blocks_has_the_pools_as_the_chain_has_them(seed: int) -> None:
    chain = make_chain(seed)

    world, blocks = follow(chain, 150)

    assert not world.moving.faults
    assert any(block.undone for block in blocks)
    moves = {type(of.move) for one in blocks for of in one.changes if hasattr(of, "move")}
    assert moves == {PairMove, PriceMove, PositionMove}
    for number, wanted in enumerate(chain.snapshots()):
        held = world.graph.pool(number)
        check_same(held, prepare_pool(replace(wanted, block=held.block)))


def test_the_same_seed_makes_the_same_blocks_and_another_one_others() -> None:
    def blocks(seed: int) -> list[Block]:
        chain = make_chain(seed)
        return [chain.next(number) for number in range(20)]

    assert blocks(1) == blocks(1)
    assert blocks(1) != blocks(2)


def test_pools_follow_the_books() -> None:
    books = Books()
    chain = make_chain(books=books)
    books.ratio = 1.05
    world, _ = follow(chain, 30)

    for prepared in world.graph.pools.values():
        rates = {(one.source, one.target): one.log_rate for one in prepared.sides}
        (token0, token1), fee = prepared.pool.assets, float(prepared.pool.fee_ratio)
        wanted = books.price_of(prepared.pool)
        assert wanted is None or abs(rates[token0, token1] - math.log(wanted * (1 - fee))) < 0.02


def test_pools_of_two_chains_are_no_chain() -> None:
    pools = load_pools(load_start_prices())[:2]
    other = replace(pools[1], pool=_at(pools[1], "base"))

    with pytest.raises(BadValueError, match="of one chain, not of 2"):
        MadeUpChain([pools[0], other], seed=1, number=1, price_of=Books().price_of)


def _at(snapshot: PoolSnapshot, chain: str) -> Pool:
    of = snapshot.pool
    return Pool(
        chain=chain,
        protocol=of.protocol,
        address=of.address,
        tokens=of.tokens,
        fee_ratio=of.fee_ratio,
        gas_units=of.gas_units,
    )


def test_ticks_get_the_least_gross_liquidity_that_can_be() -> None:
    for snapshot in load_pools(load_start_prices()):
        prepare_pool(with_grosses(snapshot))


async def test_a_client_that_has_not_heard_what_is_undone_begins_anew() -> None:
    """Else its pools would be lost to it for good: nobody but the door has whole states."""
    pools = [one for one in load_pools(load_start_prices()) if len(one.pool.tokens) == 2]
    chain = MadeUpChain(
        pools, seed=3, number=50, price_of=Books().price_of, reorganisation_chance=1.0
    )
    door, told = ChainDoor(chain, block_s=1.0), Told()
    application = web.Application()
    door.add_route(application)
    for _ in range(5):
        chain.next(0)
    async with TestServer(application) as server:
        stream = BlockStream(
            str(server.make_url(door.path).with_scheme("ws")), told, proxy=None, jitter=lambda: 0.0
        )
        listening = asyncio.create_task(stream.run())
        await told.until(PoolSnapshot, len(pools))
        while door.client_count:
            door.step(0)
            await asyncio.sleep(0)
        await told.until(Fault, 1)
        blocks = [word for word in told.words if isinstance(word, Block)]
        await told.until(PoolSnapshot, 2 * len(pools))
        listening.cancel()
        await asyncio.wait([listening])

    heard = 0
    for block in blocks:
        assert block.undone <= heard
        heard += 1 - block.undone
