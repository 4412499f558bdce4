"""Sides in parallel: the optimal shares of an input, and all their pieces as one list.

The best shares pay the same marginal rate. Walking that rate down from the best one, the pieces
that pay it are one Moebius piece together (see `sides`), until a piece ends or another begins;
levels of books are taken whole, one after the other, when the rate comes to them.
"""

import math

import numpy as np
from numba import float64, int64

from engine.kernels.jit import inlined, kernel
from engine.kernels.sides import common_rates, member_map, share_of
from engine.kernels.sizing_layout import AMOUNT_MAX, FORM_GROUP, FORM_PIECES, PIECE, SIDE

MEMBERS_MAX = 16


@inlined
def _is_member(sides, i, pieces):
    side = sides[i]
    if side[SIDE.FORM] != FORM_PIECES or not side[SIDE.INPUT_MAX] > 0.0:
        return False
    first, end = int(side[SIDE.FROM]), int(side[SIDE.TO])
    if not 0 <= first < end <= pieces.shape[0]:
        return False
    for k in range(first, end):
        if not (
            0.0 <= pieces[k, PIECE.RATE] <= AMOUNT_MAX
            and 0.0 <= pieces[k, PIECE.BEND] <= AMOUNT_MAX
            and 0.0 <= pieces[k, PIECE.CIN] <= AMOUNT_MAX
        ):
            return False
    return True


@inlined
def _length(pieces, k, end, most):
    """Return the width of a piece, cut at the side's limit."""
    stop = pieces[k + 1, PIECE.CIN] if k + 1 < end else np.inf
    return max(min(stop, most) - pieces[k, PIECE.CIN], 0.0)


@inlined
def _last_rate(pieces, k, end, most):
    """Return the marginal rate at the end of a piece."""
    length = _length(pieces, k, end, most)
    bend = pieces[k, PIECE.BEND]
    if bend == 0.0:
        return pieces[k, PIECE.RATE]
    share = 1.0 / (1.0 + bend * length)
    return pieces[k, PIECE.RATE] * share * share


@inlined
def _next_piece(pieces, k, side):
    """Return the piece after one, -1 if the side ends there."""
    if k + 1 >= int(side[SIDE.TO]) or pieces[k + 1, PIECE.CIN] >= side[SIDE.INPUT_MAX]:
        return -1
    return k + 1


@inlined
def _curved(sides, first, end, pieces, at, level):
    """Return (bend, rate below) of all curved pieces at a level together, and step those that end.

    They go down to where the first of them ends, or where another piece begins.
    """
    below, width = 0.0, 0.0
    for i in range(first, end):
        k = at[i - first]
        if k < 0:
            continue
        if pieces[k, PIECE.RATE] < level:
            below = max(below, pieces[k, PIECE.RATE])
        elif pieces[k, PIECE.BEND] > 0.0:
            width += math.sqrt(pieces[k, PIECE.RATE]) / pieces[k, PIECE.BEND]
            below = max(
                below, _last_rate(pieces, k, int(sides[i, SIDE.TO]), sides[i, SIDE.INPUT_MAX])
            )
    below = min(below, level)
    for i in range(first, end):
        k = at[i - first]
        if k >= 0 and pieces[k, PIECE.RATE] >= level and pieces[k, PIECE.BEND] > 0.0:
            if _last_rate(pieces, k, int(sides[i, SIDE.TO]), sides[i, SIDE.INPUT_MAX]) >= below:
                at[i - first] = _next_piece(pieces, k, sides[i])
    return math.sqrt(level) / width, below


@inlined
def _best(first, end, pieces, at, level):
    """Return the best rate at hand and whose it is: a level of a book goes first among equals."""
    best, best_i = 0.0, -1
    for i in range(first, end):
        k = at[i - first]
        if k >= 0:
            rate = min(pieces[k, PIECE.RATE], level)
            if rate > best or (rate == best and rate > 0.0 and pieces[k, PIECE.BEND] == 0.0):
                best, best_i = rate, i
    return best, best_i


