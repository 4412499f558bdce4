"""A changed book, screened: its rates go into the graph, and the routes through it are sized.

A change that leaves the best prices as they are makes no new route: then only routes that are open
already are sized anew, as their depth may have changed.
"""

import math

from numba import float64, int32, int64, types

from engine.kernels import cycles, sizing
from engine.kernels.context import (
    float32_1,
    float32_3,
    float64_1,
    float64_2,
    float64_3,
    int8_1,
    int32_2,
    int64_1,
    int64_2,
    int64_3,
)
from engine.kernels.cycle_found import FOUND
from engine.kernels.graph import GRAPH, write_rate
from engine.kernels.graph_layout import ALIVE_MIN, DEAD, EDGE_PLACE, EDGE_SOURCE, NONE
from engine.kernels.graph_layout import OUT_EDGE as FOUND_EDGE
from engine.kernels.jit import borrowing, kernel
from engine.kernels.layout import ASK, BID, CHANGED_AT_NS, CHANGES, COUNT, IS_LIVE, KEY, SIZE
from engine.kernels.screen_layout import (
    AGE_NS_MAX,
    BUY_EDGE,
    EDGE_RATIO_MIN,
    FEE_RATIO,
    FLASH_RATIO,
    GAP_LEGS,
    GAS_UNIT_USD,
    LEG_BOOK,
    LEG_FIXED_USD,
    LEG_GAS_UNITS,
    LEG_IS_POOL,
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
    OUT_OPEN,
    OUT_PROFIT,
    OUT_PROFIT_USD,
    PIECES_PER_BOOK_SIDE,
    PRICE_SCALE,
    RANK,
    ROUTE_EDGE,
    ROUTE_LEGS,
    ROUTE_LEGS_MAX,
    SELL_EDGE,
    SIZE_SCALE,
    TRANSFER_RATIO,
    VALUE_USD,
)
from engine.kernels.sizing_layout import (
    AMOUNT_MAX,
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

EVENT = types.Tuple((int64, int64, int64))
"""The changed book, the time by which ages are judged, and how many routes are open."""

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
def _is_fresh(state, book, at_ns, age_ns_max):
    return (
        state[book, IS_LIVE] == 1
        and state[book, COUNT + BID] > 0
        and state[book, COUNT + ASK] > 0
        and at_ns - state[book, CHANGED_AT_NS] <= age_ns_max
    )


@borrowing
def _top_rates(board, books, book):
    """Return the log rates of selling base and of buying it at the best prices, fees within."""
    state, levels = board
    bid = levels[2 * book + BID, state[book, COUNT + BID] - 1, KEY] * books[book, PRICE_SCALE]
    ask = -levels[2 * book + ASK, state[book, COUNT + ASK] - 1, KEY] * books[book, PRICE_SCALE]
    fee = books[book, FEE_RATIO]
    if not (0.0 < bid < ask <= AMOUNT_MAX and 0.0 <= fee < 1.0):
        return DEAD, DEAD
    return math.log(bid * (1.0 - fee)), -math.log(ask * (1.0 + fee))


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
def _prepare(board, graph, routes, sides_of, at_ns, count):
    """Make pieces and terms of the route in scratch space; returns whether it may be sized."""
    books, legs, tokens, costs, filled, _, route, terms, _ = routes
    sides, pieces, _ = sides_of
    venue_changes, gas_units, fixed_usd, pools = 0, 0.0, 0.0, 0
    for h in range(count):
        edge = route[0, h]
        book = int(legs[edge, LEG_BOOK])
        if not graph[3][edge] > ALIVE_MIN:
            return False
        if book < 0:
            pools += int(legs[edge, LEG_IS_POOL])
        elif not _is_fresh(board[0], book, at_ns, costs[AGE_NS_MAX]):
            return False
        else:
            _fill_pieces(board, books, legs, filled, sides, pieces, edge)
        gas_units += legs[edge, LEG_GAS_UNITS]
        fixed_usd += legs[edge, LEG_FIXED_USD]
        venue_changes += legs[edge, LEG_VENUE] != legs[route[0, (h + 1) % count], LEG_VENUE]
    start = int(graph[2][route[0, 0], EDGE_SOURCE])
    fixed = 0.0
    if gas_units > 0.0 or fixed_usd > 0.0:
        if not tokens[start, VALUE_USD] > 0.0 or not costs[GAS_UNIT_USD] >= 0.0:
            return False  # what cannot be costed is not screened
        fixed = (gas_units * costs[GAS_UNIT_USD] + fixed_usd) / tokens[start, VALUE_USD]
    pays = 1.0 + costs[EDGE_RATIO_MIN]
    if pools == count:
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
def _size(board, graph, routes, sides_of, at_ns, count, out, row):
    """Size the route in scratch space into a row of the result; returns whether it gains."""
    _, legs, tokens, costs, _, _, route, terms, sized = routes
    sides, pieces, curves = sides_of
    for column in range(OUT_COLUMNS):
        out[row, column] = 0.0
    out[row, OUT_LEGS] = count
    for h in range(ROUTE_LEGS_MAX):
        out[row, OUT_EDGE + h] = route[0, h]
    if not _prepare(board, graph, routes, sides_of, at_ns, count):
        return False
    if not sizing.size_row(route, 0, sides, pieces, curves, terms, sized, 0):
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


@borrowing
def _turn(graph, routes, found, row, count):
    """Put a found cycle into scratch space, turned to where it is to start.

    A gap between two books starts with the purchase, any other route in the token that money is
    best counted in.
    """
    _, legs, tokens, _, _, _, route, _, _ = routes
    first, rank = 0, math.inf
    for h in range(count):
        edge = int(found[row, FOUND_EDGE + h])
        own = tokens[int(graph[2][edge, EDGE_SOURCE]), RANK]
        if count == GAP_LEGS and legs[edge, LEG_BOOK] >= 0:
            other = int(found[row, FOUND_EDGE + 1 - h])
            is_purchase = legs[edge, LEG_SIDE] == ASK and legs[other, LEG_SIDE] != ASK
            if legs[other, LEG_BOOK] >= 0 and is_purchase:
                own = -1.0
        if own < rank:
            first, rank = h, own
    for h in range(ROUTE_LEGS_MAX):
        route[0, h] = int(found[row, FOUND_EDGE + (first + h) % count]) if h < count else NONE


@borrowing
def _open_row(routes, open_count, count):
    """Return the open route that the one in scratch space is, or NONE."""
    open_routes, route = routes[5], routes[6]
    for row in range(open_count):
        if open_routes[row, ROUTE_LEGS] == count:
            is_same = True
            for h in range(count):
                is_same = is_same and open_routes[row, ROUTE_EDGE + h] == route[0, h]
            if is_same:
                return row
    return NONE


@borrowing
def _size_open(event, board, graph, routes, sides_of, out):
    """Size the open routes through the changed place, gain or no gain; returns the rows filled."""
    place, at_ns, open_count = event
    edges = graph[2]
    open_routes, route = routes[5], routes[6]
    rows = 0
    for row in range(open_count):
        count = open_routes[row, ROUTE_LEGS]
        is_touched = False
        for h in range(count):
            is_touched = is_touched or edges[open_routes[row, ROUTE_EDGE + h], EDGE_PLACE] == place
        if is_touched and rows < out.shape[0]:
            for h in range(ROUTE_LEGS_MAX):
                route[0, h] = open_routes[row, ROUTE_EDGE + h]
            _size(board, graph, routes, sides_of, at_ns, count, out, rows)
            out[rows, OUT_OPEN] = row
            rows += 1
    return rows


@borrowing
def size_found(event, board, graph, routes, sides_of, found, out, rows, first):
    """Size what a scan found, unless it is open already; returns the rows filled in all.

    `first` is the edge that routes have to start with, NONE for any.
    """
    _, at_ns, open_count = event
    cycles_of, counts, _, _ = found
    for plane in range(cycles_of.shape[0]):
        count = plane + 2
        for row in range(counts[count]):
            if rows == out.shape[0]:
                return rows
            _turn(graph, routes, cycles_of[plane], row, count)
            if first != NONE and routes[6][0, 0] != first:
                continue
            if _open_row(routes, open_count, count) == NONE and _size(
                board, graph, routes, sides_of, at_ns, count, out, rows
            ):
                out[rows, OUT_OPEN] = NONE
                rows += 1
    return rows


@borrowing
def _screen(event, board, graph, index, query, routes, sides_of, found, out):
    """Bring a changed book into the graph, and size the routes through it; see `screen_book`."""
    book, at_ns, open_count = event
    books, costs = routes[0], routes[3]
    sell_edge, buy_edge = int(books[book, SELL_EDGE]), int(books[book, BUY_EDGE])
    if sell_edge < 0:
        return 0
    sell, buy = DEAD, DEAD
    if _is_fresh(board[0], book, at_ns, costs[AGE_NS_MAX]):
        sell, buy = _top_rates(board, books, book)
    rates = graph[3]
    if rates[sell_edge] == sell and rates[buy_edge] == buy:
        return _size_open(event, board, graph, routes, sides_of, out) if open_count else 0
    found_count = 0
    if sell == DEAD:
        write_rate(graph, sell_edge, DEAD)
        write_rate(graph, buy_edge, DEAD)
    else:
        changes = (sell_edge, sell, buy_edge, buy)
        found_count = cycles.on_rates(graph, index, query, changes, found)
    rows = _size_open(event, board, graph, routes, sides_of, out) if open_count else 0
    if found_count <= 0:
        return rows
    return size_found(event, board, graph, routes, sides_of, found, out, rows, NONE)


@kernel(
    int64(EVENT, BOARD, GRAPH, cycles.INDEX, cycles.QUERY, ROUTES, SIDES, FOUND, float64[:, ::1])
)
def screen_book(event, board, graph, index, query, routes, sides_of, found, out):
    """Bring a changed book into the graph, and size the routes through it that gain.

    Args:
        event: see `EVENT`; the place is the book's row.
        board: see `BOARD`.
        graph, index, query, found: see `cycles.on_rates`.
        routes: see `ROUTES`; open routes through the book come first in the result.
        sides_of: see `SIDES`.
        out: float64 (rows, OUT_COLUMNS) of `screen_layout`, its first rows are overwritten. Found
            routes come by their number of legs, the best at the margin first; those that do not
            fit are left out.

    Returns:
        The number of rows written.
    """
    return _screen(event, board, graph, index, query, routes, sides_of, found, out)


@kernel(int64(int64, int64, int64, cycles.QUERY, int64[::1]))
def screen_book_in(book, at_ns, open_count, query, context):
    """Do as `screen_book` does, with its arrays in a context in the order of its arguments."""
    board = (int64_2(context, 0), int64_3(context, 1))
    graph = (
        float32_3(context, 2),
        int32_2(context, 3),
        int32_2(context, 4),
        float64_1(context, 5),
        int32_2(context, 6),
        float32_1(context, 7),
        int32_2(context, 8),
        float64_2(context, 9),
        float64_1(context, 10),
    )
    index = (int64_2(context, 11), int32_2(context, 12))
    routes = (
        float64_2(context, 13),
        float64_2(context, 14),
        float64_2(context, 15),
        float64_1(context, 16),
        int64_1(context, 17),
        int64_2(context, 18),
        int64_2(context, 19),
        float64_2(context, 20),
        float64_2(context, 21),
    )
    sides_of = (float64_2(context, 22), float64_2(context, 23), float64_2(context, 24))
    found = (
        float64_3(context, 25),
        int64_1(context, 26),
        int8_1(context, 27),
        float64_1(context, 28),
    )
    out = float64_2(context, 29)
    event = (book, at_ns, open_count)
    return _screen(event, board, graph, index, query, routes, sides_of, found, out)


@kernel(
    int64(
        EVENT,
        BOARD,
        GRAPH,
        cycles.INDEX,
        cycles.QUERY,
        ROUTES,
        SIDES,
        FOUND,
        int32[::1],
        float64[::1],
        float64[:, ::1],
    )
)
def screen_pool(
    event, board, graph, index, query, routes, sides_of, found, changed, log_rates, out
):
    """Bring a changed pool into the graph, and size the routes through it that gain.

    Args:
        event: see `EVENT`.
        changed, log_rates: the pool's edges and their marginal rates; its sides are new already.

    The other arguments and the result are those of `screen_book`.
    """
    found_count = cycles.on_batch(graph, index, query, changed, log_rates, found)
    rows = _size_open(event, board, graph, routes, sides_of, out)
    if found_count <= 0:
        return rows
    return size_found(event, board, graph, routes, sides_of, found, out, rows, NONE)
