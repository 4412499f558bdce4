"""What a scan found, turned, weighed and sized: the most promising first, if they are many.

Where few cycles of a number of legs are found, all are sized. Where there are more than may be,
each is weighed (`weighing`): what cannot pay its fixed costs is dropped, the others are sized in
the order of what they can gain at most in USD. Those for which there is no time are counted, and
watched, so that the next change of one of their places has them looked at again. What no executor
trades takes the time of nothing that is traded: few of it are sized beside, the others counted.
"""

import math

from numba import int64, types

from engine.kernels.graph_layout import CYCLE, EDGE, NONE, TALLY
from engine.kernels.heap import GREATEST_FIRST, drop_first, make_heap
from engine.kernels.jit import borrowing
from engine.kernels.layout import ASK
from engine.kernels.one_route import prepare, size_one, watch_all, weigh
from engine.kernels.screen_layout import (
    ASSET,
    GAP_LEGS,
    LEG,
    ROUTE,
    ROUTE_LEGS_MAX,
    SCREENED,
    SIZED_MAX,
    UNTRADED_SIZED_MAX,
)
from engine.kernels.traded import is_traded

EVENT = types.Tuple((int64, int64, int64))
"""The changed book, the time by which ages are judged, and how many routes are open."""

_AMONG_POOLS = 1e9  # behind every rank

_UNVALUED_USD = 1e-30  # of a unit whose value is unknown: such routes come after all others


@borrowing
def _turn(graph, routes, cycles_of, plane, row):
    """Put a found cycle into scratch space, turned to where it is to start.

    A gap between two books starts with the purchase, any other route in the token that money is
    best counted in; but one of books and pools not between two pools: one transaction goes through
    all pools that stand together.
    """
    _, legs, tokens, _, _, _, route, _, _ = routes
    count = plane + 2
    first, rank, has_book = 0, math.inf, False
    for h in range(count):
        has_book |= legs[int(cycles_of[plane, row, CYCLE.EDGE + h]), LEG.BOOK] >= 0
    before = int(cycles_of[plane, row, CYCLE.EDGE + count - 1])
    for h in range(count):
        edge = int(cycles_of[plane, row, CYCLE.EDGE + h])
        own = tokens[int(graph[2][edge, EDGE.SOURCE]), ASSET.RANK]
        if count == GAP_LEGS and legs[edge, LEG.BOOK] >= 0:
            other = int(cycles_of[plane, row, CYCLE.EDGE + 1 - h])
            is_purchase = legs[edge, LEG.SIDE] == ASK and legs[other, LEG.SIDE] != ASK
            if legs[other, LEG.BOOK] >= 0 and is_purchase:
                own = -1.0
        if has_book and legs[edge, LEG.CHAIN] > 0 and legs[before, LEG.CHAIN] > 0:
            own += _AMONG_POOLS
        if own < rank:
            first, rank = h, own
        before = edge
    for h in range(ROUTE_LEGS_MAX):
        route[0, h] = (
            int(cycles_of[plane, row, CYCLE.EDGE + (first + h) % count]) if h < count else NONE
        )


@borrowing
def _open_row(routes, open_count, count):
    """Return the open route that the one in scratch space is, or NONE."""
    open_routes, route = routes[5], routes[6]
    for row in range(open_count):
        if open_routes[row, ROUTE.LEGS] == count:
            is_same = True
            for h in range(count):
                is_same = is_same and open_routes[row, ROUTE.EDGE + h] == route[0, h]
            if is_same:
                return row
    return NONE


@borrowing
def _size_next(event, board, graph, routes, sides_of, count, out, rows):
    """Size the route in scratch space into the next row; returns the rows filled in all."""
    if rows < out.shape[0] and size_one(
        board, graph, routes, sides_of, event[1], count, out, rows, True
    ):
        out[rows, SCREENED.OPEN] = NONE
        return rows + 1
    return rows


@borrowing
def _weigh_plane(event, board, graph, routes, sides_of, cycles_of, plane, cycle_count, first):
    """Write what each cycle can gain at most, in USD, in the place of its log gain."""
    tokens, route = routes[2], routes[6]
    for row in range(cycle_count):
        _turn(graph, routes, cycles_of, plane, row)
        most_usd = -math.inf
        if (first == NONE or route[0, 0] == first) and prepare(
            board, graph, routes, sides_of, event[1], plane + 2
        ):
            value_usd = tokens[int(graph[2][route[0, 0], EDGE.SOURCE]), ASSET.VALUE_USD]
            most = weigh(graph, routes, sides_of, plane + 2)
            most_usd = most * (value_usd if value_usd > 0.0 else _UNVALUED_USD)
        cycles_of[plane, row, CYCLE.GAIN] = most_usd


@borrowing
def _size_best(event, board, graph, routes, sides_of, found, out, rows, plane, first):
    """Size the best by weight of one number of legs; returns the rows filled in all."""
    cycles_of, counts, _, _ = found
    legs, route, count = routes[1], routes[6], plane + 2
    left, sized, untraded = counts[count], 0, 0
    _weigh_plane(event, board, graph, routes, sides_of, cycles_of, plane, left, first)
    make_heap(cycles_of, plane, left, GREATEST_FIRST)
    while left > 0 and cycles_of[plane, 0, CYCLE.GAIN] > 0.0 and sized < SIZED_MAX:
        _turn(graph, routes, cycles_of, plane, 0)
        drop_first(cycles_of, plane, left, GREATEST_FIRST)
        left -= 1
        if _open_row(routes, event[2], count) != NONE:
            continue
        if is_traded(legs, route, count):
            sized += 1
        elif untraded < UNTRADED_SIZED_MAX:
            untraded += 1
        else:
            counts[TALLY.UNTRADED] += 1
            continue
        rows = _size_next(event, board, graph, routes, sides_of, count, out, rows)
    for row in range(left):
        if cycles_of[plane, row, CYCLE.GAIN] > 0.0:
            _turn(graph, routes, cycles_of, plane, row)
            if _open_row(routes, event[2], count) != NONE:
                continue
            if is_traded(legs, route, count):
                counts[TALLY.UNSIZED] += 1
                watch_all(graph, route, count)
            else:
                counts[TALLY.UNTRADED] += 1
    return rows


@borrowing
def size_found(event, board, graph, routes, sides_of, found, out, rows, first):
    """Size what a scan found, unless it is open already; returns the rows filled in all.

    `first` is the edge that routes have to start with, NONE for any.
    """
    cycles_of, counts, _, _ = found
    counts[TALLY.UNWEIGHED] += counts[TALLY.OVERFLOW]
    for plane in range(cycles_of.shape[0]):
        count = plane + 2
        if counts[count] > SIZED_MAX:
            rows = _size_best(event, board, graph, routes, sides_of, found, out, rows, plane, first)
            continue
        for row in range(counts[count]):
            _turn(graph, routes, cycles_of, plane, row)
            if (first == NONE or routes[6][0, 0] == first) and _open_row(
                routes, event[2], count
            ) == NONE:
                rows = _size_next(event, board, graph, routes, sides_of, count, out, rows)
    return rows
