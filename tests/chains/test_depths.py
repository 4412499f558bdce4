"""How deep pools are: what a swap of the crowd's does to their prices, on the real contracts."""

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations
from statistics import median

import pytest

from engine.chains.pending.whales import Whale, WhaleTerms
from engine.domain.chains import CHAINS
from engine.domain.pools import Protocol
from engine.sandbox.world.crowd import PEGGED_SHARE, WHALE_HELD_MAX, WHALE_IMPACT, Crowd
from engine.sandbox.world.states import Standing, Swap, standings
from engine.sandbox.world.values import WorldPool
from engine.wiring.chain_pending import ChainPending
from tests.chains.following.node import following, pools_of
from tests.chains.following.test_real_node import access_to
from tests.chains.local_world import LocalWorld
from tests.chains.test_local_world import said

KINDS = (
    Protocol.UNISWAP_V2,
    Protocol.UNISWAP_V3,
    Protocol.UNISWAP_V4,
    Protocol.BALANCER_WEIGHTED,
    Protocol.BALANCER_STABLE,
)
DOLLARS = ("USDC", "USDT", "DAI")


@pytest.fixture
def fresh(world: LocalWorld) -> Iterator[LocalWorld]:
    before = world.snapshot()
    yield world
    world.revert(before)


def at(local: LocalWorld, pool: WorldPool) -> Standing:
    (standing,) = standings(local.rpc, local.made, [pool])
    return standing


def usd(local: LocalWorld) -> dict[str, float]:
    """Return about what each token is worth, as the world was built."""
    worth = {one.address: 1.0 if one.symbol in DOLLARS else 61_838.0 for one in local.made.tokens}
    return worth | {local.made.coin.address: 2_685.5, local.made.contracts["wrapped"]: 2_685.5}


def trade(local: LocalWorld, swap: Swap | None) -> Swap:
    assert swap is not None
    trader = local.trader()
    trader.swap(*swap)
    trader.hands.flush()
    return swap


def impact(before: Standing, after: Standing, swap: Swap) -> float:
    """Return by how much what was bought is dearer in what was sold."""
    prices = [one.price(swap.token_out, swap.token_in) for one in (before, after)]
    return prices[1] / prices[0] - 1.0


def test_each_kind_of_pool_that_the_world_has_is_known(world: LocalWorld) -> None:
    assert {pool.protocol for pool in world.made.pools} == set(KINDS)
    assert len(standings(world.rpc, world.made, world.made.pools)) == len(world.made.pools)


def test_a_pool_takes_its_tokens_to_be_worth_what_its_makers_quote(world: LocalWorld) -> None:
    decimals = {one.address: one.decimals for one in (*world.made.tokens, world.made.coin)}
    worth = usd(world)
    for pool in world.made.pools:
        for token_in, token_out in permutations(pool.tokens, 2):
            raw = int(20.0 / worth[token_in] * 10 ** decimals[token_in])
            quoted = said(world, pool, token_in, token_out, raw) / raw
            price = at(world, pool).price(token_in, token_out) * (1.0 - pool.fee_pips / 1_000_000)
            assert quoted == pytest.approx(price, rel=2e-4), pool


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wanted", [0.0003, 0.003, 0.015])
def test_a_swap_moves_a_pool_by_as_much_as_is_wanted(
    fresh: LocalWorld, kind: Protocol, wanted: float
) -> None:
    for pool in fresh.made.pools:
        for token_in, token_out in permutations(range(len(pool.tokens)), 2):
            if pool.protocol is not kind:
                continue
            before = at(fresh, pool)
            swap = trade(fresh, before.moved(token_in, token_out, 1.0 / (1.0 + wanted)))
            assert impact(before, at(fresh, pool), swap) == pytest.approx(wanted, rel=0.02), pool


def test_followers_bring_a_pool_of_any_kind_to_what_its_tokens_are_worth(fresh: LocalWorld) -> None:
    crowd, worth = Crowd(fresh.made, seed=3), usd(fresh)
    for pool in fresh.made.pools:
        moved = 0.0005 if pool.protocol is Protocol.BALANCER_STABLE else 0.02
        trade(fresh, at(fresh, pool).moved(0, 1, 1.0 / (1.0 + moved)))
    for _ in pool.tokens:
        for swap in crowd.followers(worth, standings(fresh.rpc, fresh.made, fresh.made.pools)):
            trade(fresh, swap)

    decimals = {one.address: one.decimals for one in (*fresh.made.tokens, fresh.made.coin)}
    for one in standings(fresh.rpc, fresh.made, fresh.made.pools):
        first, *others = one.pool.tokens
        for other in others:
            price = one.price(first, other) * 10.0 ** (decimals[first] - decimals[other])
            within = 2.0 * one.pool.fee_pips / 1_000_000
            assert price == pytest.approx(worth[first] / worth[other], rel=within), one.pool


