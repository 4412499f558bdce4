"""From token cycles to the best cycles of edges, for the scans in `cycles`.

A cycle visits no token and no place twice: whatever a place's other edges promise, trading there
moves the price that the second trade would have needed.

The best are kept for each number of legs by itself. Those without room are counted, every one of
them up to a limit; beyond it, what is worse than the kept ones is no longer looked for. A cycle
through pools of two chains, or over a bridge, is no transaction of anybody: whatever it gains, it
gives way to those that are.
"""

from numba import float64, int8, int64, types

from engine.kernels.graph_layout import (
    ALIVE_MIN,
    CYCLE,
    EDGE,
    GRAPH_STATE,
    LATER_IN_BATCH,
    PAIR,
    PATH_MAX,
    POTENTIALS,
    ROUNDING,
    TALLY,
    UNTRADED_LOG,
)
from engine.kernels.heap import LEAST_FIRST, make_heap, sift_down
from engine.kernels.jit import borrowing, fused

FOUND = types.Tuple((float64[:, :, ::1], int64[::1], int8[::1], float64[::1]))
"""Rows (legs - 2, cycles, CYCLE_COLUMNS), how many by legs, marks, bounds; see `graph_layout`."""


@fused
def clear(found):
    """Forget what was found."""
    for k in range(TALLY.CHOSEN):
        found[1][k] = 0


@fused
def total_of(found):
    """Return how many cycles are kept."""
    total = 0
    for legs in range(2, found[0].shape[0] + 2):
        total += found[1][legs]
    return total


@fused
def floor_of(found, terms, legs, untraded_log):
    """Return the gain that a further cycle of so many legs has to exceed to be looked for.

    `untraded_log` is 0 of a cycle that may be traded, UNTRADED_LOG of another.
    """
    rows, counts, _, _ = found
    if counts[legs] < rows.shape[1] or counts[TALLY.OVERFLOW] < terms[2]:
        return terms[0]
    return max(terms[0], rows[legs - 2, 0, CYCLE.GAIN] + untraded_log)


@fused
def _missing(graph, edge, floor):
    _, _, edges, rates, _, _, _, potentials, state = graph
    weight = (
        rates[edge]
        + potentials[POTENTIALS.OWN, edges[edge, EDGE.SOURCE]]
        - potentials[POTENTIALS.OWN, edges[edge, EDGE.TARGET]]
    )
    return floor - weight - ROUNDING * (state[GRAPH_STATE.SCALE] + abs(weight))


@fused
def screen_of(graph, edge, terms, legs, found):
    """Return what the weights of all other legs have to exceed, less what rounding hides."""
    return _missing(graph, edge, floor_of(found, terms, legs, 0.0))


@fused
def least_screen_of(graph, edge, terms, found):
    """Return the least screen of cycles of up to four legs that close an edge."""
    floor = floor_of(found, terms, 2, 0.0)
    for legs in range(3, min(terms[1], 4) + 1):
        floor = min(floor, floor_of(found, terms, legs, 0.0))
    return _missing(graph, edge, floor)


@fused
def _is_usable(graph, edge, leg, order):
    _, _, edges, rates, _, _, _, _, _ = graph
    if not rates[leg] > ALIVE_MIN or edges[leg, EDGE.PLACE] == edges[edge, EDGE.PLACE]:
        return False
    stamp = edges[leg, EDGE.STAMP]
    return order != LATER_IN_BATCH or stamp == 0 or stamp > edges[edge, EDGE.STAMP]


@fused
def _untraded_log(edges, edge, chosen, depth):
    """Return 0 for legs that one transaction may go through, with books or without them."""
    chain = int64(edges[edge, EDGE.CHAIN])
    for k in range(depth + 1):
        own = int64(edges[chosen[k], EDGE.CHAIN])
        if own != 0:
            if chain == 0:
                chain = own
            elif own != chain:
                return UNTRADED_LOG
    return UNTRADED_LOG if chain < 0 else 0.0


@fused
def _insert(found, gain, edge, chosen, legs):
    rows, counts, _, _ = found
    plane, room = legs - 2, rows.shape[1]
    row = counts[legs]
    is_full = row == room
    if is_full:
        counts[TALLY.OVERFLOW] += 1
        if not gain > rows[plane, 0, CYCLE.GAIN]:
            return
        row = 0
    else:
        counts[legs] += 1
    rows[plane, row, CYCLE.GAIN] = gain
    rows[plane, row, CYCLE.LEGS] = legs
    rows[plane, row, CYCLE.EDGE] = edge
    for k in range(PATH_MAX):
        rows[plane, row, CYCLE.EDGE + 1 + k] = chosen[k] if k < legs - 1 else -1
    if row == room - 1:
        make_heap(rows, plane, room, LEAST_FIRST)
    elif is_full:
        sift_down(rows, plane, 0, room, LEAST_FIRST)


@borrowing
def expand(graph, edge, path, terms, found):
    """Write the best choices of parallel edges along a path of pairs into `found`.

    Args:
        path: PATH_MAX pairs, from the edge's target back to its source; NONE after the last.
    """
    _, _, edges, rates, pairs, _, _, _, _ = graph
    rest = 1
    while rest < PATH_MAX and path[rest] >= 0:
        rest += 1
    chosen = found[1][TALLY.CHOSEN :]
    chosen[0] = pairs[path[0], PAIR.HEAD]
    depth = 0
    while depth >= 0:
        leg = chosen[depth]
        if leg < 0:
            depth -= 1
            if depth >= 0:
                chosen[depth] = edges[chosen[depth], EDGE.NEXT]
            continue
        gain = rates[edge]
        is_usable = _is_usable(graph, edge, leg, terms[3])
        for k in range(depth + 1):
            gain += rates[chosen[k]]
            is_usable &= k == depth or edges[chosen[k], EDGE.PLACE] != edges[leg, EDGE.PLACE]
        most = gain
        for k in range(depth + 1, rest):
            most += rates[pairs[path[k], PAIR.BEST]]
        untraded_log = _untraded_log(edges, edge, chosen, depth)
        floor = floor_of(found, terms, rest + 1, untraded_log)
        if depth + 1 == rest and is_usable and gain > floor:
            _insert(found, gain - untraded_log, edge, chosen, rest + 1)
        # Not with `<=`: a sum in another order may differ in its last bit.
        if depth + 1 < rest and is_usable and most >= floor - 1e-12:
            depth += 1
            chosen[depth] = pairs[path[depth], PAIR.HEAD]
        else:
            chosen[depth] = edges[leg, EDGE.NEXT]
