"""A route through edges of the live graph, made ready, weighed and sized in scratch space.

What costs the same for every size (gas, a bridge) makes more depth at the same price worth a look:
a route that gains at the margin, and not enough for these costs, is *watched* at the places whose
next change may make it pay.
"""

import math

from numba import float64, int64, types

from engine.kernels import sizing
from engine.kernels.graph_layout import ALIVE_MIN, EDGE_SOURCE, EDGE_WATCH, NONE
from engine.kernels.jit import borrowing
from engine.kernels.layout import ASK, BID, CHANGED_AT_NS, CHANGES, COUNT, IS_LIVE, KEY, SIZE
from engine.kernels.screen_layout import (
    AGE_NS_MAX,
    CHAIN_UNTIL_NS,
    EDGE_RATIO_MIN,
    FEE_RATIO,
    FLASH_RATIO,
    GAS_UNIT_USD,
    LEG_BOOK,
    LEG_CHAIN,
    LEG_FIXED_USD,
    LEG_GAS_UNITS,
    LEG_KEEP,
    LEG_SIDE,
    LEG_VENUE,
    OUT_AMOUNT,
    OUT_COLUMNS,
    OUT_EDGE,
    OUT_GAS,
    OUT_GROSS_RATIO,
    OUT_INPUT,
    OUT_LEGS,
    OUT_NOTIONAL,
    OUT_PROFIT,
    OUT_PROFIT_USD,
    PIECES_PER_BOOK_SIDE,
    PRICE_SCALE,
    ROUTE_LEGS_MAX,
    SIZE_SCALE,
    TRANSFER_RATIO,
    VALUE_USD,
)
from engine.kernels.sizing_layout import (
    BEND,
    CIN,
    COUT,
    FIXED_COST,
    FROM,
    PAYS_RATIO,
    RATE,
    ROUTE_INPUT_MAX,
    ROUTE_INPUT_MIN,
    TO,
    VALUE,
)
from engine.kernels.sizing_layout import OUT_INPUT as SIZED_INPUT
from engine.kernels.sizing_layout import OUT_OUTPUT as SIZED_OUTPUT
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
int64 (1, ROUTE_LEGS_MAX), float64 (1, TERM_COLUMNS), float64 (1, OUT_COLUMNS) of `sizing_layout`.
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
    book, side = int(legs[edge, LEG_BOOK]), int(legs[edge, LEG_SIDE])
    if filled[edge] == state[book, CHANGES]:
        return
    filled[edge] = state[book, CHANGES]
    held = levels[2 * book + side]
    fee = books[book, FEE_RATIO]
    price_scale, size_scale = books[book, PRICE_SCALE], books[book, SIZE_SCALE]
    k = int(sides[edge, FROM])
    last = k + PIECES_PER_BOOK_SIDE - 1
    level = state[book, COUNT + side] - 1
    given, got = 0.0, 0.0
    while level >= 0 and k < last:
        size = held[level, SIZE] * size_scale
        pieces[k, CIN], pieces[k, COUT], pieces[k, BEND] = given, got, 0.0
        if side == BID:
            rate = held[level, KEY] * price_scale * (1.0 - fee)
            pieces[k, RATE] = rate
            given += size
            got += size * rate
        else:
            pays = -held[level, KEY] * price_scale * (1.0 + fee)
            pieces[k, RATE] = 1.0 / pays
            given += size * pays
            got += size
        k += 1
        level -= 1
    pieces[k, CIN], pieces[k, COUT], pieces[k, RATE], pieces[k, BEND] = given, got, 0.0, 0.0
    sides[edge, TO] = k + 1


