"""From token cycles to the best cycles of edges, for the scans in `cycles`.

A cycle visits no token and no place twice: whatever a place's other edges promise, trading there
moves the price that the second trade would have needed.
"""

from numba import int64

from engine.kernels.graph import find_pair
from engine.kernels.graph_layout import (
    ALIVE_MIN,
    EDGE_NEXT,
    EDGE_PLACE,
    EDGE_SOURCE,
    EDGE_STAMP,
    EDGE_TARGET,
    IN_MAX,
    LATER_IN_BATCH,
    LOWEST_EDGE,
    LOWEST_FROM_TAIL,
    OUT_COLUMNS,
    OUT_EDGE,
    OUT_GAIN,
    OUT_LEGS,
    OUT_MAX,
    PAIR_BEST,
    PAIR_HEAD,
    PAIR_IN_NEXT,
    PAIR_OUT_NEXT,
    PAIR_SOURCE,
    PAIR_TARGET,
    ROUNDING,
    SCALE,
    TOKEN_IN,
    TOKEN_OUT,
)
from engine.kernels.jit import inlined


@inlined
def floor_of(gain_min, out, count):
    """Return the gain that a further cycle has to exceed."""
    if count < out.shape[0]:
        return gain_min
    return max(gain_min, out[count - 1, OUT_GAIN])


@inlined
def screen_of(graph, edge, gain_min, out, count):
    """Return what the weights of all other legs have to exceed, less what rounding hides."""
    _, _, edges, rates, _, _, _, potentials, state = graph
    weight = (
        rates[edge]
        + potentials[0, edges[edge, EDGE_SOURCE]]
        - potentials[0, edges[edge, EDGE_TARGET]]
    )
    return floor_of(gain_min, out, count) - weight - ROUNDING * (state[SCALE] + abs(weight))


@inlined
def _is_usable(graph, edge, leg, order):
    _, _, edges, rates, _, _, _, _, _ = graph
    if not rates[leg] > ALIVE_MIN or edges[leg, EDGE_PLACE] == edges[edge, EDGE_PLACE]:
        return False
    if order == LATER_IN_BATCH:
        return edges[leg, EDGE_STAMP] == 0 or edges[leg, EDGE_STAMP] > edges[edge, EDGE_STAMP]
    if order == LOWEST_FROM_TAIL:
        return leg > edge or edges[leg, EDGE_SOURCE] < graph[1].shape[0]
    return order != LOWEST_EDGE or leg > edge


@inlined
def _insert(out, count, gain, edge, second, third, fourth):
    row = count if count < out.shape[0] else count - 1
    while row > 0 and out[row - 1, OUT_GAIN] < gain:
        for column in range(OUT_COLUMNS):
            out[row, column] = out[row - 1, column]
        row -= 1
    out[row, OUT_GAIN] = gain
    out[row, OUT_LEGS] = 2 + (third >= 0) + (fourth >= 0)
    out[row, OUT_EDGE] = edge
    out[row, OUT_EDGE + 1] = second
    out[row, OUT_EDGE + 2] = third
    out[row, OUT_EDGE + 3] = fourth
    return min(count + 1, out.shape[0])


