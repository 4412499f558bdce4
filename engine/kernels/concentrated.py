"""Concentrated pools in floats, for screening: a chain of constant product pieces per direction.

Within one range of constant liquidity L, at the root s of the price, a pool trades like a constant
product pool with virtual reserves L/s of token 0 and L s of token 1. A direction of a pool is the
list of its pieces from the current price on. Piece k starts after an input of `CIN` in all, fee
included, and an output of `COUT`; a further input u gives ``Y u / (X + u)``, where X is the virtual
reserve of the input over what is left of it after the fee. The last piece gives nothing more.

A constant product pool is one such piece with CIN = COUT = 0. The whole numbers under the pieces
are the rows of `concentrated_exact`. What is no pool or no number gives nothing: no pieces, 0 out.
"""

import numpy as np
from numba import float64, int64, types, uint64

from engine.kernels.concentrated_exact import (
    FEE_PIPS,
    KNOWN_MAX,
    KNOWN_MIN,
    LIQUIDITY,
    NET,
    SQRT_PRICE,
    SQRT_RATIO,
    TICK,
    TICKS_FROM,
    TICKS_TO,
    cross,
    is_pool,
    last_at_or_below,
)
from engine.kernels.jit import borrowing, kernel
from engine.kernels.tick_math import TICK_MAX, sqrt_ratio
from engine.kernels.u256 import ZERO, is_equal, to_float
from engine.kernels.wide import is_less, subtract

# Columns of `pieces`.
CIN = 0
COUT = 1
X = 2
Y = 3
PIECE_COLUMNS = 4

_Q96 = 2.0**96
_LIMB = 2.0**64
_PIPS = 1e6
_LINEAR_MAX = 4  # most amounts end in one of the first pieces


# ---- from whole numbers to pieces --------------------------------------------------------------


@borrowing
def _write(piece, amount_in, amount_out, x, y):
    piece[CIN], piece[COUT], piece[X], piece[Y] = amount_in, amount_out, x, y


@borrowing
def _price_of(ticks, row):
    return ticks[row, SQRT_RATIO], ticks[row, SQRT_RATIO + 1], ticks[row, SQRT_RATIO + 2], ZERO


@borrowing
def _extent(price, target, liquidity, keep_ratio, falls):
    """Return input and output from a price to the target, and the virtual reserves X and Y.

    The width between the two prices is exact before it becomes a float, so that close prices lose
    no digits.
    """
    depth = np.float64(liquidity[1]) * _LIMB + np.float64(liquidity[0])
    width = subtract(price, target) if falls else subtract(target, price)
    root, far = to_float(price) / _Q96, to_float(target) / _Q96
    amount1 = depth * (to_float(width) / _Q96)
    amount0 = amount1 / root / far
    if falls:
        return amount0 / keep_ratio, amount1, depth / root / keep_ratio, depth * root
    return amount1 / keep_ratio, amount0, depth * root / keep_ratio, depth / root


@borrowing
def fill(pool, ticks, token_in, pieces):
    """Write one direction's pieces and return their number; see `fill_pieces`."""
    room = pieces.shape[0]
    if room < 2 or not 0 <= token_in <= 1 or not is_pool(pool, ticks):
        return 0
    falls = token_in == 0
    price = (pool[SQRT_PRICE], pool[SQRT_PRICE + 1], pool[SQRT_PRICE + 2], ZERO)
    liquidity = (pool[LIQUIDITY], pool[LIQUIDITY + 1])
    keep_ratio = (_PIPS - np.float64(pool[FEE_PIPS])) / _PIPS
    first, end = int64(pool[TICKS_FROM]), int64(pool[TICKS_TO])
    row = last_at_or_below(ticks, first, end, int64(pool[TICK]))
    if not falls:
        row += 1
    known = int64(pool[KNOWN_MIN] if falls else pool[KNOWN_MAX])
    edge = sqrt_ratio(known)
    amount_in, amount_out = 0.0, 0.0
    count = 0
    while count < room - 1:
        has_tick = first <= row < end
        target = _price_of(ticks, row) if has_tick else edge
        if is_less(price, target) if falls else is_less(target, price):
            return 0  # ticks out of order
        if not has_tick and abs(known) == TICK_MAX and (liquidity[0] | liquidity[1]) != ZERO:
            return 0  # liquidity behind the last tick of a whole table
        if (liquidity[0] | liquidity[1]) != ZERO and not is_equal(price, target):
            more_in, more_out, x, y = _extent(price, target, liquidity, keep_ratio, falls)
            _write(pieces[count], amount_in, amount_out, x, y)
            amount_in += more_in
            amount_out += more_out
            count += 1
        if not has_tick:
            break
        liquidity, is_sound = cross(liquidity, ticks[row, NET], ticks[row, NET + 1], falls)
        if not is_sound:
            return 0
        price = target
        row += -1 if falls else 1
    _write(pieces[count], amount_in, amount_out, 1.0, 0.0)
    return count + 1


