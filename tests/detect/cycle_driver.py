"""Scans of a graph from Python, without the rest of the detector."""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from engine.detect.graph.market_graph import MarketGraph
from engine.detect.screening.cycle_scan import CycleScan
from engine.kernels import cycles as kernels
from engine.kernels.graph_layout import CYCLE, NONE, TALLY

CYCLES_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One cycle: its edges, from the changed one on, and the sum of their log rates."""

    edges: tuple[int, ...]
    log_gain: float


class ScanDriver:
    """Has edges scanned as they change."""

    def __init__(
        self,
        graph: MarketGraph,
        *,
        log_gain_min: float = 0.0,
        legs_max: int = 4,
        cycle_max: int = CYCLES_KEPT,
        overflow_max: int = 1,
    ) -> None:
        self._graph = graph
        self._scan = CycleScan(
            graph,
            log_gain_min=log_gain_min,
            legs_max=legs_max,
            cycle_max=cycle_max,
            overflow_max=overflow_max,
        )
        self.query, self.found = self._scan.query, self._scan.found

    @property
    def overflow(self) -> int:
        return int(self.found[1][TALLY.OVERFLOW])

    def on_rate(self, edge: int, log_rate: float) -> int:
        return self.on_rates(edge, log_rate, NONE, 0.0)

    def on_rates(self, edge: int, log_rate: float, other: int, other_log_rate: float) -> int:
        """Set the rates of a place's two edges at once; returns how many cycles are kept."""
        changes = (edge, log_rate, other, other_log_rate)
        count: int = kernels.on_rates(self._graph.arrays, self.query, changes, self.found)
        return count

    def on_batch(self, edges: npt.NDArray[np.int32], log_rates: npt.NDArray[np.float64]) -> int:
        return int(kernels.on_batch(self._graph.arrays, self.query, edges, log_rates, self.found))

    def cycles(self, *, legs: int | None = None) -> tuple[Cycle, ...]:
        """Return what the last scan found, best first: all, or only cycles of so many legs."""
        rows, counts, _, _ = self.found
        wanted = range(2, self.query[1] + 1) if legs is None else (legs,)
        kept = [row for count in wanted for row in rows[count - 2, : counts[count]].tolist()]
        kept.sort(key=itemgetter(CYCLE.GAIN), reverse=True)
        return tuple(_cycle_of(row) for row in kept)


def _cycle_of(row: list[float]) -> Cycle:
    legs = row[CYCLE.EDGE : CYCLE.EDGE + int(row[CYCLE.LEGS])]
    return Cycle(edges=tuple(int(edge) for edge in legs), log_gain=row[CYCLE.GAIN])
