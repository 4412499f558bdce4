"""Slow twin of the cycle scans: a depth-first search over a plain list of edges."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    number: int
    source: int
    target: int
    place: int
    log_rate: float


@dataclass(frozen=True, order=True)
class Found:
    log_gain: float
    edges: tuple[int, ...]


def cycles_through(
    edges: Iterable[Edge], changed: int, *, log_gain_min: float, legs_max: int
) -> list[Found]:
    """Return all cycles through an edge whose sum is above the least gain, best first."""
    alive = [edge for edge in edges if math.isfinite(edge.log_rate)]
    found: list[Found] = []
    leaving: dict[int, list[Edge]] = {}
    for edge in alive:
        leaving.setdefault(edge.source, []).append(edge)

    def extend(path: list[Edge]) -> None:
        for edge in leaving.get(path[-1].target, []):
            if any(edge.place == held.place for held in path):
                continue
            if edge.target == path[0].source:
                legs = [*path, edge]
                gain = sum(leg.log_rate for leg in legs)
                if gain > log_gain_min:
                    found.append(Found(gain, tuple(leg.number for leg in legs)))
            elif len(path) + 1 < legs_max and all(edge.target != held.target for held in path):
                extend([*path, edge])

    for edge in alive:
        if edge.number == changed:
            extend([edge])
    return sorted(found, reverse=True)
