"""The market graph: edges into pairs, pairs into the dense planes and lists that scans read.

Weights are log rates adjusted by potentials of the tokens, ``log rate + source - target``, which
leaves the sum along every cycle as it is and keeps float32 precise. They are always set from the
exact rate, never added to. Two-hop bounds are raised with a weight, and left as they are when it
falls: still bounds. See `graph_layout` for the arrays.
"""

import numpy as np
from numba import float32, float64, int32, int64, types

from engine.kernels.graph_layout import (
    ALIVE_MIN,
    BEST_LOG,
    BEST_LOG_T,
    COLUMNS,
    COVERED,
    DEAD,
    EDGE_FREE,
    EDGE_NEXT,
    EDGE_PAIR,
    EDGE_PLACE,
    EDGE_SOURCE,
    EDGE_STAMP,
    EDGE_TARGET,
    EDGE_WATCH,
    HEADROOM,
    IN_MAX,
    LOG_MAX,
    NONE,
    OUT_MAX,
    PAIR_BEST,
    PAIR_FREE,
    PAIR_HEAD,
    PAIR_IN_NEXT,
    PAIR_IN_PREVIOUS,
    PAIR_OUT_NEXT,
    PAIR_OUT_PREVIOUS,
    PAIR_SOURCE,
    PAIR_TARGET,
    POTENTIAL,
    SCALE,
    TAIL_PAIRS,
    TOKEN_IN,
    TOKEN_OUT,
    TOKEN_PAIRS,
    TWO_HOP,
    VERSION,
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
        pair = int64(tokens[source, TOKEN_OUT + (target >= core)])
        while pair >= 0 and pairs[pair, PAIR_TARGET] != target:
            pair = int64(pairs[pair, PAIR_OUT_NEXT])
        return pair
    pair = int64(tokens[target, TOKEN_IN])
    while pair >= 0 and pairs[pair, PAIR_SOURCE] != source:
        pair = int64(pairs[pair, PAIR_IN_NEXT])
    return pair


@fused
def _adjusted(graph, pair):
    _, _, _, rates, pairs, _, _, potentials, _ = graph
    best = pairs[pair, PAIR_BEST]
    if best < 0 or not rates[best] > ALIVE_MIN:
        return DEAD
    return (
        rates[best]
        + potentials[POTENTIAL, pairs[pair, PAIR_SOURCE]]
        - potentials[POTENTIAL, pairs[pair, PAIR_TARGET]]
    )


@fused
def _write_weight(graph, pair):
    """Write a pair's weight everywhere but in the two-hop bounds."""
    dense, _, _, _, pairs, weights, _, potentials, state = graph
    core = dense.shape[1]
    source = int64(pairs[pair, PAIR_SOURCE])
    target = int64(pairs[pair, PAIR_TARGET])
    adjusted = _adjusted(graph, pair)
    weight = np.float32(max(adjusted, WEIGHT_MIN) if adjusted > ALIVE_MIN else DEAD)
    weights[pair] = weight
    if source < core and target < core:
        dense[BEST_LOG, source, target] = weight
        dense[BEST_LOG_T, target, source] = weight
    if weight > ALIVE_MIN:
        state[SCALE] = max(state[SCALE], abs(weight))
        potentials[OUT_MAX, source] = max(potentials[OUT_MAX, source], weight)
        potentials[IN_MAX, target] = max(potentials[IN_MAX, target], weight)


@fused
def _raise_two_hops(graph, source, target):
    """Raise the bounds of all two legs of which one is the given pair of core tokens."""
    dense = graph[0]
    columns = int64(graph[8][COLUMNS])
    # The other leg may come to be better by its headroom before its own bounds are raised.
    weight = dense[BEST_LOG, source, target] + np.float32(2.0 * HEADROOM)
    two_hop = dense[TWO_HOP]
    raise_row(two_hop, source, dense[BEST_LOG], target, weight, columns)
    # A column is far apart in memory: only the source's neighbours are looked at.
    pairs, weights, tokens = graph[4], graph[5], graph[6]
    leg = int64(tokens[source, TOKEN_IN])
    while leg >= 0:
        first = int64(pairs[leg, PAIR_SOURCE])
        two_hop[first, target] = max(two_hop[first, target], weights[leg] + weight)
        leg = int64(pairs[leg, PAIR_IN_NEXT])
    # A token to itself in two legs is no part of a longer cycle.
    two_hop[source, source] = _DEAD_32
    two_hop[target, target] = _DEAD_32


@fused
def publish(graph, pair):
    """Write a pair's weight, and raise the two-hop bounds that no longer cover it."""
    _write_weight(graph, pair)
    dense, _, _, _, pairs, weights, _, _, _ = graph
    source = int64(pairs[pair, PAIR_SOURCE])
    target = int64(pairs[pair, PAIR_TARGET])
    if source >= dense.shape[1] or target >= dense.shape[1]:
        return
    weight = weights[pair]
    covered = np.float32(weight + np.float32(HEADROOM))
    if weight > dense[COVERED, source, target]:
        dense[COVERED, source, target] = covered
        _raise_two_hops(graph, source, target)
    elif covered < dense[COVERED, source, target]:
        dense[COVERED, source, target] = covered


@fused
def tighten(graph, source, target):
    """Write the two-hop bound of two core tokens anew; returns the best two legs' weight."""
    dense = graph[0]
    columns = int64(graph[8][COLUMNS])
    exact = row_max(dense[BEST_LOG], source, dense[BEST_LOG_T], target, 0, columns)
    dense[TWO_HOP, source, target] = exact + np.float32(2.0 * HEADROOM)
    return exact


@fused
def _choose_best(graph, pair):
    _, _, edges, rates, pairs, _, _, _, _ = graph
    edge = int64(pairs[pair, PAIR_HEAD])
    best = edge
    while edge >= 0:
        if rates[edge] > rates[best]:
            best = edge
        edge = int64(edges[edge, EDGE_NEXT])
    pairs[pair, PAIR_BEST] = best


@fused
def is_change(graph, edge, log_rate):
    """Tell whether there is such an edge and the log rate is one."""
    return (
        edge >= 0
        and edge < graph[3].shape[0]
        and graph[2][edge, EDGE_PAIR] >= 0
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
    if edge < 0 or edge >= rates.shape[0] or edges[edge, EDGE_PAIR] < 0:
        return False
    if not (log_rate >= -LOG_MAX and log_rate <= LOG_MAX):
        log_rate = DEAD
    before = rates[edge]
    if log_rate == before:
        return False
    rates[edge] = log_rate
    pair = int64(edges[edge, EDGE_PAIR])
    best = int64(pairs[pair, PAIR_BEST])
    if best == edge:
        if log_rate < before and edges[int64(pairs[pair, PAIR_HEAD]), EDGE_NEXT] >= 0:
            _choose_best(graph, pair)
        publish(graph, pair)
    elif log_rate > rates[best]:
        pairs[pair, PAIR_BEST] = edge
        publish(graph, pair)
    return log_rate > before


@borrowing
def _open_pair(graph, source, target):
    _, pair_of, _, _, pairs, weights, tokens, _, state = graph
    core = pair_of.shape[0]
    pair = int64(state[PAIR_FREE])
    if pair < 0:
        return pair
    state[PAIR_FREE] = pairs[pair, PAIR_OUT_NEXT]
    state[VERSION] += 1
    pairs[pair, PAIR_SOURCE] = source
    pairs[pair, PAIR_TARGET] = target
    pairs[pair, PAIR_HEAD] = NONE
    pairs[pair, PAIR_BEST] = NONE
    weights[pair] = _DEAD_32
    out_list = TOKEN_OUT + (target >= core)
    in_list = TOKEN_IN + (source >= core)
    after = tokens[source, out_list]
    pairs[pair, PAIR_OUT_NEXT] = after
    pairs[pair, PAIR_OUT_PREVIOUS] = NONE
    if after >= 0:
        pairs[after, PAIR_OUT_PREVIOUS] = pair
    tokens[source, out_list] = pair
    after = tokens[target, in_list]
    pairs[pair, PAIR_IN_NEXT] = after
    pairs[pair, PAIR_IN_PREVIOUS] = NONE
    if after >= 0:
        pairs[after, PAIR_IN_PREVIOUS] = pair
    tokens[target, in_list] = pair
    tokens[source, TOKEN_PAIRS] += 1
    tokens[target, TOKEN_PAIRS] += 1
    if source < core and target < core:
        pair_of[source, target] = pair
    else:
        state[TAIL_PAIRS] += 1
    return pair


@borrowing
def _close_pair(graph, pair):
    _, pair_of, _, _, pairs, _, tokens, potentials, state = graph
    core = pair_of.shape[0]
    source = int64(pairs[pair, PAIR_SOURCE])
    target = int64(pairs[pair, PAIR_TARGET])
    before = pairs[pair, PAIR_OUT_PREVIOUS]
    after = pairs[pair, PAIR_OUT_NEXT]
    if before >= 0:
        pairs[before, PAIR_OUT_NEXT] = after
    else:
        tokens[source, TOKEN_OUT + (target >= core)] = after
    if after >= 0:
        pairs[after, PAIR_OUT_PREVIOUS] = before
    before = pairs[pair, PAIR_IN_PREVIOUS]
    after = pairs[pair, PAIR_IN_NEXT]
    if before >= 0:
        pairs[before, PAIR_IN_NEXT] = after
    else:
        tokens[target, TOKEN_IN + (source >= core)] = after
    if after >= 0:
        pairs[after, PAIR_IN_PREVIOUS] = before
    for token in (source, target):
        tokens[token, TOKEN_PAIRS] -= 1
        if tokens[token, TOKEN_PAIRS] == 0:
            potentials[OUT_MAX, token] = DEAD
            potentials[IN_MAX, token] = DEAD
    if source < core and target < core:
        pair_of[source, target] = NONE
    else:
        state[TAIL_PAIRS] -= 1
    pairs[pair, PAIR_SOURCE] = NONE
    pairs[pair, PAIR_OUT_NEXT] = int64(state[PAIR_FREE])
    state[PAIR_FREE] = pair


@borrowing
def _place_new_token(graph, source, target, log_rate):
    """Give a token without pairs the potential that makes its first weight zero."""
    tokens = graph[6]
    potentials = graph[7]
    if tokens[target, TOKEN_PAIRS] == 0:
        potentials[POTENTIAL, target] = potentials[POTENTIAL, source] + log_rate
        moved = target
    elif tokens[source, TOKEN_PAIRS] == 0:
        potentials[POTENTIAL, source] = potentials[POTENTIAL, target] - log_rate
        moved = source
    else:
        return
    limited = max(min(potentials[POTENTIAL, moved], _POTENTIAL_MAX), -_POTENTIAL_MAX)
    potentials[POTENTIAL, moved] = limited


@borrowing_kernel(int64(GRAPH, int64, int64, int64, float64))
def add_edge(graph, source, target, place, log_rate):
    """Add an edge; the caller has checked tokens, place and rate.

    Returns:
        The edge's number, or NONE if there is no room.
    """
    _, _, edges, rates, pairs, _, _, _, state = graph
    edge = int64(state[EDGE_FREE])
    if edge < 0:
        return NONE
    pair = find_pair(graph, source, target)
    if pair < 0:
        if state[PAIR_FREE] < 0:
            return NONE
        _place_new_token(graph, source, target, log_rate)
        pair = _open_pair(graph, source, target)
    state[EDGE_FREE] = edges[edge, EDGE_NEXT]
    edges[edge, EDGE_SOURCE] = source
    edges[edge, EDGE_TARGET] = target
    edges[edge, EDGE_PLACE] = place
    edges[edge, EDGE_PAIR] = pair
    edges[edge, EDGE_NEXT] = pairs[pair, PAIR_HEAD]
    edges[edge, EDGE_STAMP] = 0
    edges[edge, EDGE_WATCH] = 0
    rates[edge] = DEAD
    pairs[pair, PAIR_HEAD] = edge
    if pairs[pair, PAIR_BEST] < 0:
        pairs[pair, PAIR_BEST] = edge
    write_rate(graph, edge, log_rate)
    return edge


@borrowing_kernel(types.void(GRAPH, int64))
def remove_edge(graph, edge):
    """Remove an edge, and its pair with the last one; its number may be given out again."""
    _, _, edges, rates, pairs, _, _, _, state = graph
    write_rate(graph, edge, DEAD)
    pair = int64(edges[edge, EDGE_PAIR])
    before = int64(pairs[pair, PAIR_HEAD])
    if before == edge:
        pairs[pair, PAIR_HEAD] = edges[edge, EDGE_NEXT]
    else:
        while edges[before, EDGE_NEXT] != edge:
            before = int64(edges[before, EDGE_NEXT])
        edges[before, EDGE_NEXT] = edges[edge, EDGE_NEXT]
    rates[edge] = DEAD
    if pairs[pair, PAIR_HEAD] < 0:
        _close_pair(graph, pair)
    else:
        _choose_best(graph, pair)
        publish(graph, pair)
    edges[edge, EDGE_PAIR] = NONE
    edges[edge, EDGE_NEXT] = int64(state[EDGE_FREE])
    state[EDGE_FREE] = edge


@borrowing
def _cover_exactly(graph, pair):
    dense = graph[0]
    source = int64(graph[4][pair, PAIR_SOURCE])
    target = int64(graph[4][pair, PAIR_TARGET])
    if source < dense.shape[1] and target < dense.shape[1]:
        # Not the weight: what was raised to the least weight has not raised the bounds.
        dense[COVERED, source, target] = np.float32(_adjusted(graph, pair))


@borrowing_kernel(types.void(GRAPH, int64, float64))
def set_potential(graph, token, potential):
    """Give a token another potential and write all that depends on it from exact rates."""
    dense, _, _, _, pairs, _, tokens, potentials, state = graph
    columns = int64(state[COLUMNS])
    potentials[POTENTIAL, token] = max(min(potential, _POTENTIAL_MAX), -_POTENTIAL_MAX)
    potentials[OUT_MAX, token] = DEAD
    potentials[IN_MAX, token] = DEAD
    for side in range(2):
        pair = int64(tokens[token, TOKEN_OUT + side])
        while pair >= 0:
            _write_weight(graph, pair)
            _cover_exactly(graph, pair)
            pair = int64(pairs[pair, PAIR_OUT_NEXT])
        pair = int64(tokens[token, TOKEN_IN + side])
        while pair >= 0:
            _write_weight(graph, pair)
            _cover_exactly(graph, pair)
            pair = int64(pairs[pair, PAIR_IN_NEXT])
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
