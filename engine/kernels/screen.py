"""A changed book, screened: its rates go into the graph, and the routes through it are sized.

A change that leaves the best prices as they are makes no new route, unless the book is watched:
then only routes that are open already are sized anew, as their depth may have changed.
"""

import math

from numba import float64, int32, int64

from engine.kernels import cycles
from engine.kernels.candidates import size_found
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
from engine.kernels.graph import write_rate
from engine.kernels.graph_layout import DEAD, EDGE, NONE
from engine.kernels.jit import borrowing, inlined, kernel, merged
from engine.kernels.layout import ASK, BID, COUNT, KEY
from engine.kernels.one_route import is_fresh, size_one
from engine.kernels.screen_layout import BOOK, COST, ROUTE, ROUTE_LEGS_MAX, SCREENED
from engine.kernels.sizing_layout import AMOUNT_MAX


@borrowing
def _top_rates(board, books, book):
    """Return the log rates of selling base and of buying it at the best prices, fees within."""
    state, levels = board
    bid = levels[2 * book + BID, state[book, COUNT + BID] - 1, KEY] * books[book, BOOK.PRICE_SCALE]
    ask = -levels[2 * book + ASK, state[book, COUNT + ASK] - 1, KEY] * books[book, BOOK.PRICE_SCALE]
    fee = books[book, BOOK.FEE_RATIO]
    if not (0.0 < bid < ask <= AMOUNT_MAX and 0.0 <= fee < 1.0):
        return DEAD, DEAD
    return math.log(bid * (1.0 - fee)), -math.log(ask * (1.0 + fee))


@borrowing
def _size_open(event, board, graph, routes, sides_of, out):
    """Size the open routes through what changed, gain or no gain; returns the rows filled.

    What changed is the event's place, or all edges with a stamp if the event has none.
    """
    place, at_ns, open_count = event
    edges = graph[2]
    open_routes, route = routes[5], routes[6]
    rows = 0
    for row in range(open_count):
        count = open_routes[row, ROUTE.LEGS]
        is_touched = False
        for h in range(count):
            edge = open_routes[row, ROUTE.EDGE + h]
            is_touched = is_touched or (
                edges[edge, EDGE.STAMP] != 0 if place == NONE else edges[edge, EDGE.PLACE] == place
            )
        if is_touched and rows < out.shape[0]:
            for h in range(ROUTE_LEGS_MAX):
                route[0, h] = open_routes[row, ROUTE.EDGE + h]
            size_one(board, graph, routes, sides_of, at_ns, count, out, rows, False)
            out[rows, SCREENED.OPEN] = row
            rows += 1
    return rows


@borrowing
def screen_book(event, board, graph, query, routes, sides_of, found, out):
    """Bring a changed book into the graph, and size the routes through it that gain.

    Args:
        event: see `EVENT`; the place is the book's row.
        board: see `BOARD`.
        graph, query, found: see `cycles.on_rates`.
        routes: see `ROUTES`; open routes through the book come first in the result.
        sides_of: see `SIDES`.
        out: float64 (rows, SCREENED_COLUMNS), its first rows are overwritten. Found routes come by
            their number of legs, the best at the margin first; those that do not fit are left out.

    Returns:
        The number of rows written.
    """
    book, at_ns, open_count = event
    books, costs = routes[0], routes[3]
    sell_edge, buy_edge = int(books[book, BOOK.SELL_EDGE]), int(books[book, BOOK.BUY_EDGE])
    if sell_edge < 0:
        return 0
    sell, buy = DEAD, DEAD
    if is_fresh(board[0], book, at_ns, costs[COST.AGE_NS_MAX]):
        sell, buy = _top_rates(board, books, book)
    rates = graph[3]
    is_same = rates[sell_edge] == sell and rates[buy_edge] == buy
    if is_same and graph[2][sell_edge, EDGE.WATCH] == 0 and graph[2][buy_edge, EDGE.WATCH] == 0:
        return _size_open(event, board, graph, routes, sides_of, out) if open_count else 0
    found_count = 0
    if sell == DEAD:
        write_rate(graph, sell_edge, DEAD)
        write_rate(graph, buy_edge, DEAD)
    else:
        changes = (sell_edge, sell, buy_edge, buy)
        found_count = cycles.on_rates(graph, query, changes, found)
    rows = _size_open(event, board, graph, routes, sides_of, out) if open_count else 0
    if found_count <= 0:
        return rows
    return size_found(event, board, graph, routes, sides_of, found, out, rows, NONE)


@merged
def _arrays_of(context):
    """Return the arrays of a context in the order of a screen's arguments."""
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
    routes = (
        float64_2(context, 11),
        float64_2(context, 12),
        float64_2(context, 13),
        float64_1(context, 14),
        int64_1(context, 15),
        int64_2(context, 16),
        int64_2(context, 17),
        float64_2(context, 18),
        float64_2(context, 19),
    )
    sides_of = (float64_2(context, 20), float64_2(context, 21), float64_2(context, 22))
    found = (
        float64_3(context, 23),
        int64_1(context, 24),
        int8_1(context, 25),
        float64_1(context, 26),
    )
    out = float64_2(context, 27)
    return board, graph, routes, sides_of, found, out


@kernel(int64(int64, int64, int64, cycles.QUERY, int64[::1]))
def screen_book_in(book, at_ns, open_count, query, context):
    """Do as `screen_book` does, with its arrays in a context in the order of its arguments."""
    board, graph, routes, sides_of, found, out = _arrays_of(context)
    event = (book, at_ns, open_count)
    return screen_book(event, board, graph, query, routes, sides_of, found, out)


@inlined
def screen_pools(event, board, graph, query, routes, sides_of, found, changed, log_rates, out):
    """Bring pools that changed at once into the graph, and size the routes through them that gain.

    Args:
        event: see `EVENT`; there is no place.
        changed, log_rates: the edges of all these pools, each once, and their marginal rates, DEAD
            for what is out of all routes; their sides are new already.

    The other arguments and the result are those of `screen_book`.
    """
    found_count = cycles.on_batch(graph, query, changed, log_rates, found)
    edges = graph[2]
    for k in range(changed.shape[0]):
        edges[changed[k], EDGE.STAMP] = 1
    rows = _size_open(event, board, graph, routes, sides_of, out)
    for k in range(changed.shape[0]):
        edges[changed[k], EDGE.STAMP] = 0
    if found_count <= 0:
        return rows
    return size_found(event, board, graph, routes, sides_of, found, out, rows, NONE)


@kernel(int64(int64, int64, cycles.QUERY, int64[::1], int32[::1], float64[::1]))
def screen_pools_in(at_ns, open_count, query, context, changed, log_rates):
    """Do as `screen_pools` does, with all other arrays in the context of `screen_book_in`."""
    board, graph, routes, sides_of, found, out = _arrays_of(context)
    event = (int64(NONE), at_ns, open_count)
    return screen_pools(
        event, board, graph, query, routes, sides_of, found, changed, log_rates, out
    )
