"""Slow twin of the market graph's arrays: what they must hold, from a plain list of edges."""

import math
from collections.abc import Iterable

from tests.reference.cycles import Edge


def best_rates(edges: Iterable[Edge]) -> dict[tuple[int, int], float]:
    """Return the best log rate from one token to another over all parallel edges."""
    best: dict[tuple[int, int], float] = {}
    for edge in edges:
        if math.isfinite(edge.log_rate):
            ends = edge.source, edge.target
            best[ends] = max(best.get(ends, -math.inf), edge.log_rate)
    return best


def best_two_legs(edges: Iterable[Edge]) -> dict[tuple[int, int], float]:
    """Return the best sum of two legs from one token to another by way of a third."""
    best = best_rates(edges)
    two: dict[tuple[int, int], float] = {}
    for (source, middle), first in best.items():
        for (start, target), second in best.items():
            if start == middle and target != source:
                ends = source, target
                two[ends] = max(two.get(ends, -math.inf), first + second)
    return two
