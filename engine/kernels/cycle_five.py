"""Scans for cycles of five legs, an option beside those of 2 to 4 legs in `cycles`.

Among core tokens, u -> v closes in four legs by at most max_b D[v,b] + W[b,c] + W[c,u] for each c
that leads to u. Through the tail, the best two legs from each b to u are noted first, and a walk
along lists from v goes beyond b only where they suffice: a few steps for each pair, not for each
path.
"""

from numba import int64

from engine.kernels.cycle_found import expand, screen_of
from engine.kernels.graph import find_pair, take_raises, tighten
from engine.kernels.graph_layout import (
    DEAD,
    GRAPH_STATE,
    LANES,
    NONE,
    PAIR,
    PLANE,
    POTENTIALS,
    TALLY,
    TOKEN,
)
from engine.kernels.jit import borrowing, fused
from engine.kernels.row_scan import row_max


@borrowing
def _close_by_two(graph, edge, ends, b, c, terms, found):
    """Close by way of b and then c."""
    dense, pair_of, _, _, _, _, _, _, state = graph
    source, target = ends
    columns = int64(state[GRAPH_STATE.COLUMNS])
    leaving = dense[PLANE.BEST_LOG]
    reaching = dense[PLANE.BEST_LOG_T]
    last = reaching[c, b] + reaching[source, c]
    third, fourth = int64(pair_of[b, c]), int64(pair_of[c, source])
    limit = screen_of(graph, edge, terms, 5, found)
    for block in range(0, columns, LANES):
        if row_max(leaving, target, reaching, b, block, block + LANES) + last > limit:
            for a in range(block, block + LANES):
                if leaving[target, a] + reaching[b, a] + last > limit and a not in (source, c):
                    path = (int64(pair_of[target, a]), int64(pair_of[a, b]), third, fourth)
                    expand(graph, edge, path, terms, found)
                    limit = screen_of(graph, edge, terms, 5, found)


@borrowing
def close_in_four(graph, edge, ends, terms, found):
    """Find every cycle of five legs among core tokens that closes a leg between `ends`."""
    dense = graph[0]
    source, target = ends
    columns = int64(graph[8][GRAPH_STATE.COLUMNS])
    two_hop = dense[PLANE.TWO_HOP]
    reaching = dense[PLANE.BEST_LOG_T]
    is_tight = found[2]
    take_raises(graph, target)
    two_max = two_hop[target, 0]
    for b in range(columns):
        is_tight[b] = 0
        two_max = max(two_max, two_hop[target, b])
    limit = screen_of(graph, edge, terms, 5, found)
    for c in range(columns):
        last = reaching[source, c]
        if c == target or two_max + graph[7][POTENTIALS.IN_MAX, c] + last <= limit:
            continue
        if row_max(two_hop, target, reaching, c, 0, columns) + last <= limit:
            continue
        for block in range(0, columns, LANES):
            if row_max(two_hop, target, reaching, c, block, block + LANES) + last <= limit:
                continue
            for b in range(block, block + LANES):
                if b == source or two_hop[target, b] + reaching[c, b] + last <= limit:
                    continue
                if is_tight[b] == 0:
                    is_tight[b] = 1
                    tighten(graph, target, b)
                    if two_hop[target, b] + reaching[c, b] + last <= limit:
                        continue
                _close_by_two(graph, edge, ends, b, c, terms, found)
                limit = screen_of(graph, edge, terms, 5, found)


@borrowing
def _note_two_legs_home(graph, ends, bounds):
    """Write the best two legs from every token to the source, not by way of the target.

    Returns:
        The best of all.
    """
    _, _, _, _, pairs, weights, tokens, _, _ = graph
    source, target = ends
    for token in range(bounds.shape[0]):
        bounds[token] = DEAD
    best = DEAD
    for side in range(2):
        last = int64(tokens[source, TOKEN.IN + side])
        while last >= 0:
            c = int64(pairs[last, PAIR.SOURCE])
            for far_side in range(2):
                third = int64(tokens[c, TOKEN.IN + far_side]) if c != target else int64(NONE)
                while third >= 0:
                    b = int64(pairs[third, PAIR.SOURCE])
                    if b not in (source, target):
                        bounds[b] = max(bounds[b], weights[third] + weights[last])
                        best = max(best, bounds[b])
                    third = int64(pairs[third, PAIR.IN_NEXT])
            last = int64(pairs[last, PAIR.IN_NEXT])
    return best


@fused
def _first_leaving(graph, token, begin):
    """Return the first pair of a token's lists from `begin` on: TOKEN_OUT or the one after."""
    tokens = graph[6]
    pair = int64(tokens[token, begin])
    return pair if pair >= 0 or begin != TOKEN.OUT else int64(tokens[token, TOKEN.OUT + 1])


@fused
def _next_leaving(graph, token, pair):
    _, pair_of, _, _, pairs, _, tokens, _, _ = graph
    after = int64(pairs[pair, PAIR.OUT_NEXT])
    if after < 0 and pairs[pair, PAIR.TARGET] < pair_of.shape[0]:
        return int64(tokens[token, TOKEN.OUT + 1])
    return after


@borrowing
def walk_in_four(graph, edge, ends, terms, found):
    """Find every cycle of five legs through the tail that closes a leg between `ends`."""
    _, pair_of, _, _, pairs, weights, _, potentials, _ = graph
    source, target = ends
    core = pair_of.shape[0]
    walked = found[1][TALLY.WALKED :]
    bounds = found[3]
    limit = screen_of(graph, edge, terms, 5, found)
    two_home = _note_two_legs_home(graph, ends, bounds)
    depth = 0
    walked[0] = _first_leaving(graph, target, TOKEN.OUT)
    while depth >= 0:
        pair = walked[depth]
        if pair >= 0:
            near = int64(pairs[pair, PAIR.TARGET])
            weight = float(weights[pair])
            is_new = near not in (source, target)
            is_tail = source >= core or target >= core or near >= core
            for k in range(depth):
                weight += weights[walked[k]]
                is_new &= near != pairs[walked[k], PAIR.TARGET]
                is_tail |= pairs[walked[k], PAIR.TARGET] >= core
            if depth == 0:
                ahead = weight + potentials[POTENTIALS.OUT_MAX, near] + two_home
            elif depth == 1:
                ahead = weight + bounds[near]
            else:
                ahead = weight + potentials[POTENTIALS.IN_MAX, source]
            if is_new and ahead > limit and depth < 2:
                depth += 1
                # Without a token of the tail so far, the last one must be.
                begin = TOKEN.OUT if is_tail or depth < 2 else TOKEN.OUT + 1
                walked[depth] = _first_leaving(graph, near, begin)
                continue
            if is_new and ahead > limit:
                last = find_pair(graph, near, source)
                if last >= 0 and weight + weights[last] > limit:
                    expand(graph, edge, (walked[0], walked[1], pair, last), terms, found)
                    limit = screen_of(graph, edge, terms, 5, found)
        else:
            depth -= 1
            if depth < 0:
                return
        token = target if depth == 0 else int64(pairs[walked[depth - 1], PAIR.TARGET])
        walked[depth] = _next_leaving(graph, token, walked[depth])
