"""Scans for profitable cycles of 2 to 4 legs, or 5 by option, through an edge that improved.

Cycles among core tokens come from (max, +) row scans: with W the weights and D the bounds of two
legs, the best closing of u -> v is W[v,u] in one leg, max_x W[v,x] + W[x,u] in two, and at most
max_y D[v,y] + W[y,u] in three. A bound that exceeds the limit is refreshed before it counts.
Cycles with a token of the tail come from a walk. The two kinds are disjoint, and together they are
all.
"""

import numpy as np
from numba import float64, int32, int64, types

from engine.kernels.cycle_five import close_in_four, walk_in_four
from engine.kernels.cycle_found import (
    FOUND,
    clear,
    expand,
    screen_of,
    total_of,
)
from engine.kernels.cycle_walk import walk_tail
from engine.kernels.fetching import fetch
from engine.kernels.graph import GRAPH, is_change, take_raises, tighten, write_rate
from engine.kernels.graph_layout import (
    ALIVE_MIN,
    DEAD,
    EDGE,
    EVERY,
    GRAPH_STATE,
    LANES,
    LATER_IN_BATCH,
    NONE,
    PAIR,
    PLANE,
    TOKEN,
)
from engine.kernels.jit import borrowing_kernel, fused, kernel
from engine.kernels.row_scan import row_max

QUERY = types.Tuple((float64, int64, int64))
"""Least gain (log), most legs, and how many cycles without room are counted exactly."""

CHANGES = types.Tuple((int64, float64, int64, float64))
"""Edge and log rate, twice; NONE for no edge."""


@fused
def _close_in_two(graph, edge, source, target, terms, found):
    dense, pair_of, _, _, _, _, _, _, state = graph
    columns = int64(state[GRAPH_STATE.COLUMNS])
    limit = screen_of(graph, edge, terms, 3, found)
    leaving = dense[PLANE.BEST_LOG]
    reaching = dense[PLANE.BEST_LOG_T]
    if row_max(leaving, target, reaching, source, 0, columns) <= limit:
        return
    for block in range(0, columns, LANES):
        if row_max(leaving, target, reaching, source, block, block + LANES) > limit:
            for x in range(block, block + LANES):
                if leaving[target, x] + reaching[source, x] > limit:
                    first, middle = int64(pair_of[target, x]), int64(pair_of[x, source])
                    expand(graph, edge, (first, middle, -1, -1), terms, found)
                    limit = screen_of(graph, edge, terms, 3, found)


@fused
def _close_by(graph, edge, source, target, y, terms, found):
    """Close in three legs, the last one of which starts at y."""
    dense, pair_of, _, _, _, _, _, _, state = graph
    columns = int64(state[GRAPH_STATE.COLUMNS])
    limit = screen_of(graph, edge, terms, 4, found)
    leaving = dense[PLANE.BEST_LOG]
    reaching = dense[PLANE.BEST_LOG_T]
    last = reaching[source, y]
    if tighten(graph, target, y) + last <= limit:
        return
    closing = int64(pair_of[y, source])
    for block in range(0, columns, LANES):
        if row_max(leaving, target, reaching, y, block, block + LANES) + last > limit:
            for x in range(block, block + LANES):
                if x != source and leaving[target, x] + reaching[y, x] + last > limit:
                    first, middle = int64(pair_of[target, x]), int64(pair_of[x, y])
                    expand(graph, edge, (first, middle, closing, -1), terms, found)
                    limit = screen_of(graph, edge, terms, 4, found)


@fused
def _close_in_three(graph, edge, source, target, terms, found):
    dense = graph[0]
    columns = int64(graph[8][GRAPH_STATE.COLUMNS])
    limit = screen_of(graph, edge, terms, 4, found)
    two_hop = dense[PLANE.TWO_HOP]
    reaching = dense[PLANE.BEST_LOG_T]
    take_raises(graph, target)
    best = row_max(two_hop, target, reaching, source, 0, columns)
    if best <= limit:
        return
    # The most promising first: once the output is full, most of the others fall short of it.
    is_done = found[2]
    for y in range(columns):
        is_done[y] = 0
    for part in (0.75, 0.0):
        cut = limit + part * (best - limit)
        for block in range(0, columns, LANES):
            if row_max(two_hop, target, reaching, source, block, block + LANES) > cut:
                for y in range(block, block + LANES):
                    if two_hop[target, y] + reaching[source, y] > cut and is_done[y] == 0:
                        is_done[y] = 1
                        _close_by(graph, edge, source, target, y, terms, found)
                        limit = screen_of(graph, edge, terms, 4, found)
                        cut = max(cut, limit)


@fused
def _scan_core(graph, edge, source, target, terms, found):
    if graph[0][PLANE.BEST_LOG, target, source] > screen_of(graph, edge, terms, 2, found):
        expand(graph, edge, (int64(graph[1][target, source]), -1, -1, -1), terms, found)
    if terms[1] >= 3:
        _close_in_two(graph, edge, source, target, terms, found)
    if terms[1] >= 4:
        _close_in_three(graph, edge, source, target, terms, found)
    if terms[1] >= 5:
        close_in_four(graph, edge, (source, target), terms, found)


@fused
def _scan_edge(graph, edge, terms, found):
    _, pair_of, edges, _, _, _, tokens, _, state = graph
    core = pair_of.shape[0]
    source = int64(edges[edge, EDGE.SOURCE])
    target = int64(edges[edge, EDGE.TARGET])
    if source < core and target < core:
        _scan_core(graph, edge, source, target, terms, found)
    if terms[1] >= 5 and state[GRAPH_STATE.TAIL_PAIRS] > 0:
        walk_in_four(graph, edge, (source, target), terms, found)
    if source < core and target < core:
        # The token of the tail would have to be next to one of the two.
        if tokens[target, TOKEN.OUT + 1] < 0 and tokens[source, TOKEN.IN + 1] < 0:
            return
    walk_tail(graph, edge, (source, target), terms, found)