def test_whales_are_as_large_as_their_pool_is_deep(world: LocalWorld) -> None:
    crowd, worth = Crowd(world.made, seed=3), usd(world)
    for standing in standings(world.rpc, world.made, world.made.pools):
        for _ in range(20):
            swap = crowd.whale(standing, worth)
            assert swap is not None
            tokens = standing.pool.tokens
            token_in, token_out = tokens.index(swap.token_in), tokens.index(swap.token_out)
            is_pegged = worth[swap.token_in] == worth[swap.token_out]
            least, most = (one * (PEGGED_SHARE if is_pegged else 1.0) for one in WHALE_IMPACT)
            held = standing.depth.held_raw[token_in]
            amounts = [
                standing.depth.amount_raw(token_in, token_out, 1.0 / (1.0 + one))
                for one in (least, most)
            ]
            assert min(amounts[0], WHALE_HELD_MAX * held) <= swap.amount_raw + 1
            assert swap.amount_raw <= min(amounts[1], WHALE_HELD_MAX * held)


def test_a_flow_leaves_the_coin_on_one_side_of_the_books_at_all_of_its_pools(
    fresh: LocalWorld,
) -> None:
    made, worth = fresh.made, usd(fresh)
    coins = {made.coin.address, made.contracts["wrapped"]}
    pools = [one for one in made.pools if coins.intersection(one.tokens)]
    swaps = Crowd(made, seed=3).whales(standings(fresh.rpc, made, pools), worth)

    trader = fresh.trader(3)
    for swap in swaps:
        trader.swap(*swap)
    trader.hands.flush()

    assert len(pools) > 2
    decimals = {one.address: one.decimals for one in (*made.tokens, made.coin)}
    prices = []
    for one in standings(fresh.rpc, made, pools):
        (coin,) = coins.intersection(one.pool.tokens)
        other = next(token for token in one.pool.tokens if token != coin)
        due = worth[coin] / worth[other] * 10.0 ** (decimals[other] - decimals[coin])
        prices.append(one.price(coin, other) / due)
    # Where a range of liquidity ends less is left of it than was meant.
    assert max(prices) < 1.0 - WHALE_IMPACT[0] / 2 or min(prices) > 1.0 + WHALE_IMPACT[0] / 2
    assert WHALE_IMPACT[0] * 0.9 < abs(median(prices) - 1.0) < WHALE_IMPACT[1] * 1.1


def test_no_whale_sells_more_than_a_share_of_a_pool_that_hardly_moves(world: LocalWorld) -> None:
    (stable,) = world.made.pools_of("Balancer V2, stable")
    standing = at(world, stable)
    asked = standing.depth.amount_raw(0, 1, 1.0 / (1.0 + WHALE_IMPACT[0]))
    assert asked > WHALE_HELD_MAX * standing.depth.held_raw[0]

    swap = standing.moved(0, 1, 1.0 / (1.0 + WHALE_IMPACT[0]), share_max=WHALE_HELD_MAX)
    assert swap is not None
    assert swap.amount_raw == int(WHALE_HELD_MAX * standing.depth.held_raw[0])


async def test_the_crowds_whales_are_told_with_the_impact_that_they_were_given(
    fresh: LocalWorld,
) -> None:
    told: list[Whale] = []
    given: dict[str, float] = {}
    crowd, worth = Crowd(fresh.made, seed=3), usd(fresh)
    async with following([access_to(fresh)], pools_of(fresh.made, "ethereum")) as followed:
        pending = ChainPending(
            followed.machine,
            facts=CHAINS["ethereum"],
            routers=(),
            dexes=fresh.made.dexes,
            terms=WhaleTerms(told_max=1_000),
            on_whale=told.append,
            now_ns=lambda: 1,
            hears_pending=False,
        )
        watching = asyncio.create_task(pending.run(followed.node))
        head = await asyncio.to_thread(fresh.head)
        await followed.until_at(head["hash"])
        for standing in standings(fresh.rpc, fresh.made, fresh.made.pools):
            swap = await asyncio.to_thread(trade, fresh, crowd.whale(standing, worth))
            after = await asyncio.to_thread(at, fresh, standing.pool)
            given[standing.pool.balancer_id or standing.pool.address] = impact(
                standing, after, swap
            )
        head = await asyncio.to_thread(fresh.head)
        await followed.until_at(head["hash"])
        watch = pending.watch
        assert watch is not None
        await followed.until(lambda: watch.looked_at == head["hash"])
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    impacts = {whale.pool.address: whale.impact_ratio for whale in told}
    assert impacts.keys() >= {pool for pool, ratio in given.items() if ratio >= 0.005}
    assert len([ratio for ratio in impacts.values() if ratio >= Fraction(5, 1_000)]) > 5
    for pool, ratio in impacts.items():
        assert float(ratio) == pytest.approx(given[pool], rel=1e-6, abs=1e-9)