@borrowing
def prepare(board, graph, routes, sides_of, at_ns, count):
    """Make pieces and terms of the route in scratch space; returns whether it may be sized."""
    books, legs, tokens, costs, filled, _, route, terms, _ = routes
    sides, pieces, _ = sides_of
    venue_changes, has_gas, gas_usd, fixed_usd, on_chain = 0, False, 0.0, 0.0, 0
    chain = int(legs[route[0, 0], LEG_CHAIN])
    is_costed = True
    for h in range(count):
        edge = route[0, h]
        book = int(legs[edge, LEG_BOOK])
        if not graph[3][edge] > ALIVE_MIN:
            return False
        if book < 0:
            leg_chain = int(legs[edge, LEG_CHAIN])
            if at_ns > costs[CHAIN_UNTIL_NS + leg_chain]:
                graph[2][edge, EDGE_WATCH] = 1
                return False
            on_chain += leg_chain == chain
            has_gas |= legs[edge, LEG_GAS_UNITS] > 0.0
            is_costed &= costs[GAS_UNIT_USD + leg_chain] >= 0.0
            gas_usd += legs[edge, LEG_GAS_UNITS] * costs[GAS_UNIT_USD + leg_chain]
        elif not is_fresh(board[0], book, at_ns, costs[AGE_NS_MAX]):
            graph[2][edge, EDGE_WATCH] = 1  # it may come back at the same prices
            return False
        else:
            _fill_pieces(board, books, legs, filled, sides, pieces, edge)
        fixed_usd += legs[edge, LEG_FIXED_USD]
        venue_changes += legs[edge, LEG_VENUE] != legs[route[0, (h + 1) % count], LEG_VENUE]
    start = int(graph[2][route[0, 0], EDGE_SOURCE])
    fixed = 0.0
    if has_gas or fixed_usd > 0.0:
        if not tokens[start, VALUE_USD] > 0.0 or not is_costed:
            return False  # what cannot be costed is not screened
        fixed = (gas_usd + fixed_usd) / tokens[start, VALUE_USD]
    pays = 1.0 + costs[EDGE_RATIO_MIN]
    if chain > 0 and on_chain == count:
        pays += costs[FLASH_RATIO]
    else:
        pays += 0.5 * venue_changes * costs[TRANSFER_RATIO]
    terms[0, PAYS_RATIO] = pays
    terms[0, FIXED_COST] = fixed
    terms[0, ROUTE_INPUT_MIN] = 0.0
    terms[0, ROUTE_INPUT_MAX] = math.inf
    terms[0, VALUE] = 1.0
    return True


@borrowing
def watch_all(graph, route, count):
    """Have the route in scratch space looked at again with any change of any of its places."""
    for h in range(count):
        graph[2][route[0, h], EDGE_WATCH] = 1


@borrowing
def weigh(graph, routes, sides_of, count):
    """Return what a prepared route can gain at most, net; if that is nothing, watch what may help.

    A leg that by itself is too shallow is the only one to be watched: nothing but a change there,
    or a better rate anywhere, which is scanned for itself, can make the route gain.
    """
    _, _, _, _, _, _, route, terms, sized = routes
    sides, pieces, curves = sides_of
    pays, fixed = terms[0, PAYS_RATIO], terms[0, FIXED_COST]
    most, leg = most_gain(route, count, graph[3], sides, pieces, curves, pays, fixed, sized)
    if most > fixed or most < 0.0:
        return most - fixed
    if leg == NONE:
        watch_all(graph, route, count)
    else:
        graph[2][route[0, leg], EDGE_WATCH] = 1
    return most - fixed


@borrowing
def size_one(board, graph, routes, sides_of, at_ns, count, out, row, is_new):
    """Size the route in scratch space into a row of the result; returns whether it gains.

    If it does not, what may make it gain is watched; a new one is weighed before it is sized.
    """
    _, legs, tokens, costs, _, _, route, terms, sized = routes
    sides, pieces, curves = sides_of
    for column in range(OUT_COLUMNS):
        out[row, column] = 0.0
    out[row, OUT_LEGS] = count
    for h in range(ROUTE_LEGS_MAX):
        out[row, OUT_EDGE + h] = route[0, h]
    if not prepare(board, graph, routes, sides_of, at_ns, count):
        return False
    has_fixed = terms[0, FIXED_COST] > 0.0
    if is_new and has_fixed and not weigh(graph, routes, sides_of, count) > 0.0:
        return False
    if not sizing.size_row(route, 0, sides, pieces, curves, terms, sized, 0):
        if has_fixed and (is_new or weigh(graph, routes, sides_of, count) > 0.0):
            watch_all(graph, route, count)
        return False
    start = int(graph[2][route[0, 0], EDGE_SOURCE])
    paid, got = sized[0, SIZED_INPUT], sized[0, SIZED_OUTPUT]
    pays = terms[0, PAYS_RATIO] - costs[EDGE_RATIO_MIN]
    out[row, OUT_INPUT] = paid
    out[row, OUT_GAS] = terms[0, FIXED_COST]
    out[row, OUT_PROFIT] = got - paid * pays - terms[0, FIXED_COST]
    out[row, OUT_PROFIT_USD] = out[row, OUT_PROFIT] * tokens[start, VALUE_USD]
    kept = 1.0
    for h in range(count):
        kept *= legs[route[0, h], LEG_KEEP]
        out[row, OUT_AMOUNT + h] = sizing.compose(route, 0, h + 1, sides, pieces, curves, paid)[0]
    first = route[0, 0]
    out[row, OUT_NOTIONAL] = paid * legs[first, LEG_KEEP] if legs[first, LEG_SIDE] == ASK else paid
    out[row, OUT_GROSS_RATIO] = got / paid / kept - 1.0
    return True
