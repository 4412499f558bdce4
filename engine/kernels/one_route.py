"""A route through edges of the live graph, made ready, weighed and sized in scratch space.

What costs the same for every size (gas, a bridge) makes more depth at the same price worth a look:
a route that gains at the margin, and not enough for these costs, is *watched* at the places whose
next change may make it pay.
"""

import math

from numba import float64, int64, types

from engine.kernels import sizing
from engine.kernels.graph_layout import ALIVE_MIN, EDGE, NONE
from engine.kernels.jit import borrowing
from engine.kernels.layout import ASK, BID, CHANGED_AT_NS, CHANGES, COUNT, IS_LIVE, KEY, SIZE
from engine.kernels.screen_layout import (
    ASSET,
    BOOK,
    COST,
    LEG,
    PIECES_PER_BOOK_SIDE,
    ROUTE_LEGS_MAX,
    SCREENED,
    SCREENED_COLUMNS,
)
from engine.kernels.sizing_layout import PIECE, SIDE, SIZED, TERM
from engine.kernels.traded import is_traded
from engine.kernels.weighing import most_gain

BOARD = types.Tuple((int64[:, ::1], int64[:, :, ::1]))
"""`state` and `levels`, see `layout`."""

ROUTES = types.Tuple(
    (
        float64[:, ::1],
        float64[:, ::1],
        float64[:, ::1],
        float64[::1],
        int64[::1],
        int64[:, ::1],
        int64[:, ::1],
        float64[:, ::1],
        float64[:, ::1],
    )
)
"""`books`, `legs`, `tokens`, `costs` and `open_routes`, see `screen_layout`; between them `filled`,
the CHANGES of each edge's book when its pieces were made. Then scratch space for one route:
int64 (1, ROUTE_LEGS_MAX), float64 (1, TERM_COLUMNS), float64 (1, SIZED_COLUMNS) of `sizing_layout`.
"""

SIDES = types.Tuple((float64[:, ::1], float64[:, ::1], float64[:, ::1]))
"""`sides`, `pieces` and `curves`, see `sizing_layout`; a row of `sides` per edge."""


@borrowing
def is_fresh(state, book, at_ns, age_ns_max):
    """Tell whether a book is live, two-sided and young enough."""
    return (
        state[book, IS_LIVE] == 1
        and state[book, COUNT + BID] > 0
        and state[book, COUNT + ASK] > 0
        and at_ns - state[book, CHANGED_AT_NS] <= age_ns_max
    )


@borrowing
def _fill_pieces(board, books, legs, filled, sides, pieces, edge):
    """Write the pieces of a book's side from its levels, unless they are those already."""
    state, levels = board
    book, side = int(legs[edge, LEG.BOOK]), int(legs[edge, LEG.SIDE])
    if filled[edge] == state[book, CHANGES]:
        return
    filled[edge] = state[book, CHANGES]
    held = levels[2 * book + side]
    fee = books[book, BOOK.FEE_RATIO]
    price_scale, size_scale = books[book, BOOK.PRICE_SCALE], books[book, BOOK.SIZE_SCALE]
    k = int(sides[edge, SIDE.FROM])
    last = k + PIECES_PER_BOOK_SIDE - 1
    level = state[book, COUNT + side] - 1
    given, got = 0.0, 0.0
    while level >= 0 and k < last:
        size = held[level, SIZE] * size_scale
        pieces[k, PIECE.CIN], pieces[k, PIECE.COUT], pieces[k, PIECE.BEND] = given, got, 0.0
        if side == BID:
            rate = held[level, KEY] * price_scale * (1.0 - fee)
            pieces[k, PIECE.RATE] = rate
            given += size
            got += size * rate
        else:
            pays = -held[level, KEY] * price_scale * (1.0 + fee)
            pieces[k, PIECE.RATE] = 1.0 / pays
            given += size * pays
            got += size
        k += 1
        level -= 1
    pieces[k, PIECE.CIN], pieces[k, PIECE.COUT], pieces[k, PIECE.RATE], pieces[k, PIECE.BEND] = (
        given,
        got,
        0.0,
        0.0,
    )
    sides[edge, SIDE.TO] = k + 1


