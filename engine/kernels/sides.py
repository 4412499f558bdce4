"""What one side gives for an input, and the Moebius map that it is around there.

Around an input v a concave side is ``f(v + w) = f(v) + r w / (1 + c w)``: r its marginal rate, and
c = -f'' / (2 f'). For pieces that is exact from `down` below v to `up` above it; for curves it
holds to second order. Sides in parallel that pay the same marginal rate r make one such map again,
with the same r and 1/c the sum of theirs: each takes w_i = s / c_i for a common s.
"""

import math

import numpy as np

from engine.kernels.jit import borrowing
from engine.kernels.sizing_layout import (
    AMOUNT_MAX,
    FORM_GROUP,
    FORM_PIECES,
    FORM_SOLIDLY,
    FORM_STABLE_SWAP,
    FORM_WEIGHTED,
    PIECE,
    SIDE,
)
from engine.kernels.solidly import solidly_quote
from engine.kernels.stable_swap import stable_swap_quote
from engine.kernels.weighted import weighted_quote

_HALVINGS_MAX = 200
_DONE_RATIO = 1e-15
_RATE_RATIO_MIN = 1e-18  # of the best rate: below it a side is empty


@borrowing
def find_piece(pieces, first, end, amount):
    """Return the last piece that starts at or below an input."""
    k = first
    if k + 1 >= end or not pieces[k + 1, PIECE.CIN] <= amount:
        return k
    high = end
    while high - k > 1:
        middle = (k + high) >> 1
        if pieces[middle, PIECE.CIN] <= amount:
            k = middle
        else:
            high = middle
    return k


@borrowing
def _pieces_map(sides, i, pieces, amount):
    first, end = int(sides[i, SIDE.FROM]), int(sides[i, SIDE.TO])
    if not 0 <= first < end <= pieces.shape[0]:
        return 0.0, np.nan, 0.0, 0.0, 0.0
    k = find_piece(pieces, first, end, amount)
    rate, bend, gained = pieces[k, PIECE.RATE], pieces[k, PIECE.BEND], pieces[k, PIECE.COUT]
    start = pieces[k, PIECE.CIN]
    down = amount - start
    up = pieces[k + 1, PIECE.CIN] - amount if k + 1 < end else np.inf
    if not (
        0.0 <= rate <= AMOUNT_MAX
        and 0.0 <= bend <= AMOUNT_MAX
        and 0.0 <= gained <= AMOUNT_MAX
        and 0.0 <= start <= amount
        and up >= 0.0
    ):
        return 0.0, np.nan, 0.0, 0.0, 0.0
    share = 1.0 / (1.0 + bend * down)
    here = rate * share
    return gained + here * down, here * share, bend * share, down, up


@borrowing
def _curve_map(sides, i, curves, amount):
    row = int(sides[i, SIDE.FROM])
    if not 0 <= row < curves.shape[0]:
        return 0.0, np.nan, 0.0
    out, rate, second = 0.0, 0.0, 0.0
    form = sides[i, SIDE.FORM]
    if form == FORM_SOLIDLY:
        out, rate, second = solidly_quote(curves[row], int(sides[i, SIDE.TOKEN_IN]), amount)
    elif form == FORM_STABLE_SWAP:
        out, rate, second = stable_swap_quote(
            curves[row], int(sides[i, SIDE.TOKEN_IN]), int(sides[i, SIDE.TOKEN_OUT]), amount
        )
    elif form == FORM_WEIGHTED:
        out, rate, second = weighted_quote(curves[row], amount)
    if not (0.0 < rate <= AMOUNT_MAX and second <= 0.0 and 0.0 <= out <= AMOUNT_MAX):
        return 0.0, 0.0, 0.0
    return out, rate, -0.5 * second / rate


@borrowing
def member_map(sides, i, pieces, curves, amount):
    """Return (output, rate, bend, down, up, is_exact) of a side that is no group, at an input.

    Beyond the side's own limit the rate is 0 and `down` leads back to it. The rate is NaN if the
    side's numbers are none.
    """
    limit = sides[i, SIDE.INPUT_MAX]
    if not limit > 0.0:
        return 0.0, 0.0, 0.0, 0.0, np.inf, True
    at = min(limit, amount)
    is_exact = sides[i, SIDE.FORM] == FORM_PIECES
    if is_exact:
        out, rate, bend, down, up = _pieces_map(sides, i, pieces, at)
    else:
        out, rate, bend = _curve_map(sides, i, curves, at)
        down, up = at, np.inf
    if amount >= limit:
        return out, rate * 0.0, 0.0, amount - limit, np.inf, is_exact
    return out, rate, bend, down, min(up, limit - amount), is_exact


@borrowing
def _curve_input_at(sides, i, curves, rate_wanted, most):
    """Return the input after which a curve pays a marginal rate, at most `most`."""
    _, rate, bend = _curve_map(sides, i, curves, 0.0)
    if not rate > rate_wanted:
        return 0.0
    low, high, at = 0.0, most, 0.0
    for _ in range(_HALVINGS_MAX):
        if rate > rate_wanted:
            low = at
        else:
            high = at
        step = (math.sqrt(rate / rate_wanted) - 1.0) / bend if bend > 0.0 and rate > 0.0 else np.inf
        if abs(step) <= _DONE_RATIO * at or not high - low > _DONE_RATIO * high:
            break
        at += step
        if not low < at < high:
            if high >= most and at >= high:
                _, rate, bend = _curve_map(sides, i, curves, most)
                if rate >= rate_wanted:
                    return most
                high = most * (1.0 - _DONE_RATIO)
            at = 0.5 * (low + high)
        _, rate, bend = _curve_map(sides, i, curves, at)
    return min(at, most)


