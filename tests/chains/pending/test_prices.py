"""Rough prices from pools: of the deepest one, in two rounds, never of what no pool prices."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from engine.chains.pending.prices import LivePool, RoughPrices, rough_prices
from engine.domain.assets import AssetCode
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.tick_math import TICK_MAX, TICK_MIN, sqrt_ratio_at_tick
from engine.pools.tick_table import TickTable
from tests.chains.families.logs import make_pool

USDC, WETH, PEPE = AssetCode("USDC"), AssetCode("ETH"), AssetCode("PEPE")


def pair(one: tuple[AssetCode, int, int], other: tuple[AssetCode, int, int]) -> LivePool:
    """Make a pair of two assets, each with its decimals and what the pair holds of it, whole."""
    pool = replace(make_pool(), tokens=((one[0], one[1]), (other[0], other[1])), token_addresses=())
    state = ConstantProductState.of(
        reserve0_raw=one[2] * 10 ** one[1],
        reserve1_raw=other[2] * 10 ** other[1],
        fee0=Fraction(3, 1_000),
    )
    return pool, state


def test_the_deepest_pool_says_the_price() -> None:
    shallow = pair((USDC, 6, 1_000), (WETH, 18, 1))
    deep = pair((WETH, 18, 100), (USDC, 6, 200_000))

    assert rough_prices([deep, shallow])[WETH] == rough_prices([shallow, deep])[WETH] == 2_000


def test_what_no_pool_has_against_dollars_is_priced_by_what_one_has() -> None:
    pools = [pair((PEPE, 4, 1_000), (WETH, 18, 2)), pair((USDC, 6, 5_000), (WETH, 18, 2))]

    prices = rough_prices(pools)

    assert prices[PEPE] == 5
    assert RoughPrices(lambda: pools, lambda: 0).usd_of(PEPE, Decimal(3)) == 15


def test_a_concentrated_pool_prices_either_token() -> None:
    table = TickTable.of(
        tick_spacing=1, ticks=(TICK_MIN, TICK_MAX), liquidity_nets=(10**20, -(10**20))
    )
    state = ConcentratedState(
        sqrt_price_x96=sqrt_ratio_at_tick(0), tick=0, liquidity=10**20, fee_pips=500, table=table
    )
    for tokens in (((USDC, 6), (PEPE, 4)), ((PEPE, 4), (USDC, 6))):
        pool = replace(make_pool(), tokens=tokens, token_addresses=())

        assert rough_prices([(pool, state)])[PEPE] == Decimal("0.01")


def test_nobody_knows_the_price_of_what_no_pool_holds() -> None:
    assert RoughPrices(list, lambda: 0).usd_of(PEPE, Decimal(1)) is None
