"""The market graph: edges into pairs, pairs into the dense planes and lists that scans read.

Weights are log rates adjusted by potentials of the tokens, ``log rate + source - target``, which
leaves the sum along every cycle as it is and keeps float32 precise. They are always set from the
exact rate, never added to. Two-hop bounds are raised with a weight, and left as they are when it
falls: still bounds. Those by way of a hub are in hundreds of rows, far apart in memory: each row is
raised by all of a hub's pairs at once, before it is read. See `graph_layout` for the arrays.
"""

import numpy as np
from numba import float32, float64, int32, int64, types

from engine.kernels.graph_layout import (
    ALIVE_MIN,
    DEAD,
    EDGE,
    GRAPH_STATE,
    HEADROOM,
    HUB,
    HUB_ENTRIES,
    HUB_PAIRS_MIN,
    HUBS_MAX,
    LOG_MAX,
    NONE,
    PAIR,
    PLANE,
    POTENTIALS,
    TOKEN,
    WEIGHT_MIN,
)
from engine.kernels.jit import borrowing, borrowing_kernel, fused
from engine.kernels.row_scan import raise_row, row_max

GRAPH = types.Tuple(
    (
        float32[:, :, ::1],
        int32[:, ::1],
        int32[:, ::1],
        float64[::1],
        int32[:, ::1],
        float32[::1],
        int32[:, ::1],
        float64[:, ::1],
        float64[::1],
    )
)

_POTENTIAL_MAX = LOG_MAX
_DEAD_32 = np.float32(DEAD)


@fused
def find_pair(graph, source, target):
    """Return the pair from one token to another, or NONE."""
    _, pair_of, _, _, pairs, _, tokens, _, _ = graph
    core = pair_of.shape[0]
    if source < core and target < core:
        return int64(pair_of[source, target])
    if source >= core:
        pair = int64(tokens[source, TOKEN.OUT + (target >= core)])
        while pair >= 0 and pairs[pair, PAIR.TARGET] != target:
            pair = int64(pairs[pair, PAIR.OUT_NEXT])
        return pair
    pair = int64(tokens[target, TOKEN.IN])
    while pair >= 0 and pairs[pair, PAIR.SOURCE] != source:
        pair = int64(pairs[pair, PAIR.IN_NEXT])
    return pair


@fused
def _adjusted(graph, pair):
    _, _, _, rates, pairs, _, _, potentials, _ = graph
    best = pairs[pair, PAIR.BEST]
    if best < 0 or not rates[best] > ALIVE_MIN:
        return DEAD
    return (
        rates[best]
        + potentials[POTENTIALS.OWN, pairs[pair, PAIR.SOURCE]]
        - potentials[POTENTIALS.OWN, pairs[pair, PAIR.TARGET]]
    )


@fused
def _write_weight(graph, pair):
    """Write a pair's weight everywhere but in the two-hop bounds."""
    dense, _, _, _, pairs, weights, _, potentials, state = graph
    core = dense.shape[1]
    source = int64(pairs[pair, PAIR.SOURCE])
    target = int64(pairs[pair, PAIR.TARGET])
    adjusted = _adjusted(graph, pair)
    weight = np.float32(max(adjusted, WEIGHT_MIN) if adjusted > ALIVE_MIN else DEAD)
    weights[pair] = weight
    if source < core and target < core:
        dense[PLANE.BEST_LOG, source, target] = weight
        dense[PLANE.BEST_LOG_T, target, source] = weight
    if weight > ALIVE_MIN:
        state[GRAPH_STATE.SCALE] = max(state[GRAPH_STATE.SCALE], abs(weight))
        potentials[POTENTIALS.OUT_MAX, source] = max(potentials[POTENTIALS.OUT_MAX, source], weight)
        potentials[POTENTIALS.IN_MAX, target] = max(potentials[POTENTIALS.IN_MAX, target], weight)


@borrowing
def _note_raise(state, hub):
    """Note that rows are to be raised by a hub's pairs; tell whether there is room for it."""
    for at in range(GRAPH_STATE.HUBS, GRAPH_STATE.HUBS + HUB_ENTRIES * HUBS_MAX, HUB_ENTRIES):
        if state[at + HUB.RAISE] == 0 or state[at + HUB.TOKEN] == hub:
            state[GRAPH_STATE.RAISED] += 1
            state[at + HUB.TOKEN] = hub
            state[at + HUB.RAISE] = state[GRAPH_STATE.RAISED]
            return True
    return False


