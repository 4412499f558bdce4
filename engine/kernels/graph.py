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
    DEAD,
    EDGE_FREE,
    EDGE_NEXT,
    EDGE_PAIR,
    EDGE_PLACE,
    EDGE_SOURCE,
    EDGE_STAMP,
    EDGE_TARGET,
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
    TOKEN_IN,
    TOKEN_OUT,
    TOKEN_PAIRS,
    TWO_HOP,
    VERSION,
    WEIGHT_MIN,
)
from engine.kernels.jit import inlined, kernel
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


@inlined
def find_pair(graph, source, target):
    """Return the pair from one token to another, or NONE."""
    _, pair_of, _, _, pairs, _, tokens, _, _ = graph
    core = pair_of.shape[0]
    if source < core and target < core:
        return int64(pair_of[source, target])
    if source >= core:
        pair = int64(tokens[TOKEN_OUT + (target >= core), source])
        while pair >= 0 and pairs[PAIR_TARGET, pair] != target:
            pair = int64(pairs[PAIR_OUT_NEXT, pair])
        return pair
    pair = int64(tokens[TOKEN_IN, target])
    while pair >= 0 and pairs[PAIR_SOURCE, pair] != source:
        pair = int64(pairs[PAIR_IN_NEXT, pair])
    return pair


@inlined
def _weight_of(graph, pair):
    _, _, _, rates, pairs, _, _, potentials, _ = graph
    best = pairs[PAIR_BEST, pair]
    if best < 0 or not rates[best] > ALIVE_MIN:
        return DEAD
    adjusted = (
        rates[best]
        + potentials[POTENTIAL, pairs[PAIR_SOURCE, pair]]
        - potentials[POTENTIAL, pairs[PAIR_TARGET, pair]]
    )
    return max(adjusted, WEIGHT_MIN)


@inlined
def _write_weight(graph, pair):
    """Write a pair's weight everywhere but in the two-hop bounds; returns whether it rose."""
    dense, _, _, _, pairs, weights, _, potentials, state = graph
    core = dense.shape[1]
    source = int64(pairs[PAIR_SOURCE, pair])
    target = int64(pairs[PAIR_TARGET, pair])
    weight = np.float32(_weight_of(graph, pair))
    before = weights[pair]
    weights[pair] = weight
    if source < core and target < core:
        dense[BEST_LOG, source, target] = weight
        dense[BEST_LOG_T, target, source] = weight
    if weight > ALIVE_MIN:
        state[SCALE] = max(state[SCALE], abs(weight))
        potentials[OUT_MAX, source] = max(potentials[OUT_MAX, source], weight)
        potentials[IN_MAX, target] = max(potentials[IN_MAX, target], weight)
    return weight > before


@inlined
def _raise_two_hops(graph, source, target):
    """Raise the bounds of all two legs of which one is the given pair of core tokens."""
    dense = graph[0]
    columns = int64(graph[8][COLUMNS])
    weight = dense[BEST_LOG, source, target]
    two_hop = dense[TWO_HOP]
    raise_row(two_hop, source, dense[BEST_LOG], target, weight, columns)
    for first in range(columns):
        leg = dense[BEST_LOG_T, source, first]
        if leg > ALIVE_MIN:
            total = leg + weight
            two_hop[first, target] = max(two_hop[first, target], total)
    # A token to itself in two legs is no part of a longer cycle.
    two_hop[source, source] = _DEAD_32
    two_hop[target, target] = _DEAD_32


@inlined
def publish(graph, pair):
    """Write a pair's weight, and raise what it bounds."""
    if _write_weight(graph, pair):
        core = graph[1].shape[0]
        source = int64(graph[4][PAIR_SOURCE, pair])
        target = int64(graph[4][PAIR_TARGET, pair])
        if source < core and target < core:
            _raise_two_hops(graph, source, target)


@inlined
def _choose_best(graph, pair):
    _, _, edges, rates, pairs, _, _, _, _ = graph
    edge = int64(pairs[PAIR_HEAD, pair])
    best = edge
    while edge >= 0:
        if rates[edge] > rates[best]:
            best = edge
        edge = int64(edges[EDGE_NEXT, edge])
    pairs[PAIR_BEST, pair] = best


