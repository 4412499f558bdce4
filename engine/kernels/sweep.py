"""A sweep: routes that could not be costed are screened as soon as they can be, a part at a time.

A route costs gas, which is counted in the token that it starts in. While nobody knows what that
token or gas is worth, the route is not screened, and once they do, no change tells so.
"""

from numba import float64, int64

from engine.kernels import cycles
from engine.kernels.candidates import EVENT, size_found
from engine.kernels.cycle_found import FOUND
from engine.kernels.graph import GRAPH
from engine.kernels.graph_layout import ALIVE_MIN, EDGE
from engine.kernels.jit import borrowing, kernel
from engine.kernels.one_route import BOARD, ROUTES, SIDES
from engine.kernels.screen_layout import ASSET, IS_SWEPT, LEG, SWEEP


@borrowing
def _is_start(graph, legs, tokens, edge):
    """Tell whether an edge is alive and routes that are swept start with it."""
    edges, rates = graph[2], graph[3]
    source, target = int(edges[edge, EDGE.SOURCE]), int(edges[edge, EDGE.TARGET])
    return (
        rates[edge] > ALIVE_MIN
        and tokens[source, ASSET.WAITS] == IS_SWEPT
        and (
            tokens[source, ASSET.RANK] < tokens[target, ASSET.RANK]
            or (legs[edge, LEG.CHAIN] > 0 and tokens[source, ASSET.IS_AT_BOOKS] > 0)
        )
    )


@kernel(
    int64(
        EVENT,
        BOARD,
        GRAPH,
        cycles.QUERY,
        ROUTES,
        SIDES,
        FOUND,
        int64[::1],
        float64[:, ::1],
    )
)
def screen_starts(event, board, graph, query, routes, sides_of, found, sweep, out):
    """Go on with a sweep: size the routes that start in tokens that waited, a part of them.

    A route starts in its token of the lowest rank, hence with an edge to one of a higher rank, or,
    of books and pools, with a pool behind a book: scanned from there alone, each is found once.

    Args:
        event: see `EVENT`; there is no place.
        sweep: int64 (SWEEP_ENTRIES,) of `screen_layout`, counted down.

    The other arguments and the result are those of `screen_book`. There is room in the result if
    it has as many rows as the sweep may have routes, and one edge more may find.
    """
    rows = 0
    while sweep[SWEEP.EDGE] < graph[3].shape[0] and sweep[SWEEP.SCANS] > 0:
        edge = sweep[SWEEP.EDGE]
        if _is_start(graph, routes[1], routes[2], edge):
            if sweep[SWEEP.ROUTES] <= 0:
                break
            sweep[SWEEP.SCANS] -= 1
            found_count = cycles.scan_again(graph, query, edge, found)
            sweep[SWEEP.ROUTES] -= found_count
            rows = size_found(event, board, graph, routes, sides_of, found, out, rows, edge)
        sweep[SWEEP.EDGE] += 1
    return rows