@borrowing
def _take_raises(dense, potentials, state, token):
    columns = int64(state[GRAPH_STATE.COLUMNS])
    seen = potentials[POTENTIALS.RAISES_SEEN, token]
    two_hop, leaving = dense[PLANE.TWO_HOP], dense[PLANE.BEST_LOG]
    for at in range(GRAPH_STATE.HUBS, GRAPH_STATE.HUBS + HUB_ENTRIES * HUBS_MAX, HUB_ENTRIES):
        if state[at + HUB.RAISE] > seen:
            hub = int64(state[at + HUB.TOKEN])
            if leaving[token, hub] > ALIVE_MIN:
                weight = leaving[token, hub] + np.float32(HEADROOM)
                raise_row(two_hop, token, dense[PLANE.COVERED], hub, weight, columns)
    two_hop[token, token] = _DEAD_32
    potentials[POTENTIALS.RAISES_SEEN, token] = state[GRAPH_STATE.RAISED]


@fused
def take_raises(graph, token):
    """Raise the two-hop bounds from a core token by way of all hubs; before they are read."""
    if graph[7][POTENTIALS.RAISES_SEEN, token] != graph[8][GRAPH_STATE.RAISED]:
        _take_raises(graph[0], graph[7], graph[8], token)


@borrowing_kernel(types.void(GRAPH))
def take_all_raises(graph):
    """Raise all two-hop bounds by way of hubs."""
    for token in range(int64(graph[8][GRAPH_STATE.COLUMNS])):
        take_raises(graph, token)


@fused
def _raise_two_hops(graph, source, target):
    """Raise the bounds of all two legs of which one is the given pair of core tokens."""
    dense = graph[0]
    columns = int64(graph[8][GRAPH_STATE.COLUMNS])
    # The other leg may come to be better by its headroom before its own bounds are raised.
    weight = dense[PLANE.BEST_LOG, source, target] + np.float32(2.0 * HEADROOM)
    two_hop = dense[PLANE.TWO_HOP]
    raise_row(two_hop, source, dense[PLANE.BEST_LOG], target, weight, columns)
    pairs, weights, tokens = graph[4], graph[5], graph[6]
    leg = int64(tokens[source, TOKEN.IN])
    if tokens[source, TOKEN.PAIRS] >= HUB_PAIRS_MIN and _note_raise(graph[8], source):
        leg = int64(NONE)
    # A column is far apart in memory: only the source's neighbours are looked at.
    while leg >= 0:
        first = int64(pairs[leg, PAIR.SOURCE])
        two_hop[first, target] = max(two_hop[first, target], weights[leg] + weight)
        leg = int64(pairs[leg, PAIR.IN_NEXT])
    # A token to itself in two legs is no part of a longer cycle.
    two_hop[source, source] = _DEAD_32
    two_hop[target, target] = _DEAD_32


@fused
def publish(graph, pair):
    """Write a pair's weight, and raise the two-hop bounds that no longer cover it."""
    _write_weight(graph, pair)
    dense, _, _, _, pairs, weights, _, _, _ = graph
    source = int64(pairs[pair, PAIR.SOURCE])
    target = int64(pairs[pair, PAIR.TARGET])
    if source >= dense.shape[1] or target >= dense.shape[1]:
        return
    weight = weights[pair]
    covered = np.float32(weight + np.float32(HEADROOM))
    if weight > dense[PLANE.COVERED, source, target]:
        dense[PLANE.COVERED, source, target] = covered
        _raise_two_hops(graph, source, target)
    elif covered < dense[PLANE.COVERED, source, target]:
        dense[PLANE.COVERED, source, target] = covered


@fused
def tighten(graph, source, target):
    """Write the two-hop bound of two core tokens anew; returns the best two legs' weight."""
    dense = graph[0]
    columns = int64(graph[8][GRAPH_STATE.COLUMNS])
    exact = row_max(dense[PLANE.BEST_LOG], source, dense[PLANE.BEST_LOG_T], target, 0, columns)
    dense[PLANE.TWO_HOP, source, target] = exact + np.float32(2.0 * HEADROOM)
    return exact


@fused
def _choose_best(graph, pair):
    _, _, edges, rates, pairs, _, _, _, _ = graph
    edge = int64(pairs[pair, PAIR.HEAD])
    best = edge
    while edge >= 0:
        if rates[edge] > rates[best]:
            best = edge
        edge = int64(edges[edge, EDGE.NEXT])
    pairs[pair, PAIR.BEST] = best


@fused
def is_change(graph, edge, log_rate):
    """Tell whether there is such an edge and the log rate is one."""
    return (
        edge >= 0
        and edge < graph[3].shape[0]
        and graph[2][edge, EDGE.PAIR] >= 0
        and log_rate >= -LOG_MAX
        and log_rate <= LOG_MAX
    )


