"""What a route can gain at most, in a fraction of the time that sizing it takes.

Give every token along the route a price, the first one's more by what a unit of input pays. What
the route gains is then the sum of what its legs gain at these prices, and a leg gains no more than
at its own best input: its *surplus*, ``max over x of p_out f(x) - p_in x``. So the sum of surpluses
is an upper bound at any prices (weak duality). Two choices are tried: the whole log gain at one
leg, the others being fair, which leaves that leg's surplus alone; and a share of it for each leg,
the more the shallower it is, which for constant products is nearly the gain itself.
"""

import math

import numpy as np

from engine.kernels.graph_layout import NONE
from engine.kernels.jit import borrowing
from engine.kernels.sides import member_map
from engine.kernels.sizing_layout import FORM_GROUP, FORM_PIECES, PIECE, SIDE

_ROUNDING = 1e-12  # of a leg's input: a surplus is the difference of two amounts as large as it
_CURVE_STEPS_MAX = 12
_CURVE_AIM_RATIO = 1e-3  # of the log gain: how far beyond the best input a curve's tangent is taken


@borrowing
def _pieces_surplus(sides, i, pieces, rate_fair):
    first, end = int(sides[i, SIDE.FROM]), int(sides[i, SIDE.TO])
    if not 0 <= first < end <= pieces.shape[0]:
        return np.inf
    if not pieces[first, PIECE.RATE] > rate_fair:
        return 0.0
    k, high = first, end
    while high - k > 1:
        middle = (k + high) >> 1
        if pieces[middle, PIECE.RATE] > rate_fair:
            k = middle
        else:
            high = middle
    rate, bend = pieces[k, PIECE.RATE], pieces[k, PIECE.BEND]
    width = (math.sqrt(rate / rate_fair) - 1.0) / bend if bend > 0.0 else np.inf
    if k + 1 < end:
        width = min(width, pieces[k + 1, PIECE.CIN] - pieces[k, PIECE.CIN])
    if not width < np.inf:
        return np.inf
    given = pieces[k, PIECE.CIN] + width
    got = pieces[k, PIECE.COUT] + rate * width / (1.0 + bend * width)
    return got / rate_fair - given + _ROUNDING * given


@borrowing
def _curve_surplus(sides, i, pieces, curves, rate_fair):
    """Bound a curve by its tangents: one that is no steeper than the fair rate lies above it."""
    at, least = 0.0, np.inf
    _, rate_first, _, _, _, _ = member_map(sides, i, pieces, curves, 0.0)
    if not rate_first > rate_fair:
        return 0.0 if rate_first > 0.0 else np.inf
    aim = rate_fair * (1.0 - min(_CURVE_AIM_RATIO * math.log(rate_first / rate_fair), 0.5))
    for _ in range(_CURVE_STEPS_MAX):
        out, rate, bend, _, _, _ = member_map(sides, i, pieces, curves, at)
        if not rate >= 0.0:
            return np.inf
        if at >= sides[i, SIDE.INPUT_MAX]:
            return min(least, max(out / rate_fair - sides[i, SIDE.INPUT_MAX], 0.0) + _ROUNDING * at)
        if rate <= rate_fair:
            least = min(least, (out - rate * at) / rate_fair + _ROUNDING * at)
            if rate >= aim * (1.0 - 2.0 * _CURVE_AIM_RATIO):
                break
        if not (bend > 0.0 and rate > 0.0):
            break
        at = min(at + (math.sqrt(rate / aim) - 1.0) / bend, sides[i, SIDE.INPUT_MAX])
        if not 0.0 < at < np.inf:
            break
    return least


@borrowing
def _surplus(sides, i, pieces, curves, rate_fair):
    """Return the most of ``f(x) / rate_fair - x``, in units of the leg's input."""
    form = sides[i, SIDE.FORM]
    if form == FORM_GROUP:
        return np.inf
    most = 0.0
    if form == FORM_PIECES:
        most = _pieces_surplus(sides, i, pieces, rate_fair)
    else:
        most = _curve_surplus(sides, i, pieces, curves, rate_fair)
    return most if most >= 0.0 else np.inf


@borrowing
def most_gain(route, count, rates, sides, pieces, curves, pays, fixed, scratch):
    """Bound what a route can gain before its fixed costs.

    Args:
        route: int64 (1, legs), rows of `rates` and `sides`.
        count: how many legs it has.
        rates: log rate of each edge's first unit.
        sides, pieces, curves: see `sizing_layout`.
        pays, fixed: what a unit of the input costs, and what all sizes do.
        scratch: float64 (1, legs or more), overwritten.

    Returns:
        (most, leg): the bound, in units of the first token; and the leg that by itself keeps it
        from exceeding the fixed costs, NONE if no single one does. The bound is -inf if not even
        the first unit gains.
    """
    gain = -math.log(pays)
    for h in range(count):
        gain += rates[route[0, h]]
    if not gain > 0.0:
        return -np.inf, NONE
    least, weakest = np.inf, NONE
    price, shares, loss = pays, 0.0, math.exp(-gain)
    for h in range(count):
        i = route[0, h]
        rate = math.exp(rates[i])
        most = price * _surplus(sides, i, pieces, curves, rate * loss)
        price /= rate
        if most < least:
            least, weakest = most, h
        scratch[0, h] = 1.0 / most if most > 0.0 else np.inf
        shares += scratch[0, h]
    if not least > fixed:
        return least, weakest
    if not 0.0 < shares < np.inf:
        return least, NONE
    price, together = pays, 0.0
    for h in range(count):
        i = route[0, h]
        share = gain * scratch[0, h] / shares
        rate_fair = math.exp(rates[i] - share)
        together += price * _surplus(sides, i, pieces, curves, rate_fair)
        price /= rate_fair
    return min(least, together), NONE