@inlined
def is_change(graph, edge, log_rate):
    """Tell whether there is such an edge and the log rate is one."""
    return (
        edge >= 0
        and edge < graph[3].shape[0]
        and graph[2][EDGE_PAIR, edge] >= 0
        and log_rate >= -LOG_MAX
        and log_rate <= LOG_MAX
    )


@inlined
def write_rate(graph, edge, log_rate):
    """Set an edge's log rate; returns whether it improved.

    A log rate that is not finite or beyond the limits makes the edge dead; an edge that is free or
    does not exist stays as it is.
    """
    _, _, edges, rates, pairs, _, _, _, _ = graph
    if edge < 0 or edge >= rates.shape[0] or edges[EDGE_PAIR, edge] < 0:
        return False
    if not (log_rate >= -LOG_MAX and log_rate <= LOG_MAX):
        log_rate = DEAD
    before = rates[edge]
    if log_rate == before:
        return False
    rates[edge] = log_rate
    pair = int64(edges[EDGE_PAIR, edge])
    best = int64(pairs[PAIR_BEST, pair])
    if best == edge:
        if log_rate < before and edges[EDGE_NEXT, int64(pairs[PAIR_HEAD, pair])] >= 0:
            _choose_best(graph, pair)
        publish(graph, pair)
    elif log_rate > rates[best]:
        pairs[PAIR_BEST, pair] = edge
        publish(graph, pair)
    return log_rate > before


@inlined
def _open_pair(graph, source, target):
    _, pair_of, _, _, pairs, weights, tokens, _, state = graph
    core = pair_of.shape[0]
    pair = int64(state[PAIR_FREE])
    if pair < 0:
        return pair
    state[PAIR_FREE] = pairs[PAIR_OUT_NEXT, pair]
    state[VERSION] += 1
    pairs[PAIR_SOURCE, pair] = source
    pairs[PAIR_TARGET, pair] = target
    pairs[PAIR_HEAD, pair] = NONE
    pairs[PAIR_BEST, pair] = NONE
    weights[pair] = _DEAD_32
    out_list = TOKEN_OUT + (target >= core)
    in_list = TOKEN_IN + (source >= core)
    after = tokens[out_list, source]
    pairs[PAIR_OUT_NEXT, pair] = after
    pairs[PAIR_OUT_PREVIOUS, pair] = NONE
    if after >= 0:
        pairs[PAIR_OUT_PREVIOUS, after] = pair
    tokens[out_list, source] = pair
    after = tokens[in_list, target]
    pairs[PAIR_IN_NEXT, pair] = after
    pairs[PAIR_IN_PREVIOUS, pair] = NONE
    if after >= 0:
        pairs[PAIR_IN_PREVIOUS, after] = pair
    tokens[in_list, target] = pair
    tokens[TOKEN_PAIRS, source] += 1
    tokens[TOKEN_PAIRS, target] += 1
    if source < core and target < core:
        pair_of[source, target] = pair
    return pair


@inlined
def _close_pair(graph, pair):
    _, pair_of, _, _, pairs, _, tokens, potentials, state = graph
    core = pair_of.shape[0]
    source = int64(pairs[PAIR_SOURCE, pair])
    target = int64(pairs[PAIR_TARGET, pair])
    before = pairs[PAIR_OUT_PREVIOUS, pair]
    after = pairs[PAIR_OUT_NEXT, pair]
    if before >= 0:
        pairs[PAIR_OUT_NEXT, before] = after
    else:
        tokens[TOKEN_OUT + (target >= core), source] = after
    if after >= 0:
        pairs[PAIR_OUT_PREVIOUS, after] = before
    before = pairs[PAIR_IN_PREVIOUS, pair]
    after = pairs[PAIR_IN_NEXT, pair]
    if before >= 0:
        pairs[PAIR_IN_NEXT, before] = after
    else:
        tokens[TOKEN_IN + (source >= core), target] = after
    if after >= 0:
        pairs[PAIR_IN_PREVIOUS, after] = before
    for token in (source, target):
        tokens[TOKEN_PAIRS, token] -= 1
        if tokens[TOKEN_PAIRS, token] == 0:
            potentials[OUT_MAX, token] = DEAD
            potentials[IN_MAX, token] = DEAD
    if source < core and target < core:
        pair_of[source, target] = NONE
    pairs[PAIR_SOURCE, pair] = NONE
    pairs[PAIR_OUT_NEXT, pair] = int64(state[PAIR_FREE])
    state[PAIR_FREE] = pair