@borrowing
def input_at(sides, i, pieces, curves, rate_wanted, most):
    """Return the greatest input, up to `most`, of which each unit gives more than a rate."""
    most = min(most, sides[i, SIDE.INPUT_MAX])
    if not most > 0.0:
        return 0.0
    if sides[i, SIDE.FORM] != FORM_PIECES:
        return _curve_input_at(sides, i, curves, rate_wanted, most)
    first, end = int(sides[i, SIDE.FROM]), int(sides[i, SIDE.TO])
    if not 0 <= first < end <= pieces.shape[0] or not pieces[first, PIECE.RATE] > rate_wanted:
        return 0.0
    k, high = first, end
    while high - k > 1:
        middle = (k + high) >> 1
        if pieces[middle, PIECE.RATE] > rate_wanted:
            k = middle
        else:
            high = middle
    bend = pieces[k, PIECE.BEND]
    more = (math.sqrt(pieces[k, PIECE.RATE] / rate_wanted) - 1.0) / bend if bend > 0.0 else np.inf
    found = pieces[k, PIECE.CIN] + more
    if k + 1 < end:
        found = min(found, pieces[k + 1, PIECE.CIN])
    return min(found, most)


@borrowing
def common_rates(sides, first, end, pieces, curves, amount):
    """Find the marginal rate at which sides in parallel take an input together.

    Returns:
        (low, high, taken_low, taken_high): neighbouring rates, and what all sides take while they
        give more than these. Taken_low is at least the input, unless the sides cannot take it;
        zeros if no side gives anything.
    """
    low, high = 0.0, 0.0
    for i in range(first, end):
        rate_first = member_map(sides, i, pieces, curves, 0.0)[1]
        rate_last = member_map(sides, i, pieces, curves, amount)[1]
        if not (0.0 <= rate_first <= AMOUNT_MAX and 0.0 <= rate_last <= AMOUNT_MAX):
            return 0.0, 0.0, 0.0, 0.0
        high = max(high, rate_first)
        low = max(low, rate_last)
    if high == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    low = max(low, high * _RATE_RATIO_MIN) * (1.0 - 4.0 * _DONE_RATIO)
    taken_low, taken_high = 0.0, 0.0
    for i in range(first, end):
        taken_low += input_at(sides, i, pieces, curves, low, amount)
    if taken_low < amount:
        return low, low, taken_low, taken_low
    for _ in range(_HALVINGS_MAX):
        if not high - low > _DONE_RATIO * high:
            break
        middle = math.sqrt(low) * math.sqrt(high)
        if not low < middle < high:
            break
        taken = 0.0
        for i in range(first, end):
            taken += input_at(sides, i, pieces, curves, middle, amount)
        if taken >= amount:
            low, taken_low = middle, taken
        else:
            high, taken_high = middle, taken
    return low, high, taken_low, taken_high


@borrowing
def share_of(sides, i, pieces, curves, amount, rates):
    """Return what one of the sides takes of an input, `rates` being theirs in common.

    Between the two rates only sides that pay exactly the same have something to take: each of them
    the same fraction of it.
    """
    low, high, taken_low, taken_high = rates
    if not low > 0.0:
        return 0.0
    at_low = input_at(sides, i, pieces, curves, low, amount)
    if taken_low <= taken_high or taken_low <= amount:
        return at_low
    at_high = input_at(sides, i, pieces, curves, high, amount)
    fraction = (amount - taken_high) / (taken_low - taken_high)
    return at_high + (at_low - at_high) * fraction


@borrowing
def _group_map(sides, row, pieces, curves, amount):
    first, end = int(sides[row, SIDE.FROM]), int(sides[row, SIDE.TO])
    if not 0 <= first < end <= sides.shape[0]:
        return 0.0, np.nan, 0.0
    for i in range(first, end):
        if sides[i, SIDE.FORM] == FORM_GROUP:
            return 0.0, np.nan, 0.0
    rates = common_rates(sides, first, end, pieces, curves, amount)
    out, taken, width = 0.0, 0.0, 0.0
    for i in range(first, end):
        share = share_of(sides, i, pieces, curves, amount, rates)
        gained, rate, bend, _, _, _ = member_map(sides, i, pieces, curves, share)
        out += gained
        taken += share
        if rate >= rates[0] * (1.0 - 1e-12):
            width += 1.0 / bend if bend > 0.0 else np.inf
    if taken < amount * (1.0 - 1e-9):
        return out, 0.0, 0.0
    return out, rates[0], 1.0 / width if width > 0.0 else 0.0


@borrowing
def _limited_group_map(sides, i, pieces, curves, amount):
    limit = sides[i, SIDE.INPUT_MAX]
    if not limit > 0.0:
        return 0.0, 0.0, 0.0, 0.0, np.inf, True
    out, rate, bend = _group_map(sides, i, pieces, curves, min(amount, limit))
    if amount >= limit:
        return out, rate * 0.0, 0.0, amount - limit, np.inf, False
    return out, rate, bend, amount, limit - amount, False


@borrowing
def side_map(sides, i, pieces, curves, amount):
    """Return the same as `member_map` for any side, groups included."""
    if sides[i, SIDE.FORM] == FORM_GROUP:
        return _limited_group_map(sides, i, pieces, curves, amount)
    return member_map(sides, i, pieces, curves, amount)
