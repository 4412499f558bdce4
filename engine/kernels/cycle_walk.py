"""Walks along lists of pairs, for cycles through tokens of the tail."""

from numba import int64

from engine.kernels.cycle_found import expand, least_screen_of
from engine.kernels.graph import find_pair
from engine.kernels.graph_layout import PAIR, POTENTIALS, TOKEN
from engine.kernels.jit import borrowing


@borrowing
def _from_tail(graph, edge, ends, terms, found):
    """Walk on from a target in the tail: no list starts at two tokens with many pairs."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    closing = find_pair(graph, target, source)
    if closing >= 0:
        expand(graph, edge, (closing, -1, -1, -1), terms, found)
    if legs_max < 3:
        return
    for side in range(2):
        first = int64(tokens[target, TOKEN.OUT + side])
        while first >= 0:
            near = int64(pairs[first, PAIR.TARGET])
            limit = least_screen_of(graph, edge, terms, found) - weights[first]
            ahead = potentials[POTENTIALS.OUT_MAX, near] + max(
                potentials[POTENTIALS.IN_MAX, source], 0.0
            )
            if near != source and ahead > limit:
                for far_side in range(2):
                    middle = int64(tokens[near, TOKEN.OUT + far_side])
                    while middle >= 0:
                        far = int64(pairs[middle, PAIR.TARGET])
                        if far == source:
                            path = (first, middle, -1, -1)
                            expand(graph, edge, path, terms, found)
                        elif (
                            legs_max > 3
                            and far != target
                            and weights[middle] + potentials[POTENTIALS.IN_MAX, source] > limit
                        ):
                            last = find_pair(graph, far, source)
                            if last >= 0 and weights[middle] + weights[last] > limit:
                                path = (first, middle, last, -1)
                                expand(graph, edge, path, terms, found)
                        middle = int64(pairs[middle, PAIR.OUT_NEXT])
            first = int64(pairs[first, PAIR.OUT_NEXT])


@borrowing
def _to_tail(graph, edge, ends, terms, found):
    """Walk back from a source in the tail, the target being in the core."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    closing = find_pair(graph, target, source)
    if closing >= 0:
        expand(graph, edge, (closing, -1, -1, -1), terms, found)
    if legs_max < 3:
        return
    for side in range(2):
        last = int64(tokens[source, TOKEN.IN + side])
        while last >= 0:
            near = int64(pairs[last, PAIR.SOURCE])
            limit = least_screen_of(graph, edge, terms, found) - weights[last]
            behind = potentials[POTENTIALS.IN_MAX, near] + max(
                potentials[POTENTIALS.OUT_MAX, target], 0.0
            )
            if near != target and behind > limit:
                for far_side in range(2):
                    middle = int64(tokens[near, TOKEN.IN + far_side])
                    while middle >= 0:
                        far = int64(pairs[middle, PAIR.SOURCE])
                        if far == target:
                            path = (middle, last, -1, -1)
                            expand(graph, edge, path, terms, found)
                        elif (
                            legs_max > 3
                            and far != source
                            and weights[middle] + potentials[POTENTIALS.OUT_MAX, target] > limit
                        ):
                            first = find_pair(graph, target, far)
                            if first >= 0 and weights[middle] + weights[first] > limit:
                                path = (first, middle, last, -1)
                                expand(graph, edge, path, terms, found)
                        middle = int64(pairs[middle, PAIR.IN_NEXT])
            last = int64(pairs[last, PAIR.IN_NEXT])


@borrowing
def _around_tail(graph, edge, ends, terms, found):
    """Walk from core to core by way of the tail: its token comes third, or only fourth."""
    _, _, _, _, pairs, weights, tokens, potentials, _ = graph
    source, target = ends
    legs_max = terms[1]
    if legs_max < 3:
        return
    first = int64(tokens[target, TOKEN.OUT + 1])
    while first >= 0:
        near = int64(pairs[first, PAIR.TARGET])
        limit = least_screen_of(graph, edge, terms, found) - weights[first]
        if (
            potentials[POTENTIALS.OUT_MAX, near] + max(potentials[POTENTIALS.IN_MAX, source], 0.0)
            > limit
        ):
            for side in range(2):
                middle = int64(tokens[near, TOKEN.OUT + side])
                while middle >= 0:
                    far = int64(pairs[middle, PAIR.TARGET])
                    if far == source:
                        path = (first, middle, -1, -1)
                        expand(graph, edge, path, terms, found)
                    elif legs_max > 3 and far != target:
                        last = find_pair(graph, far, source)
                        if last >= 0 and weights[middle] + weights[last] > limit:
                            path = (first, middle, last, -1)
                            expand(graph, edge, path, terms, found)
                    middle = int64(pairs[middle, PAIR.OUT_NEXT])
        first = int64(pairs[first, PAIR.OUT_NEXT])
    if legs_max < 4:
        return
    last = int64(tokens[source, TOKEN.IN + 1])
    while last >= 0:
        near = int64(pairs[last, PAIR.SOURCE])
        limit = least_screen_of(graph, edge, terms, found) - weights[last]
        if potentials[POTENTIALS.IN_MAX, near] + potentials[POTENTIALS.OUT_MAX, target] > limit:
            middle = int64(tokens[near, TOKEN.IN])
            while middle >= 0:
                far = int64(pairs[middle, PAIR.SOURCE])
                if far not in (source, target):
                    first = find_pair(graph, target, far)
                    if first >= 0 and weights[middle] + weights[first] > limit:
                        path = (first, middle, last, -1)
                        expand(graph, edge, path, terms, found)
                middle = int64(pairs[middle, PAIR.IN_NEXT])
        last = int64(pairs[last, PAIR.IN_NEXT])


@borrowing
def walk_tail(graph, edge, ends, terms, found):
    """Find every cycle through the tail that closes a leg from ``ends[0]`` to ``ends[1]``.

    Args:
        edge: of that leg.
        ends: source and target.
        terms: see `cycles.QUERY`; the last says which cycles are left out.
        found: see `cycle_found.FOUND`.
    """
    core = graph[1].shape[0]
    if ends[1] >= core:
        _from_tail(graph, edge, ends, terms, found)
    elif ends[0] >= core:
        _to_tail(graph, edge, ends, terms, found)
    else:
        _around_tail(graph, edge, ends, terms, found)
