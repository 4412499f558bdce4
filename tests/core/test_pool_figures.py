"""What is shared of a pool beside its price: reserves of every form, and ticks where it has any."""

from decimal import Decimal
from fractions import Fraction

import pytest

from engine.core.pool_figures import figures_of
from engine.kernels.matrix_layout import NO_TICK
from engine.pools.concentrated import ConcentratedState
from engine.pools.marginal_price import marginal_price
from engine.pools.snapshots import PoolSnapshot, state_of
from engine.pools.whirlpool import WhirlpoolState
from engine.sandbox.lineup import load_start_prices
from engine.sandbox.pools import load_pools
from tests.detect.test_live_pools import ETH, USDT, pair_of

POOLS = load_pools(load_start_prices())


def name(snapshot: PoolSnapshot) -> str:
    return str(snapshot.pool.protocol)


def test_a_pair_s_reserves_are_told_whole_and_by_asset() -> None:
    pool = pair_of(1_000.5, 2_000_000.25)
    figures = figures_of(pool.pool, state_of(pool))

    assert figures.reserves == (1_000.5, 2_000_000.25)
    assert figures.of(pool.pool, USDT, ETH) == (2_000_000.25, 1_000.5)
    assert figures.tick == NO_TICK


@pytest.mark.parametrize("snapshot", POOLS, ids=name)
def test_every_form_has_reserves_and_those_with_ranges_a_tick(snapshot: PoolSnapshot) -> None:
    state = state_of(snapshot)

    figures = figures_of(snapshot.pool, state)

    assert len(figures.reserves) == len(snapshot.pool.tokens)
    assert all(amount > 0 for amount in figures.reserves)
    if isinstance(state, (ConcentratedState, WhirlpoolState)):
        assert figures.tick == state.tick
        # a pair with these reserves has the price and the depth of the pool
        (_, first), (_, second) = snapshot.pool.tokens
        price = marginal_price(state, token_in=0, token_out=1) * Fraction(10**first, 10**second)
        assert figures.reserves[1] / figures.reserves[0] == pytest.approx(float(price), rel=1e-12)
        product = Decimal(figures.reserves[0]) * Decimal(figures.reserves[1])
        depth_raw = product.sqrt() * Decimal(10**first * 10**second).sqrt()
        assert float(depth_raw) == pytest.approx(state.liquidity, rel=1e-9)
    else:
        assert figures.tick == NO_TICK
