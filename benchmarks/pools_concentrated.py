"""Constant product and concentrated pools: exact answers and screening.

`python -m benchmarks.pools_concentrated`. Every call goes from a Python integer to one, so that
the way into and out of limbs is part of the figure. The V3 pool is the recorded WBTC/WETH
one of Ethereum block 24407242.
"""

import functools
import json
import sys
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from benchmarks.core_harness import Row, measure
from engine.kernels import concentrated, concentrated_exact, constant_product
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools import constant_product as pairs
from engine.pools.concentrated import ConcentratedState, amount_out, swap_exact_in
from engine.pools.constant_product import ConstantProductState
from tests.pools.uniswap_states import load, make_state, pack_concentrated, pack_pair

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
    pools = np.vstack([pack_pair(first), pack_pair(second)])
    hops = np.array([[0, 0], [1, 1]])
    amounts = np.zeros((3, 4), np.uint64)

    def by_integers() -> int:
        middle = pairs.amount_out(first, 10**7, token_in=0)
        return pairs.amount_out(second, middle, token_in=1)

    def by_kernel(count: int, path: np.ndarray) -> int:
        amounts[0] = to_limbs(10**7)
        assert constant_product.confirm_path(pools, path, amounts) == count
        return from_limbs(amounts[count])

    assert by_integers() == by_kernel(2, hops)
    one = functools.partial(pairs.amount_out, first, 10**7, token_in=0)
    return [
        _repeat("pools.exact.v2.python", one),
        _repeat("pools.exact.v2.numba", functools.partial(by_kernel, 1, hops[:1].copy())),
        _repeat("pools.exact.v2x2.python", by_integers),
        _repeat("pools.exact.v2x2.numba", functools.partial(by_kernel, 2, hops)),
    ]


def measure_swaps() -> list[Row]:
    state = _pool()
    packed = pack_concentrated(state)
    pools = packed.pool.reshape(1, -1)
    hops = np.array([[0, 0]])
    amounts = np.zeros((2, 4), np.uint64)

    def by_kernel(amount_raw: int) -> int:
        amounts[0] = to_limbs(amount_raw)
        assert concentrated_exact.confirm_path(pools, packed.ticks, hops, amounts) == 1
        return from_limbs(amounts[1])

    rows = []
    for steps, amount_raw in STEP_AMOUNTS_RAW.items():
        found = swap_exact_in(state, amount_raw, token_in=0)
        assert (found.step_count, found.amount_out_raw) == (steps, by_kernel(amount_raw))
        exact = functools.partial(amount_out, state, amount_raw, token_in=0)
        kernel = functools.partial(by_kernel, amount_raw)
        rows.append(_repeat(f"pools.exact.v3.{steps}_steps.python", exact, SLOW_CALLS))
        rows.append(_repeat(f"pools.exact.v3.{steps}_steps.numba", kernel))
    return rows


def measure_three_swaps() -> list[Row]:
    state = _pool()
    packed = pack_concentrated(state)
    pools = packed.pool.reshape(1, -1)
    hops = np.array([[0, 0], [0, 1], [0, 0]])
    amounts = np.zeros((4, 4), np.uint64)

    def by_integers() -> int:
        amount_raw = 10**9
        for token_in in (0, 1, 0):
            amount_raw = amount_out(state, amount_raw, token_in=token_in)
        return amount_raw

    def by_kernel() -> int:
        amounts[0] = to_limbs(10**9)
        assert concentrated_exact.confirm_path(pools, packed.ticks, hops, amounts) == 3
        return from_limbs(amounts[3])

    assert by_integers() == by_kernel()
    return [
        _repeat("pools.exact.v3x3.python", by_integers, SLOW_CALLS),
        _repeat("pools.exact.v3x3.numba", by_kernel),
    ]


def measure_screening() -> list[Row]:
    packed = pack_concentrated(_pool())
    pieces = np.zeros((PIECES, concentrated.PIECE_COLUMNS))
    count = concentrated.fill_pieces(packed.pool, packed.ticks, 0, pieces)
    inputs = np.geomspace(1e3, pieces[count - 1, concentrated.CIN], 1000)
    out = np.zeros(1000)
    fill = functools.partial(concentrated.fill_pieces, packed.pool, packed.ticks, 0, pieces)
    quote = functools.partial(concentrated.quote_pieces, pieces, 0, count, inputs, out)
    return [
        _repeat(f"pools.float.v3.fill_{PIECES - 1}_pieces", fill),
        _repeat("pools.float.v3.quote_1000_amounts", quote),
    ]


def measure_all() -> list[Row]:
    """Run every measure of these pools; the integrator's runner calls this."""
    return [*measure_pairs(), *measure_swaps(), *measure_three_swaps(), *measure_screening()]


if __name__ == "__main__":
    json.dump(measure_all(), sys.stdout, indent=1)
