"""Constant product and concentrated pools: exact answers and screening.

`python -m benchmarks.pools_concentrated`. The V3 pool is the recorded WBTC/WETH
one of Ethereum block 24407242.
"""

import functools
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from benchmarks.harness import Row, measure, print_table
from engine.kernels import concentrated
from engine.kernels.sizing_layout import PIECE_COLUMNS
from engine.pools import constant_product as pairs
from engine.pools.concentrated import ConcentratedState, amount_out, swap_exact_in
from engine.pools.constant_product import ConstantProductState
from tests.pools.uniswap_states import load, make_state, pack_concentrated

CALLS = 5_000
SLOW_CALLS = 1_500
PIECES = 33
STEP_AMOUNTS_RAW = {1: 10**6, 4: 10**9, 31: 10**10}
"""Steps of the walk -> WBTC sold."""


def _pairs() -> tuple[ConstantProductState, ConstantProductState]:
    first = ConstantProductState.of(
        reserve0_raw=16_231_137_593,
        reserve1_raw=2_571_336_301_536_722_443_178,
        fee0=Fraction(3, 1000),
    )
    second = ConstantProductState.of(
        reserve0_raw=15_000_000_001,
        reserve1_raw=2_400_000_000_000_000_000_017,
        fee0=Fraction(1, 400),
    )
    return first, second


def _pool() -> ConcentratedState:
    recorded = load("degenbot/uniswap_v3_wbtc_weth_24407242.json.xz")
    rows = recorded["tick_data"].items()
    return make_state(recorded["scalars"], ((int(tick), row[1]) for tick, row in rows))


def _repeat(name: str, call: Callable[[], object], calls: int = CALLS) -> Row:
    return measure(name, [call] * calls)


def measure_pairs() -> list[Row]:
    first, second = _pairs()

    def by_integers() -> int:
        middle = pairs.amount_out(first, 10**7, token_in=0)
        return pairs.amount_out(second, middle, token_in=1)

    one = functools.partial(pairs.amount_out, first, 10**7, token_in=0)
    return [
        _repeat("pools.exact.v2.python", one),
        _repeat("pools.exact.v2x2.python", by_integers),
    ]


def measure_swaps() -> list[Row]:
    state = _pool()
    rows = []
    for steps, amount_raw in STEP_AMOUNTS_RAW.items():
        assert swap_exact_in(state, amount_raw, token_in=0).step_count == steps
        exact = functools.partial(amount_out, state, amount_raw, token_in=0)
        rows.append(_repeat(f"pools.exact.v3.{steps}_steps.python", exact, SLOW_CALLS))
    return rows


def measure_three_swaps() -> list[Row]:
    state = _pool()

    def by_integers() -> int:
        amount_raw = 10**9
        for token_in in (0, 1, 0):
            amount_raw = amount_out(state, amount_raw, token_in=token_in)
        return amount_raw

    return [_repeat("pools.exact.v3x3.python", by_integers, SLOW_CALLS)]


def measure_screening() -> list[Row]:
    packed = pack_concentrated(_pool())
    pieces = np.zeros((PIECES, PIECE_COLUMNS))
    fill = functools.partial(
        concentrated.fill_side, packed.pool, packed.ticks, 0, 1e8, 1e18, pieces
    )
    return [_repeat(f"pools.float.v3.fill_{PIECES - 1}_pieces", fill)]


def measure_all() -> list[Row]:
    """Run every measure of these pools."""
    return [*measure_pairs(), *measure_swaps(), *measure_three_swaps(), *measure_screening()]


if __name__ == "__main__":
    print_table(measure_all())