@inlined
def _place_new_token(graph, source, target, log_rate):
    """Give a token without pairs the potential that makes its first weight zero."""
    tokens = graph[6]
    potentials = graph[7]
    if tokens[TOKEN_PAIRS, target] == 0:
        potentials[POTENTIAL, target] = potentials[POTENTIAL, source] + log_rate
        moved = target
    elif tokens[TOKEN_PAIRS, source] == 0:
        potentials[POTENTIAL, source] = potentials[POTENTIAL, target] - log_rate
        moved = source
    else:
        return
    limited = max(min(potentials[POTENTIAL, moved], _POTENTIAL_MAX), -_POTENTIAL_MAX)
    potentials[POTENTIAL, moved] = limited


@kernel(int64(GRAPH, int64, int64, int64, float64))
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
    state[EDGE_FREE] = edges[EDGE_NEXT, edge]
    edges[EDGE_SOURCE, edge] = source
    edges[EDGE_TARGET, edge] = target
    edges[EDGE_PLACE, edge] = place
    edges[EDGE_PAIR, edge] = pair
    edges[EDGE_NEXT, edge] = pairs[PAIR_HEAD, pair]
    edges[EDGE_STAMP, edge] = 0
    rates[edge] = DEAD
    pairs[PAIR_HEAD, pair] = edge
    if pairs[PAIR_BEST, pair] < 0:
        pairs[PAIR_BEST, pair] = edge
    write_rate(graph, edge, log_rate)
    return edge


@kernel(types.void(GRAPH, int64))
def remove_edge(graph, edge):
    """Remove an edge, and its pair with the last one; its number may be given out again."""
    _, _, edges, rates, pairs, _, _, _, state = graph
    write_rate(graph, edge, DEAD)
    pair = int64(edges[EDGE_PAIR, edge])
    before = int64(pairs[PAIR_HEAD, pair])
    if before == edge:
        pairs[PAIR_HEAD, pair] = edges[EDGE_NEXT, edge]
    else:
        while edges[EDGE_NEXT, before] != edge:
            before = int64(edges[EDGE_NEXT, before])
        edges[EDGE_NEXT, before] = edges[EDGE_NEXT, edge]
    rates[edge] = DEAD
    if pairs[PAIR_HEAD, pair] < 0:
        _close_pair(graph, pair)
    else:
        _choose_best(graph, pair)
        publish(graph, pair)
    edges[EDGE_PAIR, edge] = NONE
    edges[EDGE_NEXT, edge] = int64(state[EDGE_FREE])
    state[EDGE_FREE] = edge


@kernel(types.void(GRAPH, int64, float64))
def set_potential(graph, token, potential):
    """Give a token another potential and write all that depends on it from exact rates."""
    dense, _, _, _, pairs, _, tokens, potentials, state = graph
    columns = int64(state[COLUMNS])
    potentials[POTENTIAL, token] = max(min(potential, _POTENTIAL_MAX), -_POTENTIAL_MAX)
    potentials[OUT_MAX, token] = DEAD
    potentials[IN_MAX, token] = DEAD
    for side in range(2):
        pair = int64(tokens[TOKEN_OUT + side, token])
        while pair >= 0:
            _write_weight(graph, pair)
            pair = int64(pairs[PAIR_OUT_NEXT, pair])
        pair = int64(tokens[TOKEN_IN + side, token])
        while pair >= 0:
            _write_weight(graph, pair)
            pair = int64(pairs[PAIR_IN_NEXT, pair])
    if token < dense.shape[1]:
        # Bounds through the token stay: what one leg gains, the other loses.
        for other in range(columns):
            if other != token:
                dense[TWO_HOP, token, other] = row_max(
                    dense[BEST_LOG], token, dense[BEST_LOG_T], other, 0, columns
                )
                dense[TWO_HOP, other, token] = row_max(
                    dense[BEST_LOG], other, dense[BEST_LOG_T], token, 0, columns
                )


@kernel(int64(GRAPH, int32[::1], float64[::1]))
def set_rates(graph, changed, log_rates):
    """Set the log rates of many edges without a scan; returns how many improved."""
    improved = 0
    for k in range(changed.shape[0]):
        if write_rate(graph, int64(changed[k]), log_rates[k]):
            improved += 1
    return improved
