"""Valuation in a large market, which is never to pause: what one tick does of it.

`python -m benchmarks.live_values`. A book values every asset of `live_market`. Once all is valued a
tick values its part and screens nothing; where nothing was valued before, all pools wait. That
nothing takes 1 ms is what `p99` and `p99.9` are to show.
"""

import numpy as np

from benchmarks.harness import Row, machine, measure, print_table, row, scalar, time_calls
from benchmarks.live_market import AGE_NS_MAX, AT_NS, LiveMarket
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.value_round import ROUND_NS, ValueRound
from engine.detect.screening.detector import Detector
from engine.detect.screening.screens import Screens
from engine.market.estimates import Estimates

CALLS = 5_000
MARKETS = 60
"""Markets that are valued for the first time, tick by tick."""

TICKS_MAX = 1_000


class Ticks:
    """What ticks do of valuation and of screening; `waiting` has the counts taken so far."""

    def __init__(self, market: LiveMarket, graph: LiveGraph) -> None:
        self.waiting: list[int] = []
        self.graph = graph
        self.detector = Detector(market.board, graph, age_ns_max=AGE_NS_MAX, run_id="bench")
        self._round = ValueRound(graph, Estimates(market.board, age_ns_max=1 << 62))
        self._at_ns = AT_NS

    def tick(self) -> None:
        """Value and screen; a round begins as soon as the last one ended."""
        self._at_ns += ROUND_NS
        self._round.step(self._at_ns)
        self.detector.screen_starts(AT_NS)

    def count(self) -> None:
        """Count the pools that wait, as a report does."""
        self.waiting.append(self.detector.pools_waiting)


def _unvalued(market: LiveMarket) -> Ticks:
    """Make the market's graph anew, so that nothing is valued in it."""
    graph = market.make_graph()
    graph.add_pools(list(market.graph.pools.values()))
    screens = Screens(market.board, graph)
    for book in range(len(market.board.instruments)):
        screens.screen(book, AT_NS, 0)
    return Ticks(market, graph)


def measure_first(market: LiveMarket) -> list[Row]:
    """Value markets for the first time."""
    durations, counts = [], []
    for _ in range(MARKETS):
        ticks = _unvalued(market)
        taken = time_calls([ticks.tick] * TICKS_MAX, between=ticks.count)
        needed = ticks.waiting.index(0) + 1
        assert max(ticks.waiting) > len(market.graph.pools) / 2
        assert not ticks.detector.found
        durations.append(taken[:needed])
        counts.append(needed)
    ticks = _unvalued(market)
    ticks.tick()
    return [
        row("live.tick, nothing valued before", np.concatenate(durations)),
        scalar("live.ticks until all is screened", "ticks", max(counts)),
        measure("live.pools_waiting", [ticks.count] * CALLS),
    ]


def measure_steady(market: LiveMarket) -> list[Row]:
    """Value again and again what is valued already."""
    ticks = Ticks(market, market.graph)
    while ticks.graph.settle() or ticks.detector.pools_waiting:
        ticks.tick()
    return [measure("live.tick, all valued before", [ticks.tick] * CALLS)]


def measure_all() -> list[Row]:
    """Measure everything in one market."""
    market = LiveMarket(is_valued_by_books=True)
    return measure_first(market) + measure_steady(market)


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