@fused
def _take_watch(graph, edge):
    """Tell whether an edge is to be scanned whatever became of its rate; it is so once."""
    if edge < 0 or graph[2][edge, EDGE.WATCH] == 0:
        return False
    graph[2][edge, EDGE.WATCH] = 0
    return True


@borrowing_kernel(int64(GRAPH, QUERY, CHANGES, FOUND))
def on_rates(graph, query, changes, found):
    """Set the log rates of one place's two edges and scan those that improved or are watched.

    Other kernels may call it as well, with the same arguments.

    Args:
        graph: `GRAPH`, the arrays of `graph_layout`: `MarketGraph.arrays`.
        query: `QUERY`: `CycleScan.query`.
        changes: `CHANGES`: int64 edge, float64 log rate, and again for the other edge or NONE.
        found: `FOUND`: `CycleScan.found`, the rows float64 (legs_max - 1, cycles, CYCLE_COLUMNS),
            their int64 counts, and scratch. Cycles of n legs are in
            ``found[0][n - 2, :found[1][n]]``; ``found[1][TALLY.OVERFLOW]`` had no room.

    Returns:
        The number of cycles written, or NONE if nothing was changed because an edge does not exist
        or a rate is none; then `found` is as it was.
    """
    terms = (query[0], query[1], query[2], int64(EVERY))
    edge, log_rate, other, other_log_rate = changes
    if not (
        is_change(graph, edge, log_rate)
        and (other == NONE or is_change(graph, other, other_log_rate))
    ):
        return NONE
    is_due = write_rate(graph, edge, log_rate)
    is_due |= _take_watch(graph, edge)
    clear(found)
    is_other_due = write_rate(graph, other, other_log_rate)
    is_other_due |= _take_watch(graph, other)
    if is_due:
        _scan_edge(graph, edge, terms, found)
    # The other edge counts only if it is another one.
    if is_other_due and other != edge:
        _scan_edge(graph, other, terms, found)
    return total_of(found)


@borrowing_kernel(int64(GRAPH, QUERY, int64, FOUND))
def scan_again(graph, query, edge, found):
    """Scan an edge that is alive as if it had just improved; nothing of the graph changes.

    Other kernels may call it as well. Arguments and result: see `on_rates`.
    """
    clear(found)
    _take_watch(graph, edge)
    _scan_edge(graph, edge, (query[0], query[1], query[2], int64(EVERY)), found)
    return total_of(found)


@fused
def _fetch_weights(graph, changed):
    """Ask for what the new rates of edges are written to, all of which is far apart."""
    dense, _, edges, _, pairs, _, _, _, _ = graph
    core = dense.shape[1]
    for k in range(changed.shape[0]):
        fetch(pairs, int64(edges[changed[k], EDGE.PAIR]), 0)
    for k in range(changed.shape[0]):
        pair = int64(edges[changed[k], EDGE.PAIR])
        source, target = int64(pairs[pair, PAIR.SOURCE]), int64(pairs[pair, PAIR.TARGET])
        if source < core and target < core:
            fetch(dense[PLANE.BEST_LOG], source, target)
            fetch(dense[PLANE.BEST_LOG_T], target, source)
            fetch(dense[PLANE.COVERED], source, target)


@kernel(int64(GRAPH, QUERY, int32[::1], float64[::1], FOUND))
def on_batch(graph, query, changed, log_rates, found):
    """Set many log rates, then scan the edges that improved or are watched.

    No cycle comes twice.

    An edge that is named twice has its last rate, and is improved if that is above what it was
    before the batch. DEAD takes an edge out of all cycles.

    Args:
        graph, query, found: see `on_rates`.
        changed: edges.
        log_rates: one for each.

    Returns: see `on_rates`.
    """
    edges = graph[2]
    rates = graph[3]
    terms = (query[0], query[1], query[2], int64(LATER_IN_BATCH))
    for k in range(changed.shape[0]):
        log_rate = log_rates[k] if log_rates[k] != DEAD else 0.0
        if not is_change(graph, int64(changed[k]), log_rate):
            return NONE
    _fetch_weights(graph, changed)
    before = np.empty(changed.shape[0], np.float64)
    for k in range(changed.shape[0]):
        edge = int64(changed[k])
        if edges[edge, EDGE.STAMP] == 0:
            edges[edge, EDGE.STAMP] = k + 1
            before[k] = rates[edge]
        write_rate(graph, edge, log_rates[k])
    # A stamp stays only on what is scanned, so that each cycle has a first edge that reports it.
    for k in range(changed.shape[0]):
        edge = int64(changed[k])
        if edges[edge, EDGE.STAMP] == k + 1:
            is_watched = _take_watch(graph, edge)
            is_alive = rates[edge] > ALIVE_MIN
            if not is_alive or not (is_watched or rates[edge] > before[k]):
                edges[edge, EDGE.STAMP] = 0
    clear(found)
    for k in range(changed.shape[0]):
        edge = int64(changed[k])
        if edges[edge, EDGE.STAMP] == k + 1:
            _scan_edge(graph, edge, terms, found)
    for k in range(changed.shape[0]):
        edges[int64(changed[k]), EDGE.STAMP] = 0
    return total_of(found)