@borrowing
def prepare(board, graph, routes, sides_of, at_ns, count):
    """Make pieces and terms of the route in scratch space; returns whether it may be sized."""
    books, legs, tokens, costs, filled, _, route, terms, _ = routes
    sides, pieces, _ = sides_of
    venue_changes, has_gas, gas_usd, fixed_usd, on_chain = 0, False, 0.0, 0.0, 0
    chain = int(legs[route[0, 0], LEG.CHAIN])
    is_costed = True
    for h in range(count):
        edge = route[0, h]
        book = int(legs[edge, LEG.BOOK])
        if not graph[3][edge] > ALIVE_MIN:
            return False
        if book < 0:
            leg_chain = int(legs[edge, LEG.CHAIN])
            if at_ns > costs[COST.CHAIN_UNTIL_NS + leg_chain]:
                graph[2][edge, EDGE.WATCH] = 1
                return False
            on_chain += leg_chain == chain
            has_gas |= legs[edge, LEG.GAS_UNITS] > 0.0
            is_costed &= costs[COST.GAS_UNIT_USD + leg_chain] >= 0.0
            gas_usd += legs[edge, LEG.GAS_UNITS] * costs[COST.GAS_UNIT_USD + leg_chain]
        elif not is_fresh(board[0], book, at_ns, costs[COST.AGE_NS_MAX]):
            graph[2][edge, EDGE.WATCH] = 1  # it may come back at the same prices
            return False
        else:
            _fill_pieces(board, books, legs, filled, sides, pieces, edge)
        fixed_usd += legs[edge, LEG.FIXED_USD]
        venue_changes += legs[edge, LEG.VENUE] != legs[route[0, (h + 1) % count], LEG.VENUE]
    start = int(graph[2][route[0, 0], EDGE.SOURCE])
    fixed = 0.0
    if has_gas or fixed_usd > 0.0:
        if not tokens[start, ASSET.VALUE_USD] > 0.0 or not is_costed:
            return False  # what cannot be costed is not screened
        fixed = (gas_usd + fixed_usd) / tokens[start, ASSET.VALUE_USD]
    pays = 1.0 + costs[COST.EDGE_RATIO_MIN]
    if chain > 0 and on_chain == count:
        pays += costs[COST.FLASH_RATIO]
    else:
        pays += 0.5 * venue_changes * costs[COST.TRANSFER_RATIO]
    terms[0, TERM.PAYS_RATIO] = pays
    terms[0, TERM.FIXED_COST] = fixed
    terms[0, TERM.INPUT_MIN] = 0.0
    terms[0, TERM.INPUT_MAX] = math.inf
    terms[0, TERM.VALUE] = 1.0
    return True


@borrowing
def watch_all(graph, route, count):
    """Have the route in scratch space looked at again with any change of any of its places."""
    for h in range(count):
        graph[2][route[0, h], EDGE.WATCH] = 1


@borrowing
def weigh(graph, routes, sides_of, count):
    """Return what a prepared route can gain at most, net; if that is nothing, watch what may help.

    A leg that by itself is too shallow is the only one to be watched: nothing but a change there,
    or a better rate anywhere, which is scanned for itself, can make the route gain.
    """
    _, _, _, _, _, _, route, terms, sized = routes
    sides, pieces, curves = sides_of
    pays, fixed = terms[0, TERM.PAYS_RATIO], terms[0, TERM.FIXED_COST]
    most, leg = most_gain(route, count, graph[3], sides, pieces, curves, pays, fixed, sized)
    if most > fixed or most < 0.0:
        return most - fixed
    if leg == NONE:
        watch_all(graph, route, count)
    else:
        graph[2][route[0, leg], EDGE.WATCH] = 1
    return most - fixed


@borrowing
def size_one(board, graph, routes, sides_of, at_ns, count, out, row, is_new):
    """Size the route in scratch space into a row of the result; returns whether it gains.

    If it does not, what may make it gain is watched; a new one is weighed before it is sized.
    """
    _, legs, tokens, costs, _, _, route, terms, sized = routes
    sides, pieces, curves = sides_of
    for column in range(SCREENED_COLUMNS):
        out[row, column] = 0.0
    out[row, SCREENED.LEGS] = count
    out[row, SCREENED.IS_TRADED] = is_traded(legs, route, count)
    for h in range(ROUTE_LEGS_MAX):
        out[row, SCREENED.EDGE + h] = route[0, h]
    if not prepare(board, graph, routes, sides_of, at_ns, count):
        return False
    has_fixed = terms[0, TERM.FIXED_COST] > 0.0
    if is_new and has_fixed and not weigh(graph, routes, sides_of, count) > 0.0:
        return False
    if not sizing.size_row(route, 0, sides, pieces, curves, terms, sized, 0):
        if has_fixed and (is_new or weigh(graph, routes, sides_of, count) > 0.0):
            watch_all(graph, route, count)
        return False
    start = int(graph[2][route[0, 0], EDGE.SOURCE])
    paid, got = sized[0, SIZED.INPUT], sized[0, SIZED.OUTPUT]
    pays = terms[0, TERM.PAYS_RATIO] - costs[COST.EDGE_RATIO_MIN]
    out[row, SCREENED.INPUT] = paid
    out[row, SCREENED.GAS] = terms[0, TERM.FIXED_COST]
    out[row, SCREENED.PROFIT] = got - paid * pays - terms[0, TERM.FIXED_COST]
    out[row, SCREENED.PROFIT_USD] = out[row, SCREENED.PROFIT] * tokens[start, ASSET.VALUE_USD]
    kept = 1.0
    for h in range(count):
        kept *= legs[route[0, h], LEG.KEEP]
        out[row, SCREENED.AMOUNT + h] = sizing.compose(
            route, 0, h + 1, sides, pieces, curves, paid
        )[0]
    first = route[0, 0]
    out[row, SCREENED.NOTIONAL] = (
        paid * legs[first, LEG.KEEP] if legs[first, LEG.SIDE] == ASK else paid
    )
    out[row, SCREENED.GROSS_RATIO] = got / paid / kept - 1.0
    return True
