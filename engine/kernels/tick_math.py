"""Roots of prices at ticks in 256-bit whole numbers: TickMath of Uniswap V3 and V4.

Tick i stands for the price 1.0001**i; its root times 2**96 is the product of one constant for each
bit of the tick, taken as its inverse above 0, rounded up. The exact form in Python is
`engine.pools.tick_math`.
"""

import math

import numpy as np
from numba import int64, types, uint64

from engine.kernels.jit import borrowing, kernel
from engine.kernels.u256 import ONE, ZERO, divide, to_float, to_limbs
from engine.kernels.wide import is_less, multiply

TICK_MIN = -887_272
TICK_MAX = 887_272
SQRT_RATIO_MIN_X96 = 4_295_128_739
SQRT_RATIO_MAX_X96 = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342

# 2**128 / sqrt(1.0001 ** (2**i)) for i = 0..19, rounded to the nearest.
_FACTORS = np.array(
    [
        to_limbs(factor, 2)
        for factor in (
            0xFFFCB933BD6FAD37AA2D162D1A594001,
            0xFFF97272373D413259A46990580E213A,
            0xFFF2E50F5F656932EF12357CF3C7FDCC,
            0xFFE5CACA7E10E4E61C3624EAA0941CD0,
            0xFFCB9843D60F6159C9DB58835C926644,
            0xFF973B41FA98C081472E6896DFB254C0,
            0xFF2EA16466C96A3843EC78B326B52861,
            0xFE5DEE046A99A2A811C461F1969C3053,
            0xFCBE86C7900A88AEDCFFC83B479AA3A4,
            0xF987A7253AC413176F2B074CF7815E54,
            0xF3392B0822B70005940C7A398E4B70F3,
            0xE7159475A2C29B7443B29C7FA6E889D9,
            0xD097F3BDFD2022B8845AD8F792AA5825,
            0xA9F746462D870FDF8A65DC1F90E061E5,
            0x70D869A156D2A1B890BB3DF62BAF32F7,
            0x31BE135F97D08FD981231505542FCFA6,
            0x9AA508B5B7A84E1C677DE54F3E99BC9,
            0x5D6AF8DEDB81196699C329225EE604,
            0x2216E584F5FA1EA926041BEDFE98,
            0x48A170391F7DC42444E8FA2,
        )
    ]
)

_Q96 = 2.0**96
_HALF_LOG_OF_BASE = math.log(1.0001) / 2
_ALL_ONES = np.uint64(2**64 - 1)
_HALF = np.uint64(32)
_HALF_MAX = np.uint64(2**32 - 1)


@borrowing
def sqrt_ratio(tick):
    """Return the root of a tick's price, times 2**96; the caller keeps the tick within range."""
    distance = tick if tick >= 0 else -tick
    low, high = ZERO, ZERO
    is_one = True
    bit = 0
    while distance > 0:
        if distance & 1:
            factor = (_FACTORS[bit, 0], _FACTORS[bit, 1])
            if is_one:
                low, high = factor
                is_one = False
            else:
                product = multiply((low, high), factor)
                low, high = product[2], product[3]
        distance >>= 1
        bit += 1
    if is_one:
        return ZERO, ONE << _HALF, ZERO, ZERO
    x = (low, high, ZERO, ZERO)
    if tick > 0:
        x = divide((_ALL_ONES, _ALL_ONES, _ALL_ONES, _ALL_ONES), x)
    carry = ONE if (x[0] & _HALF_MAX) != ZERO else ZERO
    r0 = (x[0] >> _HALF) | (x[1] << _HALF)
    r1 = (x[1] >> _HALF) | (x[2] << _HALF)
    r2 = (x[2] >> _HALF) | (x[3] << _HALF)
    r0 += carry
    carry = carry if r0 == ZERO else ZERO
    r1 += carry
    carry = carry if r1 == ZERO else ZERO
    return r0, r1, r2 + carry, ZERO


@borrowing
def tick_at(sqrt_price):
    """Return the greatest tick whose root is not above the given one, which is within range.

    The logarithm is right to far less than one tick; the loops take one turn at most.
    """
    tick = int64(np.floor(np.log(to_float(sqrt_price) / _Q96) / _HALF_LOG_OF_BASE))
    tick = min(max(tick, TICK_MIN), TICK_MAX - 1)
    while tick > TICK_MIN and is_less(sqrt_price, sqrt_ratio(tick)):
        tick -= 1
    while tick < TICK_MAX - 1 and not is_less(sqrt_price, sqrt_ratio(tick + 1)):
        tick += 1
    return tick


@kernel(types.void(int64[::1], uint64[:, ::1]))
def fill_sqrt_ratios(ticks, out):
    """Fill `out` (n, 3 limbs) with the roots of the ticks' prices; zeros if out of range."""
    for i in range(ticks.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = ZERO, ZERO, ZERO
        if TICK_MIN <= ticks[i] <= TICK_MAX:
            ratio = sqrt_ratio(ticks[i])
            out[i, 0], out[i, 1], out[i, 2] = ratio[0], ratio[1], ratio[2]


@kernel(types.void(uint64[:, ::1], int64[::1]))
def fill_ticks(sqrt_prices, out):
    """Fill `out` (n) with the ticks of roots of prices (n, 3 limbs) that are within range."""
    for i in range(sqrt_prices.shape[0]):
        out[i] = tick_at((sqrt_prices[i, 0], sqrt_prices[i, 1], sqrt_prices[i, 2], ZERO))
