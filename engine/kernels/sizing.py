"""The input at which a route gains most, over pieces and curves alike.

Around an input x the legs' Moebius maps compose into one, ``R w / (1 + K w)``: a leg with rate r
and bend c makes K + c R and R r of it. Its gain is greatest where the marginal rate falls to what a
unit costs: w* = (sqrt(R / pays) - 1) / K. If w* lies within the pieces of all legs, x + w* is the
optimum of the whole concave route, exactly. Otherwise the end of those pieces bounds the optimum
from one side, and x + w* is the next guess; behind a curve, a step that no longer moves it ends the
search. Levels of books have K 0 and an optimum at their ends: there both bounds meet.
"""

import math

import numpy as np
from numba import boolean, float64, int64

from engine.kernels.jit import borrowing, kernel
from engine.kernels.sides import side_map
from engine.kernels.sizing_layout import (
    AMOUNT_MAX,
    FORM_PIECES,
    PIECE,
    SIDE,
    SIZED,
    SIZED_COLUMNS,
    SIZED_LEGS_MAX,
    TERM,
)

STEPS_MAX = 120
_HALVE_AFTER = 8  # guesses that do not end the search within so many take turns with halving
_DONE_RATIO = 1e-13
_SEAM_RATIO_MAX = 1e-7  # of the output: how far pieces may end from where the next ones start
_CURVE_DONE_RATIO = 1e-8  # the gain is flat at its top: squared, this is below a float's digits


@borrowing
def compose(cycles, r, count, sides, pieces, curves, x):
    """Return (output, rate, bend, down, up, is_exact) of all legs at an input.

    Pieces are read in place: handing arrays on to a helper takes longer than the formula.
    """
    amount, rate, bend = x, 1.0, 0.0
    down, up = x, np.inf
    is_exact = True
    for h in range(count):
        i = cycles[r, h]
        limit = sides[i, SIDE.INPUT_MAX]
        if sides[i, SIDE.FORM] == FORM_PIECES and amount < limit:
            k, end = int(sides[i, SIDE.FROM]), int(sides[i, SIDE.TO])
            if not 0 <= k < end <= pieces.shape[0]:
                return 0.0, np.nan, 0.0, 0.0, 0.0, True
            high = end
            while high - k > 1:
                middle = (k + high) >> 1
                if pieces[middle, PIECE.CIN] <= amount:
                    k = middle
                else:
                    high = middle
            leg_up = limit - amount
            if high < end:
                leg_up = min(leg_up, pieces[high, PIECE.CIN] - amount)
            start = pieces[k, PIECE.CIN]
            leg_down = amount - start
            out, leg_rate, leg_bend = (
                pieces[k, PIECE.COUT],
                pieces[k, PIECE.RATE],
                pieces[k, PIECE.BEND],
            )
            if not (
                0.0 <= leg_rate <= AMOUNT_MAX
                and 0.0 <= leg_bend <= AMOUNT_MAX
                and 0.0 <= out <= AMOUNT_MAX
                and 0.0 <= start <= amount
            ):
                return 0.0, np.nan, 0.0, 0.0, 0.0, True
            share = 1.0 / (1.0 + leg_bend * leg_down)
            leg_rate *= share
            out += leg_rate * leg_down
            leg_rate *= share
            leg_bend *= share
        else:
            out, leg_rate, leg_bend, leg_down, leg_up, leg_exact = side_map(
                sides, i, pieces, curves, amount
            )
            is_exact = is_exact and leg_exact
        if rate > 0.0:
            # The leg's bounds as inputs of the route: v = rate w / (1 + bend w), solved for w.
            room = rate - bend * leg_up
            if leg_up < up * room:
                up = leg_up / room
            room = rate + bend * leg_down
            if leg_down < down * room:
                down = leg_down / room
        bend += leg_bend * rate
        rate *= leg_rate
        amount = out
    return amount, rate, bend, down, up, is_exact


@borrowing
def _between(low, high, x_low, lack_low, x_high, lack_high):
    """Return where the line through both bounds' lacks crosses 0, or the middle, or twice low.

    A lack is sqrt(pays / rate) - 1: a straight line in x as long as no piece ends.
    """
    if high < np.inf:
        guess = x_low - lack_low * (x_high - x_low) / (lack_high - lack_low)
        return guess if low < guess < high else 0.5 * (low + high)
    return 2.0 * low


@borrowing
def best_input(cycles, r, count, sides, pieces, curves, pays, most):
    """Return (input, output, rate of the first unit, steps); input 0 if nothing is to be gained."""
    x, low, high = 0.0, 0.0, most
    x_low, lack_low, x_high, lack_high = 0.0, 0.0, most, np.inf
    rate_first, steps = 0.0, 0
    for step in range(STEPS_MAX):
        steps = step
        out, rate, bend, down, up, is_exact = compose(cycles, r, count, sides, pieces, curves, x)
        if not 0.0 <= rate <= AMOUNT_MAX:
            return 0.0, 0.0, 0.0, step
        if step == 0:
            rate_first = rate
            if not rate > pays:
                break
        root = math.sqrt(rate / pays)
        move = (root - 1.0) / bend if bend > 0.0 else np.inf
        if root < 1.0:
            move = -abs(move)
        # The optimum itself: within these pieces, or so near that a curve is a Moebius map.
        reach = up if move >= 0.0 else down
        if not is_exact:
            reach = min(reach, _CURVE_DONE_RATIO * x)
        if abs(move) <= reach and low <= x + move <= high:
            return x + move, out + rate * move / (1.0 + bend * move), rate_first, step
        if move >= 0.0:
            x_low, lack_low = x, 1.0 / root - 1.0
            low = min(x + up, high) if is_exact else x
        else:
            x_high, lack_high = x, (1.0 / root - 1.0 if root > 0.0 else np.inf)
            high = max(x - down, low) if is_exact else x
        if not high - low * (1.0 + _DONE_RATIO) > 0.0 or not low < AMOUNT_MAX:
            break
        guess = x + move
        if guess >= high and high == most and high < np.inf:
            guess = high  # the limit itself, which no step has tried
        elif not low < guess < high:
            guess = _between(low, high, x_low, lack_low, x_high, lack_high)
        if step >= _HALVE_AFTER and step % 2 == 0 and high < np.inf:
            guess = 0.5 * (low + high)
        x = guess
    if not 0.0 < low < AMOUNT_MAX:
        return 0.0, 0.0, rate_first, steps
    out = compose(cycles, r, count, sides, pieces, curves, low)[0]
    return low, out, rate_first, steps