@fused
def write_rate(graph, edge, log_rate):
    """Set an edge's log rate; returns whether it improved.

    A log rate that is not finite or beyond the limits makes the edge dead; an edge that is free or
    does not exist stays as it is.
    """
    _, _, edges, rates, pairs, _, _, _, _ = graph
    if edge < 0 or edge >= rates.shape[0] or edges[edge, EDGE.PAIR] < 0:
        return False
    if not (log_rate >= -LOG_MAX and log_rate <= LOG_MAX):
        log_rate = DEAD
    before = rates[edge]
    if log_rate == before:
        return False
    rates[edge] = log_rate
    pair = int64(edges[edge, EDGE.PAIR])
    best = int64(pairs[pair, PAIR.BEST])
    if best == edge:
        if log_rate < before and edges[int64(pairs[pair, PAIR.HEAD]), EDGE.NEXT] >= 0:
            _choose_best(graph, pair)
        publish(graph, pair)
    elif log_rate > rates[best]:
        pairs[pair, PAIR.BEST] = edge
        publish(graph, pair)
    return log_rate > before


@borrowing
def _open_pair(graph, source, target):
    _, pair_of, _, _, pairs, weights, tokens, _, state = graph
    core = pair_of.shape[0]
    pair = int64(state[GRAPH_STATE.PAIR_FREE])
    if pair < 0:
        return pair
    state[GRAPH_STATE.PAIR_FREE] = pairs[pair, PAIR.OUT_NEXT]
    pairs[pair, PAIR.SOURCE] = source
    pairs[pair, PAIR.TARGET] = target
    pairs[pair, PAIR.HEAD] = NONE
    pairs[pair, PAIR.BEST] = NONE
    weights[pair] = _DEAD_32
    out_list = TOKEN.OUT + (target >= core)
    in_list = TOKEN.IN + (source >= core)
    after = tokens[source, out_list]
    pairs[pair, PAIR.OUT_NEXT] = after
    pairs[pair, PAIR.OUT_PREVIOUS] = NONE
    if after >= 0:
        pairs[after, PAIR.OUT_PREVIOUS] = pair
    tokens[source, out_list] = pair
    after = tokens[target, in_list]
    pairs[pair, PAIR.IN_NEXT] = after
    pairs[pair, PAIR.IN_PREVIOUS] = NONE
    if after >= 0:
        pairs[after, PAIR.IN_PREVIOUS] = pair
    tokens[target, in_list] = pair
    tokens[source, TOKEN.PAIRS] += 1
    tokens[target, TOKEN.PAIRS] += 1
    if source < core and target < core:
        pair_of[source, target] = pair
    else:
        state[GRAPH_STATE.TAIL_PAIRS] += 1
    return pair


@borrowing
def _close_pair(graph, pair):
    _, pair_of, _, _, pairs, _, tokens, potentials, state = graph
    core = pair_of.shape[0]
    source = int64(pairs[pair, PAIR.SOURCE])
    target = int64(pairs[pair, PAIR.TARGET])
    before = pairs[pair, PAIR.OUT_PREVIOUS]
    after = pairs[pair, PAIR.OUT_NEXT]
    if before >= 0:
        pairs[before, PAIR.OUT_NEXT] = after
    else:
        tokens[source, TOKEN.OUT + (target >= core)] = after
    if after >= 0:
        pairs[after, PAIR.OUT_PREVIOUS] = before
    before = pairs[pair, PAIR.IN_PREVIOUS]
    after = pairs[pair, PAIR.IN_NEXT]
    if before >= 0:
        pairs[before, PAIR.IN_NEXT] = after
    else:
        tokens[target, TOKEN.IN + (source >= core)] = after
    if after >= 0:
        pairs[after, PAIR.IN_PREVIOUS] = before
    for token in (source, target):
        tokens[token, TOKEN.PAIRS] -= 1
        if tokens[token, TOKEN.PAIRS] == 0:
            potentials[POTENTIALS.OUT_MAX, token] = DEAD
            potentials[POTENTIALS.IN_MAX, token] = DEAD
    if source < core and target < core:
        pair_of[source, target] = NONE
    else:
        state[GRAPH_STATE.TAIL_PAIRS] -= 1
    pairs[pair, PAIR.SOURCE] = NONE
    pairs[pair, PAIR.OUT_NEXT] = int64(state[GRAPH_STATE.PAIR_FREE])
    state[GRAPH_STATE.PAIR_FREE] = pair


@borrowing
def _place_new_token(graph, source, target, log_rate):
    """Give a token without pairs the potential that makes its first weight zero."""
    tokens = graph[6]
    potentials = graph[7]
    if tokens[target, TOKEN.PAIRS] == 0:
        potentials[POTENTIALS.OWN, target] = potentials[POTENTIALS.OWN, source] + log_rate
        moved = target
    elif tokens[source, TOKEN.PAIRS] == 0:
        potentials[POTENTIALS.OWN, source] = potentials[POTENTIALS.OWN, target] - log_rate
        moved = source
    else:
        return
    limited = max(min(potentials[POTENTIALS.OWN, moved], _POTENTIAL_MAX), -_POTENTIAL_MAX)
    potentials[POTENTIALS.OWN, moved] = limited


