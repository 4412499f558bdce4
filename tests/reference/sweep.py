"""Slow twin of a sweep: which edges the routes from waiting tokens start with."""

import math
from collections.abc import Collection, Iterable, Mapping

from engine.detect.graph.places import BRIDGE_PLACE, POOL_PLACE
from tests.reference.cycles import Edge


def starts(
    edges: Iterable[Edge],
    ranks: Mapping[int, float],
    waiting: Collection[int],
    at_books: Collection[int] = (),
) -> list[Edge]:
    """Return the edges that routes from a waiting token may start with, in their order.

    They lead to a token of a higher rank, or are of a pool and leave a token that a book trades.
    """
    return [
        edge
        for edge in edges
        if math.isfinite(edge.log_rate)
        and edge.source in waiting
        and (
            ranks[edge.source] < ranks[edge.target]
            or (POOL_PLACE <= edge.place < BRIDGE_PLACE and edge.source in at_books)
        )
    ]