@borrowing
def _walked(pieces, first, end, amount):
    """Return what pieces give if walked one by one; NaN if they do not start where others end."""
    if not (0 <= first < end <= pieces.shape[0] and pieces[first, PIECE.CIN] == 0.0):
        return np.nan
    out, k = 0.0, first
    while k + 1 < end:
        width = pieces[k + 1, PIECE.CIN] - pieces[k, PIECE.CIN]
        if not (width > 0.0 and abs(pieces[k, PIECE.COUT] - out) <= _SEAM_RATIO_MAX * out):
            return np.nan
        if pieces[k + 1, PIECE.CIN] > amount:
            break
        out += pieces[k, PIECE.RATE] * width / (1.0 + pieces[k, PIECE.BEND] * width)
        k += 1
    if not abs(pieces[k, PIECE.COUT] - out) <= _SEAM_RATIO_MAX * out:
        return np.nan
    width = amount - pieces[k, PIECE.CIN]
    return out + pieces[k, PIECE.RATE] * width / (1.0 + pieces[k, PIECE.BEND] * width)


@borrowing
def _is_kept(cycles, r, count, sides, pieces, curves, x, received):
    """Tell whether a route gives what was found when its pieces are walked from their start.

    The search looks pieces up by halving: with rows out of order it could promise what is not
    there. Only routes that gain are walked.
    """
    amount = x
    for h in range(count):
        i = cycles[r, h]
        if sides[i, SIDE.FORM] == FORM_PIECES:
            most = min(amount, sides[i, SIDE.INPUT_MAX])
            amount = _walked(pieces, int(sides[i, SIDE.FROM]), int(sides[i, SIDE.TO]), most)
        else:
            amount = side_map(sides, i, pieces, curves, amount)[0]
    return abs(amount - received) <= _SEAM_RATIO_MAX * received


@borrowing
def _leg_count(cycles, r, sides):
    """Return the number of a route's legs, 0 if it is no route through these sides."""
    count = 0
    while count < cycles.shape[1] and cycles[r, count] >= 0:
        if count == SIZED_LEGS_MAX or cycles[r, count] >= sides.shape[0]:
            return 0
        count += 1
    return count


@borrowing
def size_row(cycles, r, sides, pieces, curves, terms, out, row):
    """Size route `r` into a row of results; returns whether it gains anything.

    Rows are named by number: a view of one costs more than a leg.
    """
    for column in range(SIZED_COLUMNS):
        out[row, column] = 0.0
    count = _leg_count(cycles, r, sides)
    pays, fixed = terms[r, TERM.PAYS_RATIO], terms[r, TERM.FIXED_COST]
    least, most = terms[r, TERM.INPUT_MIN], terms[r, TERM.INPUT_MAX]
    value = terms[r, TERM.VALUE]
    if count == 0 or not (
        1.0 <= pays <= AMOUNT_MAX
        and 0.0 <= fixed <= AMOUNT_MAX
        and 0.0 <= least <= most
        and 0.0 < value <= AMOUNT_MAX
    ):
        return False
    x, received, rate_first, steps = best_input(cycles, r, count, sides, pieces, curves, pays, most)
    out[row, SIZED.ROUTE] = r
    out[row, SIZED.RATE] = rate_first
    out[row, SIZED.STEPS] = steps
    if not 0.0 < x <= AMOUNT_MAX:
        return False
    if x < least:
        x = least
        received = compose(cycles, r, count, sides, pieces, curves, x)[0]
    profit = received - x * pays - fixed
    if not 0.0 < profit <= AMOUNT_MAX:
        return False
    if not _is_kept(cycles, r, count, sides, pieces, curves, x, received):
        return False
    out[row, SIZED.INPUT] = x
    out[row, SIZED.OUTPUT] = received
    out[row, SIZED.PROFIT] = profit
    out[row, SIZED.VALUE] = profit * value
    return True


_ROUTE = int64[::1]
_ROW = float64[::1]
_ROWS = float64[:, ::1]


@kernel(boolean(_ROUTE, _ROWS, _ROWS, _ROWS, _ROW, _ROW))
def size_route(cycle, sides, pieces, curves, terms, out):
    """Size one route; see `sizing_layout` for the arrays.

    Args:
        cycle: int64 (legs), rows of `sides` in the order of the route; ends at a negative one.
        sides, pieces, curves: what the legs are.
        terms: float64 (TERM_COLUMNS).
        out: float64 (SIZED_COLUMNS), overwritten.

    Returns:
        Whether the route gains anything net of everything; if not, its input and profit are 0.
    """
    return size_row(
        cycle.reshape((1, cycle.size)),
        0,
        sides,
        pieces,
        curves,
        terms.reshape((1, terms.size)),
        out.reshape((1, out.size)),
        0,
    )