@inlined
def expand(graph, edge, path, gain_min, order, out, count):
    """Write the best choices of parallel edges along a path of up to three pairs into `out`.

    Pairs that the path does not have are NONE. Returns the new number of rows.
    """
    _, _, edges, rates, pairs, _, _, _, _ = graph
    first, middle, last = path
    rest_3 = rates[pairs[middle, PAIR_BEST]] if middle >= 0 else 0.0
    rest_4 = rates[pairs[last, PAIR_BEST]] if last >= 0 else 0.0
    second = int64(pairs[first, PAIR_HEAD])
    while second >= 0:
        leg = second
        second = int64(edges[second, EDGE_NEXT])
        gain_2 = rates[edge] + rates[leg]
        # Not with `<=`: a sum in another order may differ in its last bit.
        if gain_2 + rest_3 + rest_4 < floor_of(gain_min, out, count) - 1e-12:
            continue
        if not _is_usable(graph, edge, leg, order):
            continue
        if middle < 0:
            if gain_2 > floor_of(gain_min, out, count):
                count = _insert(out, count, gain_2, edge, leg, -1, -1)
            continue
        third = int64(pairs[middle, PAIR_HEAD])
        while third >= 0:
            leg_3 = third
            third = int64(edges[third, EDGE_NEXT])
            gain_3 = gain_2 + rates[leg_3]
            if gain_3 + rest_4 < floor_of(gain_min, out, count) - 1e-12:
                continue
            is_again = edges[leg_3, EDGE_PLACE] == edges[leg, EDGE_PLACE]
            if is_again or not _is_usable(graph, edge, leg_3, order):
                continue
            if last < 0:
                if gain_3 > floor_of(gain_min, out, count):
                    count = _insert(out, count, gain_3, edge, leg, leg_3, -1)
                continue
            fourth = int64(pairs[last, PAIR_HEAD])
            while fourth >= 0:
                gain_4 = gain_3 + rates[fourth]
                if gain_4 > floor_of(gain_min, out, count):
                    place = edges[fourth, EDGE_PLACE]
                    is_again = place in (edges[leg, EDGE_PLACE], edges[leg_3, EDGE_PLACE])
                    if not is_again and _is_usable(graph, edge, fourth, order):
                        count = _insert(out, count, gain_4, edge, leg, leg_3, fourth)
                fourth = int64(edges[fourth, EDGE_NEXT])
    return count


@inlined
def _emit(graph, edge, path, terms, rows, out, count):
    """Expand a path, or without an edge write it into `rows` as far as there is room."""
    if edge >= 0:
        return expand(graph, edge, path, terms[0], terms[2], out, count)
    if count < rows.shape[0]:
        empty = graph[5].shape[0] - 1
        for k in range(3):
            rows[count, k] = path[k] if path[k] >= 0 else empty
    return count + 1


@inlined
def _is_too_many(edge, rows, count):
    return edge < 0 and count > rows.shape[0]


@inlined
def _limit(graph, edge, terms, out, count):
    if edge >= 0:
        return screen_of(graph, edge, terms[0], out, count)
    return -1e18


@inlined
def _from_tail(graph, edge, ends, terms, rows, out, count):
    """Walk on from a target in the tail: no list starts at two tokens with many pairs."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    closing = find_pair(graph, target, source)
    if closing >= 0:
        count = _emit(graph, edge, (closing, -1, -1), terms, rows, out, count)
    if legs_max < 3:
        return count
    for side in range(2):
        first = int64(tokens[target, TOKEN_OUT + side])
        while first >= 0 and not _is_too_many(edge, rows, count):
            near = int64(pairs[first, PAIR_TARGET])
            limit = _limit(graph, edge, terms, out, count) - weights[first]
            ahead = potentials[OUT_MAX, near] + max(potentials[IN_MAX, source], 0.0)
            if near != source and ahead > limit:
                for far_side in range(2):
                    middle = int64(tokens[near, TOKEN_OUT + far_side])
                    while middle >= 0:
                        far = int64(pairs[middle, PAIR_TARGET])
                        if far == source:
                            path = (first, middle, -1)
                            count = _emit(graph, edge, path, terms, rows, out, count)
                        elif (
                            legs_max > 3
                            and far != target
                            and weights[middle] + potentials[IN_MAX, source] > limit
                        ):
                            last = find_pair(graph, far, source)
                            if last >= 0 and weights[middle] + weights[last] > limit:
                                path = (first, middle, last)
                                count = _emit(graph, edge, path, terms, rows, out, count)
                        middle = int64(pairs[middle, PAIR_OUT_NEXT])
            first = int64(pairs[first, PAIR_OUT_NEXT])
    return count


@inlined
def _to_tail(graph, edge, ends, terms, rows, out, count):
    """Walk back from a source in the tail, the target being in the core."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    closing = find_pair(graph, target, source)
    if closing >= 0:
        count = _emit(graph, edge, (closing, -1, -1), terms, rows, out, count)
    if legs_max < 3:
        return count
    for side in range(2):
        last = int64(tokens[source, TOKEN_IN + side])
        while last >= 0 and not _is_too_many(edge, rows, count):
            near = int64(pairs[last, PAIR_SOURCE])
            limit = _limit(graph, edge, terms, out, count) - weights[last]
            behind = potentials[IN_MAX, near] + max(potentials[OUT_MAX, target], 0.0)
            if near != target and behind > limit:
                for far_side in range(2):
                    middle = int64(tokens[near, TOKEN_IN + far_side])
                    while middle >= 0:
                        far = int64(pairs[middle, PAIR_SOURCE])
                        if far == target:
                            path = (middle, last, -1)
                            count = _emit(graph, edge, path, terms, rows, out, count)
                        elif (
                            legs_max > 3
                            and far != source
                            and weights[middle] + potentials[OUT_MAX, target] > limit
                        ):
                            first = find_pair(graph, target, far)
                            if first >= 0 and weights[middle] + weights[first] > limit:
                                path = (first, middle, last)
                                count = _emit(graph, edge, path, terms, rows, out, count)
                        middle = int64(pairs[middle, PAIR_IN_NEXT])
            last = int64(pairs[last, PAIR_IN_NEXT])
    return count


