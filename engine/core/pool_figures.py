"""What a pool holds and where its price stands, as floats for who looks on from elsewhere."""

from typing import NamedTuple

from engine.domain.assets import AssetCode
from engine.domain.pools import Pool
from engine.kernels.matrix_layout import NO_TICK
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState
from engine.pools.solidly import SolidlyState
from engine.pools.tick_math import Q96
from engine.pools.whirlpool import WhirlpoolState

_Q64 = 1 << 64


class PoolFigures(NamedTuple):
    """Reserves in whole units, by the pool's order of tokens; NO_TICK where there are no ticks."""

    reserves: tuple[float, ...]
    tick: int

    def of(self, pool: Pool, base: AssetCode, quote: AssetCode) -> tuple[float, float]:
        """Return the reserves of two of the pool's assets."""
        return self.reserves[pool.token_index(base)], self.reserves[pool.token_index(quote)]


def figures_of(pool: Pool, state: PoolState) -> PoolFigures:
    """Return a pool's figures.

    Liquidity in a range of ticks is told as the reserves of a pair that is as deep at this price.
    """
    tick = NO_TICK
    match state:
        case ConstantProductState():
            raw: tuple[float, ...] = (state.reserve0_raw, state.reserve1_raw)
        case ConcentratedState():
            raw, tick = _virtual(state.liquidity, state.sqrt_price_x96, Q96), state.tick
        case WhirlpoolState():
            raw, tick = _virtual(state.liquidity, state.sqrt_price_x64, _Q64), state.tick
        case SolidlyState():
            raw = state.reserves_raw
        case _:
            raw = state.balances_raw
    amounts = [amount / 10**unit for amount, (_, unit) in zip(raw, pool.tokens, strict=True)]
    return PoolFigures(tuple(amounts), tick)


def _virtual(liquidity: int, sqrt_price: int, one: int) -> tuple[float, float]:
    ratio = sqrt_price / one
    return liquidity / ratio, liquidity * ratio
