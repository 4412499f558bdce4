"""Slow twin of a sweep: which edges the routes from waiting tokens start with."""

import math
from collections.abc import Collection, Iterable, Mapping

from tests.reference.cycles import Edge


def starts(
    edges: Iterable[Edge], ranks: Mapping[int, float], waiting: Collection[int]
) -> list[Edge]:
    """Return the edges that lead from a waiting token to one of a higher rank, in their order."""
    return [
        edge
        for edge in edges
        if math.isfinite(edge.log_rate)
        and edge.source in waiting
        and ranks[edge.source] < ranks[edge.target]
    ]
