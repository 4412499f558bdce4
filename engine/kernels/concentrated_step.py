"""One step of a swap in a concentrated pool in 256-bit whole numbers: `engine.pools.swap_math`.

Prices are roots times 2**96 in words of four limbs, liquidity is two limbs.
"""

import numpy as np

from engine.kernels.jit import borrowing
from engine.kernels.u256 import (
    ONE,
    ZERO,
    divide,
    divide_up,
    divide_wide,
    increment,
    mul_div,
    mul_div_up,
)
from engine.kernels.wide import add, is_less, multiply, subtract

PIPS = np.uint64(1_000_000)

_HALF = np.uint64(32)
_HALF_MAX = np.uint64(2**32 - 1)
_WORD_PIPS = (PIPS, ZERO, ZERO, ZERO)
_WORD_Q96 = (ZERO, ONE << _HALF, ZERO, ZERO)


@borrowing
def _scaled(liquidity):
    """Return liquidity times 2**96."""
    low, high = liquidity
    return ZERO, low << _HALF, (high << _HALF) | (low >> _HALF), high >> _HALF


@borrowing
def _amount0(low, high, liquidity, rounds_up):
    width = subtract(high, low)
    if rounds_up:
        found, _ = mul_div_up(_scaled(liquidity), width, high)
        return divide_up(found, low)
    found, _ = mul_div(_scaled(liquidity), width, high)
    return divide(found, low)


@borrowing
def _amount1(low, high, liquidity, rounds_up):
    width = subtract(high, low)
    product = multiply(liquidity, (width[0], width[1], width[2]))
    found = (
        (product[1] >> _HALF) | (product[2] << _HALF),
        (product[2] >> _HALF) | (product[3] << _HALF),
        (product[3] >> _HALF) | (product[4] << _HALF),
        product[4] >> _HALF,
    )
    if rounds_up and (product[0] | (product[1] & _HALF_MAX)) != ZERO:
        return increment(found)
    return found


@borrowing
def _after_amount0_in(price, liquidity, amount):
    numerator = _scaled(liquidity)
    product = multiply(amount, (price[0], price[1], price[2]))
    if (product[4] | product[5] | product[6]) == ZERO:
        denominator = add(numerator, (product[0], product[1], product[2], product[3]))
        if not is_less(denominator, numerator):
            return mul_div_up(numerator, price, denominator)[0]
    return divide_up(numerator, add(divide(numerator, price), amount))


@borrowing
def _after_amount0_out(price, liquidity, amount):
    numerator = _scaled(liquidity)
    product = multiply(amount, (price[0], price[1], price[2]))
    low = (product[0], product[1], product[2], product[3])
    return mul_div_up(numerator, price, subtract(numerator, low))[0]


@borrowing
def _after_amount1_in(price, liquidity, amount):
    moved, _ = mul_div(amount, _WORD_Q96, (liquidity[0], liquidity[1], ZERO, ZERO))
    return add(price, moved)


@borrowing
def _after_amount1_out(price, liquidity, amount):
    moved, _ = mul_div_up(amount, _WORD_Q96, (liquidity[0], liquidity[1], ZERO, ZERO))
    return subtract(price, moved)


@borrowing
def _with_fee(amount, fee):
    fee_amount, _ = mul_div_up(amount, (fee, ZERO, ZERO, ZERO), (PIPS - fee, ZERO, ZERO, ZERO))
    return add(amount, fee_amount)


@borrowing
def step_in(price, target, liquidity, left, fee, falls):
    """Sell at most `left`; return the price after, what is taken with its fee, and the output."""
    product = multiply(left, (PIPS - fee,))
    high = (product[4], ZERO, ZERO, ZERO)
    kept, _ = divide_wide(high, (product[0], product[1], product[2], product[3]), _WORD_PIPS)
    if falls:
        needed = _amount0(target, price, liquidity, True)
    else:
        needed = _amount1(price, target, liquidity, True)
    if not is_less(kept, needed):
        after = target
        taken = _with_fee(needed, fee)
    else:
        taken = left
        if falls:
            after = _after_amount0_in(price, liquidity, kept)
        else:
            after = _after_amount1_in(price, liquidity, kept)
    if falls:
        return after, taken, _amount1(after, price, liquidity, False)
    return after, taken, _amount0(price, after, liquidity, False)


@borrowing
def step_out(price, target, liquidity, left, fee, falls):
    """Buy at most `left`; return the price after, what is taken with its fee, and the output."""
    if falls:
        given = _amount1(target, price, liquidity, False)
    else:
        given = _amount0(price, target, liquidity, False)
    after = target
    if is_less(left, given):
        given = left
        if falls:
            after = _after_amount1_out(price, liquidity, left)
        else:
            after = _after_amount0_out(price, liquidity, left)
    if falls:
        needed = _amount0(after, price, liquidity, True)
    else:
        needed = _amount1(price, after, liquidity, True)
    return after, _with_fee(needed, fee), given
