"""Compares float kernels with exact ones, many amounts at a time, within the bound stated here.

A contract rounds against the trader at each step: at most two units more of the input (amount and
fee), one unit less of the output; and the last price is rounded to a multiple of 2**-96. So the
exact output is at most the real one, and short of it by no more than these units, valued at the
best price. For an exact output it is the other way round, and units are valued at the last price.
What is left for floats is a relative error of at most `RELATIVE_MAX`, of the amount found or, for
an input, of the output asked for: at the edge of liquidity the next unit may cost any amount.
"""
# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - a kernel's types are its numba signature
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import numpy as np
from numba import float64, int64, uint64

from engine.kernels.concentrated import COUT, float_in, float_out
from engine.kernels.concentrated_exact import (
    DONE,
    FEE_PIPS,
    REFUSED,
    SQRT_PRICE,
    exact_swap,
    furthest_limit,
)
from engine.kernels.constant_product import exact_in as pair_in
from engine.kernels.constant_product import exact_out as pair_out
from engine.kernels.constant_product import float_in as pair_float_in
from engine.kernels.constant_product import float_out as pair_float_out
from engine.kernels.jit import inlined, kernel
from engine.kernels.u256 import ZERO, is_zero, load, to_float

RELATIVE_MAX = 1e-12

# Columns of the result.
COMPARED = 0
REFUSED_COUNT = 1
OUTSIDE = 2
WORST_RATIO = 3  # of the error to the bound
FIRST_BAD = 4
SHARP = 5  # compared where the contract's rounding is below a millionth of the amount
RESULT_COLUMNS = 6

_Q96 = 2.0**96


@inlined
def _note(result, error, bound, i):
    result[COMPARED] += 1.0
    ratio = abs(error) / bound
    if not ratio <= result[WORST_RATIO]:
        result[WORST_RATIO] = ratio
    if not ratio <= 1.0:
        if result[OUTSIDE] == 0.0:
            result[FIRST_BAD] = i
        result[OUTSIDE] += 1.0


@inlined
def _one_ulp(liquidity, root, is_token0):
    """Amount of a token that moves the root of the price by 2**-96."""
    depth = np.float64(liquidity[1]) * 2.0**64 + np.float64(liquidity[0])
    return depth / _Q96 / root / root if is_token0 else depth / _Q96


_ROWS = uint64[:, ::1]
_PIECES = float64[:, ::1]


@kernel(int64(uint64[::1], _ROWS, _PIECES, int64, int64, _ROWS, float64[::1]))
def compare_pool(pool, ticks, pieces, piece_count, token_in, amounts, result):
    """Compare both directions of every amount; returns the steps of all exact swaps."""
    total = 0
    root = to_float((pool[SQRT_PRICE], pool[SQRT_PRICE + 1], pool[SQRT_PRICE + 2], ZERO)) / _Q96
    best = root * root if token_in == 0 else 1.0 / (root * root)
    keep = 1.0 - np.float64(pool[FEE_PIPS]) / 1e6
    is_0_out = token_in == 1
    for i in range(amounts.shape[0]):
        amount = load(amounts[i])
        wanted = to_float(amount)
        limit = furthest_limit(token_in)
        found = exact_swap(pool, ticks, token_in, True, amount, limit)
        outcome, got, after, depth, steps = found[0], found[2], found[3], found[4], found[6]
        total += steps
        if outcome == REFUSED:
            result[REFUSED_COUNT] += 1.0
        else:
            exact = to_float(got)
            slack = (2.0 * steps + 2.0) * best + steps + 1.0
            slack += 2.0 * _one_ulp(depth, to_float(after) / _Q96, is_0_out)
            result[SHARP] += 1.0 if slack < 1e-6 * exact else 0.0
            excess = float_out(pieces, 0, piece_count, wanted) - exact
            if excess > 0.0:
                excess = max(excess - slack, 0.0)
            _note(result, excess, RELATIVE_MAX * exact + 1e-300, i)
        if i % 16 != 0 and not is_zero(found[2]):
            amount = found[2]  # an output near what the input gave: most others are out of reach
            wanted = to_float(amount)
        found = exact_swap(pool, ticks, token_in, False, amount, limit)
        outcome, paid, after, depth, steps = found[0], found[1], found[3], found[4], found[6]
        total += steps
        if outcome == REFUSED:
            result[REFUSED_COUNT] += 1.0
        elif outcome == DONE and wanted < pieces[piece_count - 1, COUT] * (1.0 - 1e-9):
            exact = to_float(paid)
            end_root = to_float(after) / _Q96
            end = (1.0 / (end_root * end_root) if token_in == 0 else end_root * end_root) / keep
            slack = steps * (1.0 / keep + 2.0) + (steps + 1.0) * end
            slack += 2.0 * _one_ulp(depth, end_root, not is_0_out) / keep
            result[SHARP] += 1.0 if slack < 1e-6 * exact else 0.0
            asked = float_in(pieces, 0, piece_count, wanted)
            short = exact - asked
            if short > 0.0:
                short = max(short - slack, 0.0)
            gain = float_out(pieces, 0, piece_count, exact)
            gain -= float_out(pieces, 0, piece_count, asked)
            if abs(gain) * exact < abs(short) * wanted:
                short, exact = gain, wanted
            _note(result, short, RELATIVE_MAX * exact + 1e-300, i)
    return total


@kernel(int64(_ROWS, float64[::1], int64, _ROWS, float64[::1]))
def compare_pair(pools, side, token_in, amounts, result):
    """Compare both directions of every amount; returns how many the pair takes."""
    total = 0
    for i in range(amounts.shape[0]):
        amount = load(amounts[i])
        wanted = to_float(amount)
        found, is_taken = pair_out(pools[0], token_in, amount)
        if is_taken:
            total += 1
            exact = to_float(found)
            excess = pair_float_out(side[0], side[1], side[2], wanted) - exact
            if excess > 0.0:
                excess = max(excess - 1.0, 0.0)
            _note(result, excess, RELATIVE_MAX * exact + 1e-300, i)
        else:
            result[REFUSED_COUNT] += 1.0
        found, is_taken = pair_in(pools[0], token_in, amount)
        if is_taken:
            total += 1
            exact = to_float(found)
            left = side[1] - wanted
            if left > 1e-3 * side[1]:  # closer to empty, the last places of the reserve decide
                short = exact - pair_float_in(side[0], side[1], side[2], wanted)
                if short > 0.0:
                    short = max(short - 1.0, 0.0)
                _note(result, short, RELATIVE_MAX * exact + 1e-300, i)
        else:
            result[REFUSED_COUNT] += 1.0
    return total
