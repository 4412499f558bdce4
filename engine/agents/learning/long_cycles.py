"""Cycles of more legs than the live screening looks at that gain at the margin.

Each ordered pair of assets has its best rate, fees within. A way is followed leg by leg, the most
promising first, as long as the best legs there are could still bring it to a gain: what is left out
cannot gain. Values of assets, about, bring the rates near one (as potentials do in the detector).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

VISITS_MAX: Final = 200_000
"""Legs that are looked at from one asset; a graph that needs more is left, and that is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A way from one asset to another.

    Attributes:
        gain: log of the rate.
    """

    source: str
    target: str
    pool: str
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A way back to where it began; `pools[i]` turns `tokens[i]` into the next."""

    tokens: tuple[str, ...]
    pools: tuple[str, ...]
    gain: float


@dataclass(slots=True)
class Graph:
    """The edges by their source, best first, in weights that are near zero.

    Attributes:
        best: the greatest of all weights.
        visits: legs that were looked at from one asset.
    """

    out: dict[str, list[Edge]]
    best: float
    visits: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether not all could be looked at from the last asset."""
        return self.visits >= VISITS_MAX


def graph_of(edges: Sequence[Edge]) -> Graph:
    """Make the graph of the best edge of each ordered pair."""
    best: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        known = best.get((edge.source, edge.target))
        if math.isfinite(edge.gain) and (known is None or edge.gain > known.gain):
            best[edge.source, edge.target] = edge
    values = _values(best.values())
    out: dict[str, list[Edge]] = {}
    for edge in best.values():
        weight = edge.gain + values[edge.source] - values[edge.target]
        out.setdefault(edge.source, []).append(
            Edge(source=edge.source, target=edge.target, pool=edge.pool, gain=weight)
        )
    for ways in out.values():
        ways.sort(key=lambda edge: (-edge.gain, edge.target))
    most = max((ways[0].gain for ways in out.values()), default=0.0)
    return Graph(out=out, best=most)


def _values(edges: Iterable[Edge]) -> Mapping[str, float]:
    """Return about the log of a value for each asset: along the first way that reaches it."""
    out: dict[str, list[Edge]] = {}
    for edge in edges:
        out.setdefault(edge.source, []).append(edge)
    values: dict[str, float] = {}
    for start in out:
        if start in values:
            continue
        values[start] = 0.0
        waiting = [start]
        while waiting:
            source = waiting.pop(0)
            for edge in out.get(source, ()):
                if edge.target not in values:
                    values[edge.target] = values[source] + edge.gain
                    waiting.append(edge.target)
    return values


def cycles_from(graph: Graph, start: str, legs: int, least: float) -> list[Cycle]:
    """Return the cycles of so many legs through an asset, none before it in order, that gain.

    Args:
        graph: of the edges.
        start: the asset; assets whose names come before it are left out, as theirs are their own.
        legs: exactly so many.
        least: least log of the gain.
    """
    graph.visits = 0
    found: list[Cycle] = []
    begun = Cycle(tokens=(start,), pools=(), gain=0.0)
    _follow(graph, begun, legs, least, found)
    return found


def _follow(graph: Graph, way: Cycle, legs: int, least: float, found: list[Cycle]) -> None:
    start, left = way.tokens[0], legs - len(way.pools) - 1
    for edge in graph.out.get(way.tokens[-1], ()):
        gain = way.gain + edge.gain
        if gain + left * graph.best < least or graph.visits >= VISITS_MAX:
            return
        graph.visits += 1
        if edge.pool in way.pools:
            continue
        pools = (*way.pools, edge.pool)
        if not left:
            if edge.target == start:
                found.append(Cycle(tokens=way.tokens, pools=pools, gain=gain))
        elif edge.target > start and edge.target not in way.tokens:
            further = Cycle(tokens=(*way.tokens, edge.target), pools=pools, gain=gain)
            _follow(graph, further, legs, least, found)