@inlined
def _around_tail(graph, edge, ends, terms, rows, out, count):
    """Walk from core to core by way of the tail: its token comes third, or only fourth."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    if legs_max < 3:
        return count
    first = int64(tokens[target, TOKEN_OUT + 1])
    while first >= 0 and not _is_too_many(edge, rows, count):
        near = int64(pairs[first, PAIR_TARGET])
        limit = _limit(graph, edge, terms, out, count) - weights[first]
        if potentials[OUT_MAX, near] + max(potentials[IN_MAX, source], 0.0) > limit:
            for side in range(2):
                middle = int64(tokens[near, TOKEN_OUT + side])
                while middle >= 0:
                    far = int64(pairs[middle, PAIR_TARGET])
                    if far == source:
                        path = (first, middle, -1)
                        count = _emit(graph, edge, path, terms, rows, out, count)
                    elif legs_max > 3 and far != target:
                        last = find_pair(graph, far, source)
                        if last >= 0 and weights[middle] + weights[last] > limit:
                            path = (first, middle, last)
                            count = _emit(graph, edge, path, terms, rows, out, count)
                    middle = int64(pairs[middle, PAIR_OUT_NEXT])
        first = int64(pairs[first, PAIR_OUT_NEXT])
    if legs_max < 4:
        return count
    last = int64(tokens[source, TOKEN_IN + 1])
    while last >= 0 and not _is_too_many(edge, rows, count):
        near = int64(pairs[last, PAIR_SOURCE])
        limit = _limit(graph, edge, terms, out, count) - weights[last]
        if potentials[IN_MAX, near] + potentials[OUT_MAX, target] > limit:
            middle = int64(tokens[near, TOKEN_IN])
            while middle >= 0:
                far = int64(pairs[middle, PAIR_SOURCE])
                if far not in (source, target):
                    first = find_pair(graph, target, far)
                    if first >= 0 and weights[middle] + weights[first] > limit:
                        path = (first, middle, last)
                        count = _emit(graph, edge, path, terms, rows, out, count)
                middle = int64(pairs[middle, PAIR_IN_NEXT])
        last = int64(pairs[last, PAIR_IN_NEXT])
    return count


@inlined
def walk_tail(graph, edge, ends, terms, rows, out, count):
    """Find every cycle through the tail that closes a leg from ``ends[0]`` to ``ends[1]``.

    Args:
        edge: the edge of that leg, whose cycles go to `out`; or NONE, to write the pairs of all
            token cycles into `rows` whatever their weights.
        ends: source and target.
        terms: (gain_min, legs_max, order).
        rows: int32 (n, 3); pairs after the leg, the empty pair where there are fewer.
        out, count: see `graph_layout`; `count` rows are written already.

    Returns:
        The new number of rows, beyond the length of `rows` if there was no room.
    """
    core = graph[1].shape[0]
    if ends[1] >= core:
        return _from_tail(graph, edge, ends, terms, rows, out, count)
    if ends[0] >= core:
        return _to_tail(graph, edge, ends, terms, rows, out, count)
    return _around_tail(graph, edge, ends, terms, rows, out, count)