@kernel(int64(uint64[::1], uint64[:, ::1], int64, float64[:, ::1]))
def fill_pieces(pool, ticks, token_in, pieces):
    """Write the pieces of one direction of a pool, nearest first.

    Args:
        pool, ticks: a row of `pools`, and `ticks`, of `concentrated_exact`.
        token_in: index of the token that is sold.
        pieces: float64 (at least 2, PIECE_COLUMNS). Liquidity beyond its last row but one is left
            out: the pieces then promise less than the pool gives, never more.

    Returns:
        The number of pieces written, the last one giving nothing; 0 if this is no pool.
    """
    return fill(pool, ticks, token_in, pieces)


# ---- pieces ------------------------------------------------------------------------------------


@borrowing
def find(pieces, first, end, amount, column):
    """Return the last of the pieces first..end - 1 that starts at or below an amount."""
    k = first
    turns = 0
    while k + 1 < end and turns < _LINEAR_MAX and pieces[k + 1, column] <= amount:
        k += 1
        turns += 1
    if turns < _LINEAR_MAX:
        return k
    high = end
    while high - k > 1:
        middle = (k + high) >> 1
        if pieces[middle, column] <= amount:
            k = middle
        else:
            high = middle
    return k


@borrowing
def _has(pieces, first, end):
    return 0 <= first < end <= pieces.shape[0]


@borrowing
def float_out(pieces, first, end, amount_in):
    """Return the output for an input through the pieces first..end - 1."""
    if not (_has(pieces, first, end) and 0.0 < amount_in < np.inf):
        return 0.0
    k = find(pieces, first, end, amount_in, CIN)
    more = amount_in - pieces[k, CIN]
    found = pieces[k, COUT] + pieces[k, Y] * (more / (pieces[k, X] + more))
    return found if 0.0 < found < np.inf else 0.0


@borrowing
def float_in(pieces, first, end, amount_out):
    """Return the input for an output; infinite if the pieces do not give it."""
    if not (_has(pieces, first, end) and 0.0 < amount_out < pieces[end - 1, COUT]):
        return np.inf
    k = find(pieces, first, end, amount_out, COUT)
    more = amount_out - pieces[k, COUT]
    found = pieces[k, CIN] + pieces[k, X] * (more / (pieces[k, Y] - more))
    return found if 0.0 < found < np.inf else np.inf


@borrowing
def marginal_out(pieces, first, end, amount_in):
    """Return what the next unit after an input gives."""
    if not (_has(pieces, first, end) and 0.0 <= amount_in < np.inf):
        return 0.0
    k = find(pieces, first, end, amount_in, CIN)
    share = pieces[k, X] / (pieces[k, X] + (amount_in - pieces[k, CIN]))
    found = pieces[k, Y] / pieces[k, X] * share * share
    return found if 0.0 < found < np.inf else 0.0


@borrowing
def moebius(pieces, first, end, amount_in):
    """Return (A, B, C, D) of the piece that an input ends in: output = (A x + B) / (C x + D).

    The map is right within that piece. C x + D is the piece's X and what the input goes into it:
    where a piece is much smaller than all before it, digits are lost. Take amounts from
    `float_out`, and the next guess from here.
    """
    if not (_has(pieces, first, end) and 0.0 <= amount_in < np.inf):
        return 0.0, 0.0, 0.0, 1.0
    k = find(pieces, first, end, amount_in, CIN)
    start, gained, x, y = pieces[k, CIN], pieces[k, COUT], pieces[k, X], pieces[k, Y]
    return gained + y, gained * (x - start) - y * start, 1.0, x - start


_FLOATS = float64[::1]
_PIECES = float64[:, ::1]


@kernel(types.void(_PIECES, int64, int64, _FLOATS, _FLOATS))
def quote_pieces(pieces, first, end, amounts_in, out):
    """Fill `out` with the outputs for inputs (both n) through the pieces first..end - 1."""
    for i in range(amounts_in.shape[0]):
        out[i] = float_out(pieces, first, end, amounts_in[i])


@kernel(types.void(_PIECES, int64, int64, _FLOATS, _FLOATS))
def charge_pieces(pieces, first, end, amounts_out, out):
    """Fill `out` with the inputs for outputs (both n) through the pieces first..end - 1."""
    for i in range(amounts_out.shape[0]):
        out[i] = float_in(pieces, first, end, amounts_out[i])


@kernel(types.void(_PIECES, int64, int64, _FLOATS, _FLOATS))
def marginal_pieces(pieces, first, end, amounts_in, out):
    """Fill `out` with the marginal rates after inputs (both n)."""
    for i in range(amounts_in.shape[0]):
        out[i] = marginal_out(pieces, first, end, amounts_in[i])


@kernel(types.void(_PIECES, int64, int64, _FLOATS, _PIECES))
def moebius_pieces(pieces, first, end, amounts_in, out):
    """Fill `out` (n, 4) with A, B, C, D of the pieces that inputs (n) end in."""
    for i in range(amounts_in.shape[0]):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = moebius(pieces, first, end, amounts_in[i])
