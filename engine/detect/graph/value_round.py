"""Rounds of valuation: what every asset of the graph is worth, a bounded part of them each tick."""

from collections import deque
from typing import Final

from engine.detect.graph.live_graph import LiveGraph
from engine.domain.assets import AssetCode
from engine.market.estimates import Estimates

ROUND_NS: Final = 1_000_000_000
"""Interval between the beginnings of rounds; a round that takes longer delays the next."""

ASSETS_MAX: Final = 64
"""Most assets that one tick values, each in about 2 microseconds. With ten ticks a second, up to
640 assets are valued once a second each; the most that the graph has room for, every 1.6 s."""


class ValueRound:
    """Values the assets of a graph in turn, as time passes.

    Only the time of inputs and counts decide what a tick does, so that a replay does the same.
    """

    def __init__(self, graph: LiveGraph, estimates: Estimates) -> None:
        self._graph = graph
        self._estimates = estimates
        self._left: deque[AssetCode] = deque()
        self._began_at_ns = 0

    def step(self, at_ns: int) -> None:
        """Value the next assets of the round, or begin one if it is due."""
        if not self._left and not 0 <= at_ns - self._began_at_ns < ROUND_NS:
            self._began_at_ns = at_ns
            self._left.extend(self._graph.assets)
        if self._left:
            # What has gone since the round began had no book, and so has no value.
            turn = [self._left.popleft() for _ in range(min(len(self._left), ASSETS_MAX))]
            self._graph.set_values(self._estimates.usd_per(turn, at_ns))
        self._graph.settle()