@borrowing_kernel(int64(GRAPH, int64, int64, int64, float64))
def add_edge(graph, source, target, place, log_rate):
    """Add an edge; the caller has checked tokens, place and rate.

    Returns:
        The edge's number, or NONE if there is no room.
    """
    _, _, edges, rates, pairs, _, _, _, state = graph
    edge = int64(state[GRAPH_STATE.EDGE_FREE])
    if edge < 0:
        return NONE
    pair = find_pair(graph, source, target)
    if pair < 0:
        if state[GRAPH_STATE.PAIR_FREE] < 0:
            return NONE
        _place_new_token(graph, source, target, log_rate)
        pair = _open_pair(graph, source, target)
    state[GRAPH_STATE.EDGE_FREE] = edges[edge, EDGE.NEXT]
    edges[edge, EDGE.SOURCE] = source
    edges[edge, EDGE.TARGET] = target
    edges[edge, EDGE.PLACE] = place
    edges[edge, EDGE.PAIR] = pair
    edges[edge, EDGE.NEXT] = pairs[pair, PAIR.HEAD]
    edges[edge, EDGE.STAMP] = 0
    edges[edge, EDGE.WATCH] = 0
    edges[edge, EDGE.CHAIN] = 0
    rates[edge] = DEAD
    pairs[pair, PAIR.HEAD] = edge
    if pairs[pair, PAIR.BEST] < 0:
        pairs[pair, PAIR.BEST] = edge
    write_rate(graph, edge, log_rate)
    return edge


@borrowing_kernel(types.void(GRAPH, int64))
def remove_edge(graph, edge):
    """Remove an edge, and its pair with the last one; its number may be given out again."""
    _, _, edges, rates, pairs, _, _, _, state = graph
    write_rate(graph, edge, DEAD)
    pair = int64(edges[edge, EDGE.PAIR])
    before = int64(pairs[pair, PAIR.HEAD])
    if before == edge:
        pairs[pair, PAIR.HEAD] = edges[edge, EDGE.NEXT]
    else:
        while edges[before, EDGE.NEXT] != edge:
            before = int64(edges[before, EDGE.NEXT])
        edges[before, EDGE.NEXT] = edges[edge, EDGE.NEXT]
    rates[edge] = DEAD
    if pairs[pair, PAIR.HEAD] < 0:
        _close_pair(graph, pair)
    else:
        _choose_best(graph, pair)
        publish(graph, pair)
    edges[edge, EDGE.PAIR] = NONE
    edges[edge, EDGE.NEXT] = int64(state[GRAPH_STATE.EDGE_FREE])
    state[GRAPH_STATE.EDGE_FREE] = edge


@borrowing
def _cover_exactly(graph, pair):
    dense = graph[0]
    source = int64(graph[4][pair, PAIR.SOURCE])
    target = int64(graph[4][pair, PAIR.TARGET])
    if source < dense.shape[1] and target < dense.shape[1]:
        # Not the weight: what was raised to the least weight has not raised the bounds.
        dense[PLANE.COVERED, source, target] = np.float32(_adjusted(graph, pair))


@borrowing_kernel(types.void(GRAPH, int64, float64))
def set_potential(graph, token, potential):
    """Give a token another potential and write all that depends on it from exact rates."""
    dense, _, _, _, pairs, _, tokens, potentials, state = graph
    columns = int64(state[GRAPH_STATE.COLUMNS])
    potentials[POTENTIALS.OWN, token] = max(min(potential, _POTENTIAL_MAX), -_POTENTIAL_MAX)
    potentials[POTENTIALS.OUT_MAX, token] = DEAD
    potentials[POTENTIALS.IN_MAX, token] = DEAD
    for side in range(2):
        pair = int64(tokens[token, TOKEN.OUT + side])
        while pair >= 0:
            _write_weight(graph, pair)
            _cover_exactly(graph, pair)
            pair = int64(pairs[pair, PAIR.OUT_NEXT])
        pair = int64(tokens[token, TOKEN.IN + side])
        while pair >= 0:
            _write_weight(graph, pair)
            _cover_exactly(graph, pair)
            pair = int64(pairs[pair, PAIR.IN_NEXT])
    if token < dense.shape[1]:
        # Bounds through the token stay: what one leg gains, the other loses.
        for other in range(columns):
            if other != token:
                tighten(graph, token, other)
                tighten(graph, other, token)


@borrowing_kernel(int64(GRAPH, int32[::1], float64[::1]))
def set_rates(graph, changed, log_rates):
    """Set the log rates of many edges without a scan; returns how many improved."""
    improved = 0
    for k in range(changed.shape[0]):
        if write_rate(graph, int64(changed[k]), log_rates[k]):
            improved += 1
    return improved