@kernel(int64(float64[:, ::1], int64, int64, float64[:, ::1], float64[:, ::1]))
def merge_sides(sides, first, end, pieces, merged):
    """Write the pieces of sides in parallel, as if they were one.

    Args:
        sides: see `sizing_layout`; rows first up to before end are merged, MEMBERS_MAX at most.
            Rows that are no pieces or not sound give nothing.
        first, end: rows.
        pieces: of all sides.
        merged: float64 (rows, PIECE_COLUMNS): twice as many rows as the sides have pieces, and one,
            suffice. What has no room is left out: the list then promises less, never more.

    Returns:
        The number of pieces written, the last one giving nothing; 0 if no side gives anything.
    """
    room = merged.shape[0]
    if not (0 <= first < end <= sides.shape[0] and end - first <= MEMBERS_MAX and room >= 2):
        return 0
    at = np.zeros(MEMBERS_MAX, np.int64)
    for i in range(first, end):
        at[i - first] = int(sides[i, SIDE.FROM]) if _is_member(sides, i, pieces) else -1
    total_in, total_out, count = 0.0, 0.0, 0
    level = np.inf  # marginal rate reached
    while count < room - 1:
        level, best_i = _best(first, end, pieces, at, level)
        if best_i < 0:
            break
        k = at[best_i - first]
        below = level
        if pieces[k, PIECE.BEND] == 0.0:
            bend = 0.0
            length = _length(pieces, k, int(sides[best_i, SIDE.TO]), sides[best_i, SIDE.INPUT_MAX])
            at[best_i - first] = _next_piece(pieces, k, sides[best_i])
        else:
            bend, below = _curved(sides, first, end, pieces, at, level)
            length = (math.sqrt(level / below) - 1.0) / bend if below > 0.0 else np.inf
        if total_in + length > total_in:  # a shorter one is lost in the sum's rounding
            merged[count, PIECE.CIN], merged[count, PIECE.COUT] = total_in, total_out
            merged[count, PIECE.RATE], merged[count, PIECE.BEND] = level, bend
            count += 1
            if not length < np.inf:
                return count
            total_in += length
            total_out += level * length / (1.0 + bend * length)
        level = below
    if count == 0:
        return 0
    merged[count, PIECE.CIN], merged[count, PIECE.COUT] = total_in, total_out
    merged[count, PIECE.RATE], merged[count, PIECE.BEND] = 0.0, 0.0
    return count + 1


@kernel(
    float64(float64[:, ::1], int64, int64, float64[:, ::1], float64[:, ::1], float64, float64[::1])
)
def split_input(sides, first, end, pieces, curves, amount, shares):
    """Share an input among sides in parallel so that they give most together.

    Args:
        sides, pieces, curves: see `sizing_layout`; rows first up to before end share the input.
        first, end: rows; none of them is a group.
        amount: the input.
        shares: float64 (end - first), overwritten. They sum up to the input, or to less if the
            sides cannot take it.

    Returns:
        What they give together; 0 if nothing can be shared.
    """
    shares[:] = 0.0
    if not (0 <= first < end <= sides.shape[0] and end - first <= shares.shape[0]):
        return 0.0
    if not 0.0 < amount <= AMOUNT_MAX:
        return 0.0
    for i in range(first, end):
        if sides[i, SIDE.FORM] == FORM_GROUP:
            return 0.0
    rates = common_rates(sides, first, end, pieces, curves, amount)
    total = 0.0
    for i in range(first, end):
        shares[i - first] = share_of(sides, i, pieces, curves, amount, rates)
        total += shares[i - first]
    if not 0.0 < total <= AMOUNT_MAX:
        shares[:] = 0.0
        return 0.0
    if total > amount:
        for i in range(end - first):
            shares[i] *= amount / total
    out = 0.0
    for i in range(first, end):
        out += member_map(sides, i, pieces, curves, shares[i - first])[0]
    return out
