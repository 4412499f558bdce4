"""Concentrated pools as pieces: one direction, fees within; `sizing_layout` says what pieces are.

Within one range of constant liquidity L, at the root s of the price, a pool trades like a constant
product pool with virtual reserves L/s of token 0 and L s of token 1. Where whole numbers are wide,
widths between prices are exact before they become floats, so that close prices lose no digits.
What the ticks and the liquidity of a pool cannot be together gives no pieces, never an error.

A row of whole numbers is a pool, rows of `ticks` are its initialised ticks in rising order. Ticks
are int64 kept in uint64, net liquidity is int128 in two limbs, both in two's complement; numbers of
several limbs have the least one first.
"""

from collections.abc import Sequence

import numpy as np
from numba import float64, int64, uint64

from engine.kernels.jit import borrowing, kernel
from engine.kernels.sizing_layout import PIECE
from engine.kernels.wide import add, is_less, subtract

# Columns of a pool.
SQRT_PRICE = 0  # three limbs, times 2**96
LIQUIDITY = 3  # two limbs
TICK = 5
FEE_PIPS = 6
KNOWN_MIN = 7  # three limbs: what ticks there are below this price was not read from the chain
KNOWN_MAX = 10  # nor above this one

# Columns of `ticks`.
TICK_INDEX = 0
NET = 1  # two limbs: liquidity that enters when the price rises over the tick
SQRT_RATIO = 3  # three limbs
TICK_COLUMNS = 6

_Q96 = 2.0**96
_LIMB = 2.0**64
_PIPS = 1e6
_63 = np.uint64(63)
_ZERO = np.uint64(0)


def pack_ticks(
    ticks: Sequence[int], liquidity_nets: Sequence[int], sqrt_ratios_x96: Sequence[int]
) -> np.ndarray:
    """Return rows of `ticks`.

    Raises:
        OverflowError: a number that its limbs do not hold.
    """
    # One whole number of six limbs per row: an array cell by cell takes ten times as long.
    packed = (
        (tick % 2**64 | net % 2**128 << 64 | ratio << 192).to_bytes(8 * TICK_COLUMNS, "little")
        for tick, net, ratio in zip(ticks, liquidity_nets, sqrt_ratios_x96, strict=True)
    )
    rows = np.frombuffer(bytearray(b"".join(packed)), np.uint64)
    return rows.reshape(-1, TICK_COLUMNS)


def pack_pool(
    *,
    sqrt_price_x96: int,
    liquidity: int,
    tick: int,
    fee_pips: int,
    known_x96: tuple[int, int],
) -> np.ndarray:
    """Return the row of a pool, whose numbers are checked already.

    Raises:
        OverflowError: a number that its limbs do not hold.
    """
    limbs = [sqrt_price_x96.to_bytes(24, "little"), liquidity.to_bytes(16, "little")]
    limbs += [(number % 2**64).to_bytes(8, "little") for number in (tick, fee_pips)]
    limbs += [price.to_bytes(24, "little") for price in known_x96]
    return np.frombuffer(bytearray(b"".join(limbs)), np.uint64)


@borrowing
def _price_of(pool, at):
    return pool[at], pool[at + 1], pool[at + 2]


@borrowing
def _to_float(a):
    """Return the float64 next to a number of three limbs, to within its last place."""
    return (np.float64(a[2]) * _LIMB + np.float64(a[1])) * _LIMB + np.float64(a[0])


@borrowing
def _last_at_or_below(ticks, tick):
    """Return the last row whose tick is at most the given one, else -1."""
    low, high = -1, ticks.shape[0]
    while high - low > 1:
        middle = (low + high) >> 1
        if int64(ticks[middle, TICK_INDEX]) <= tick:
            low = middle
        else:
            high = middle
    return low


@borrowing
def _cross(liquidity, low, high, falls):
    """Return liquidity after crossing a tick with net (low, high), and whether it can be so."""
    net = (low, high)
    after = subtract(liquidity, net) if falls else add(liquidity, net)
    is_negative = (high >> _63) != _ZERO
    has_grown = is_negative if falls else not is_negative
    is_sound = not is_less(after, liquidity) if has_grown else not is_less(liquidity, after)
    return after, is_sound


@borrowing
def _extent(price, target, liquidity, keep_ratio, falls):
    """Return input and output from a price to the target, and the virtual reserves of both."""
    depth = np.float64(liquidity[1]) * _LIMB + np.float64(liquidity[0])
    width = subtract(price, target) if falls else subtract(target, price)
    root, far = _to_float(price) / _Q96, _to_float(target) / _Q96
    amount1 = depth * (_to_float(width) / _Q96)
    amount0 = amount1 / root / far
    if falls:
        return amount0 / keep_ratio, amount1, depth / root / keep_ratio, depth * root
    return amount1 / keep_ratio, amount0, depth * root / keep_ratio, depth / root


@kernel(int64(uint64[::1], uint64[:, ::1], int64, float64, float64, float64[:, ::1]))
def fill_side(pool, ticks, token_in, unit_in, unit_out, pieces):
    """Write the pieces of one direction of a pool, nearest first, in units of its tokens.

    Args:
        pool, ticks: of whole numbers.
        token_in: index of the token that is sold, 0 or 1.
        unit_in, unit_out: raw units of one unit of the tokens.
        pieces: float64 (at least 2, PIECE_COLUMNS). Liquidity beyond its last row but one is left
            out: the pieces then promise less than the pool gives, never more.

    Returns:
        The number of pieces written, the last one giving nothing; 0 if this is no pool.
    """
    falls = token_in == 0
    price = _price_of(pool, SQRT_PRICE)
    liquidity = (pool[LIQUIDITY], pool[LIQUIDITY + 1])
    keep_ratio = (_PIPS - np.float64(pool[FEE_PIPS])) / _PIPS
    row = _last_at_or_below(ticks, int64(pool[TICK]))
    if not falls:
        row += 1
    edge = _price_of(pool, KNOWN_MIN if falls else KNOWN_MAX)
    amount_in, amount_out = 0.0, 0.0
    count = 0
    while count < pieces.shape[0] - 1:
        has_tick = 0 <= row < ticks.shape[0]
        target = edge
        if has_tick:
            target = (
                ticks[row, SQRT_RATIO],
                ticks[row, SQRT_RATIO + 1],
                ticks[row, SQRT_RATIO + 2],
            )
        if is_less(price, target) if falls else is_less(target, price):
            return 0  # ticks out of order
        if (liquidity[0] | liquidity[1]) != _ZERO and price != target:
            more_in, more_out, x, y = _extent(price, target, liquidity, keep_ratio, falls)
            pieces[count, PIECE.CIN] = amount_in / unit_in
            pieces[count, PIECE.COUT] = amount_out / unit_out
            rate = y / x
            pieces[count, PIECE.RATE] = rate * (unit_in / unit_out)
            pieces[count, PIECE.BEND] = 0.0 if rate == 0.0 else 1.0 / x * unit_in
            amount_in += more_in
            amount_out += more_out
            count += 1
        if not has_tick:
            break
        liquidity, is_sound = _cross(liquidity, ticks[row, NET], ticks[row, NET + 1], falls)
        if not is_sound:
            return 0
        price = target
        row += -1 if falls else 1
    pieces[count, PIECE.CIN], pieces[count, PIECE.COUT] = amount_in / unit_in, amount_out / unit_out
    pieces[count, PIECE.RATE], pieces[count, PIECE.BEND] = 0.0, 0.0
    return count + 1
