"""Pieces of a side, made from a concentrated pool and checked; `sizing_layout` says what they are.

A pool that moved needs both of its directions anew while the market waits, so that this is one
call per direction. Who makes pieces names what is wrong with them; here it is only yes or no.
"""

from numba import float64, int64, uint64

from engine.kernels import concentrated
from engine.kernels.jit import kernel
from engine.kernels.sizing_layout import AMOUNT_MAX, BEND, CIN, COUT, PIECE_COLUMNS, RATE

RISE_RATIO_MAX = 1e-9
"""Between pieces rates are equal but for rounding."""

_PIECES = float64[:, ::1]


@kernel(int64(uint64[::1], uint64[:, ::1], int64, float64, float64, _PIECES))
def fill_side(pool, ticks, token_in, unit_in, unit_out, pieces):
    """Write the pieces of one direction of a pool, nearest first, in units of its tokens.

    Args:
        pool, ticks: a row of `pools`, and `ticks`, of `concentrated_exact`.
        token_in: index of the token that is sold.
        unit_in, unit_out: raw units of one unit of the tokens.
        pieces: float64 (at least 2, PIECE_COLUMNS of `sizing_layout`). Liquidity beyond its last
            row but one is left out.

    Returns:
        The number of pieces written, the last one giving nothing; 0 if this is no pool.
    """
    count = concentrated.fill(pool, ticks, token_in, pieces)
    for k in range(count):
        x, y = pieces[k, concentrated.X], pieces[k, concentrated.Y]
        pieces[k, CIN] = pieces[k, concentrated.CIN] / unit_in
        pieces[k, COUT] = pieces[k, concentrated.COUT] / unit_out
        rate = y / x
        pieces[k, RATE] = rate * (unit_in / unit_out)
        pieces[k, BEND] = 0.0 if rate == 0.0 else 1.0 / x * unit_in
    return count


@kernel(int64(_PIECES))
def are_concave(pieces):
    """Tell whether pieces are those of a concave function from nothing on: 1 or 0."""
    if pieces.shape[0] == 0 or pieces[0, CIN] != 0.0 or pieces[0, COUT] != 0.0:
        return 0
    for k in range(pieces.shape[0]):
        for column in range(PIECE_COLUMNS):
            if not 0.0 <= pieces[k, column] <= AMOUNT_MAX:
                return 0
        if k > 0:
            width = pieces[k, CIN] - pieces[k - 1, CIN]
            share = 1.0 / (1.0 + pieces[k - 1, BEND] * width)
            most = pieces[k - 1, RATE] * share * share * (1.0 + RISE_RATIO_MAX)
            if not (width > 0.0 and pieces[k, RATE] <= most):
                return 0
    return 1
