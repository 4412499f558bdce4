"""Walks along lists of pairs, for cycles through tokens of the tail."""

from numba import int64

from engine.kernels.cycle_found import expand, least_screen_of
from engine.kernels.graph import find_pair
from engine.kernels.graph_layout import (
    IN_MAX,
    OUT_MAX,
    PAIR_IN_NEXT,
    PAIR_OUT_NEXT,
    PAIR_SOURCE,
    PAIR_TARGET,
    ROWS,
    TOKEN_IN,
    TOKEN_OUT,
)
from engine.kernels.jit import borrowing, fused


@borrowing
def _emit(graph, edge, path, terms, rows, found):
    """Expand a path, or without an edge write it into `rows` as far as there is room."""
    if edge >= 0:
        expand(graph, edge, path, terms, found)
        return
    count = found[1][ROWS]
    if count < rows.shape[0]:
        empty = graph[5].shape[0] - 1
        for k in range(3):
            rows[count, k] = path[k] if path[k] >= 0 else empty
    found[1][ROWS] += 1


@fused
def _is_too_many(edge, rows, found):
    return edge < 0 and found[1][ROWS] > rows.shape[0]


@fused
def _limit(graph, edge, terms, found):
    if edge >= 0:
        return least_screen_of(graph, edge, terms, found)
    return -1e18


@borrowing
def _from_tail(graph, edge, ends, terms, rows, found):
    """Walk on from a target in the tail: no list starts at two tokens with many pairs."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    closing = find_pair(graph, target, source)
    if closing >= 0:
        _emit(graph, edge, (closing, -1, -1, -1), terms, rows, found)
    if legs_max < 3:
        return
    for side in range(2):
        first = int64(tokens[target, TOKEN_OUT + side])
        while first >= 0 and not _is_too_many(edge, rows, found):
            near = int64(pairs[first, PAIR_TARGET])
            limit = _limit(graph, edge, terms, found) - weights[first]
            ahead = potentials[OUT_MAX, near] + max(potentials[IN_MAX, source], 0.0)
            if near != source and ahead > limit:
                for far_side in range(2):
                    middle = int64(tokens[near, TOKEN_OUT + far_side])
                    while middle >= 0:
                        far = int64(pairs[middle, PAIR_TARGET])
                        if far == source:
                            path = (first, middle, -1, -1)
                            _emit(graph, edge, path, terms, rows, found)
                        elif (
                            legs_max > 3
                            and far != target
                            and weights[middle] + potentials[IN_MAX, source] > limit
                        ):
                            last = find_pair(graph, far, source)
                            if last >= 0 and weights[middle] + weights[last] > limit:
                                path = (first, middle, last, -1)
                                _emit(graph, edge, path, terms, rows, found)
                        middle = int64(pairs[middle, PAIR_OUT_NEXT])
            first = int64(pairs[first, PAIR_OUT_NEXT])


@borrowing
def _to_tail(graph, edge, ends, terms, rows, found):
    """Walk back from a source in the tail, the target being in the core."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    closing = find_pair(graph, target, source)
    if closing >= 0:
        _emit(graph, edge, (closing, -1, -1, -1), terms, rows, found)
    if legs_max < 3:
        return
    for side in range(2):
        last = int64(tokens[source, TOKEN_IN + side])
        while last >= 0 and not _is_too_many(edge, rows, found):
            near = int64(pairs[last, PAIR_SOURCE])
            limit = _limit(graph, edge, terms, found) - weights[last]
            behind = potentials[IN_MAX, near] + max(potentials[OUT_MAX, target], 0.0)
            if near != target and behind > limit:
                for far_side in range(2):
                    middle = int64(tokens[near, TOKEN_IN + far_side])
                    while middle >= 0:
                        far = int64(pairs[middle, PAIR_SOURCE])
                        if far == target:
                            path = (middle, last, -1, -1)
                            _emit(graph, edge, path, terms, rows, found)
                        elif (
                            legs_max > 3
                            and far != source
                            and weights[middle] + potentials[OUT_MAX, target] > limit
                        ):
                            first = find_pair(graph, target, far)
                            if first >= 0 and weights[middle] + weights[first] > limit:
                                path = (first, middle, last, -1)
                                _emit(graph, edge, path, terms, rows, found)
                        middle = int64(pairs[middle, PAIR_IN_NEXT])
            last = int64(pairs[last, PAIR_IN_NEXT])


@borrowing
def _around_tail(graph, edge, ends, terms, rows, found):
    """Walk from core to core by way of the tail: its token comes third, or only fourth."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    if legs_max < 3:
        return
    first = int64(tokens[target, TOKEN_OUT + 1])
    while first >= 0 and not _is_too_many(edge, rows, found):
        near = int64(pairs[first, PAIR_TARGET])
        limit = _limit(graph, edge, terms, found) - weights[first]
        if potentials[OUT_MAX, near] + max(potentials[IN_MAX, source], 0.0) > limit:
            for side in range(2):
                middle = int64(tokens[near, TOKEN_OUT + side])
                while middle >= 0:
                    far = int64(pairs[middle, PAIR_TARGET])
                    if far == source:
                        path = (first, middle, -1, -1)
                        _emit(graph, edge, path, terms, rows, found)
                    elif legs_max > 3 and far != target:
                        last = find_pair(graph, far, source)
                        if last >= 0 and weights[middle] + weights[last] > limit:
                            path = (first, middle, last, -1)
                            _emit(graph, edge, path, terms, rows, found)
                    middle = int64(pairs[middle, PAIR_OUT_NEXT])
        first = int64(pairs[first, PAIR_OUT_NEXT])
    if legs_max < 4:
        return
    last = int64(tokens[source, TOKEN_IN + 1])
    while last >= 0 and not _is_too_many(edge, rows, found):
        near = int64(pairs[last, PAIR_SOURCE])
        limit = _limit(graph, edge, terms, found) - weights[last]
        if potentials[IN_MAX, near] + potentials[OUT_MAX, target] > limit:
            middle = int64(tokens[near, TOKEN_IN])
            while middle >= 0:
                far = int64(pairs[middle, PAIR_SOURCE])
                if far not in (source, target):
                    first = find_pair(graph, target, far)
                    if first >= 0 and weights[middle] + weights[first] > limit:
                        path = (first, middle, last, -1)
                        _emit(graph, edge, path, terms, rows, found)
                middle = int64(pairs[middle, PAIR_IN_NEXT])
        last = int64(pairs[last, PAIR_IN_NEXT])


@borrowing
def walk_tail(graph, edge, ends, terms, rows, found):
    """Find every cycle through the tail that closes a leg from ``ends[0]`` to ``ends[1]``.

    Args:
        edge: the edge of that leg, whose cycles go to `out`; or NONE, to write the pairs of all
            token cycles into `rows` whatever their weights.
        ends: source and target.
        terms: see `cycle_found.TERMS`.
        rows: int32 (n, 3); pairs after the leg, the empty pair where there are fewer.
        found: see `cycle_found.FOUND`; without an edge, the entry ROWS of its counts becomes the
            number of rows, beyond the length of `rows` if there was no room.
    """
    core = graph[1].shape[0]
    if ends[1] >= core:
        _from_tail(graph, edge, ends, terms, rows, found)
    elif ends[0] >= core:
        _to_tail(graph, edge, ends, terms, rows, found)
    else:
        _around_tail(graph, edge, ends, terms, rows, found)
