"""Profitable cycles through what just changed: one kernel call per change.

The rule: a cycle has 2 to 4 legs (5 by option), its log rates sum to more than the least gain, and
it visits no token and no place twice. Every such cycle through an edge that improved is found, and
the best of each number of legs are kept; the others are counted.
"""

from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.detect.cycle_index import CycleIndex
from engine.detect.market_graph import MarketGraph
from engine.domain.errors import BadValueError
from engine.kernels import cycles as kernels
from engine.kernels import graph_layout as layout

CYCLES_MAX: Final = 1_024
OVERFLOW_MAX: Final = 1_000_000

Found = tuple[
    npt.NDArray[np.float64],
    npt.NDArray[np.int64],
    npt.NDArray[np.int8],
    npt.NDArray[np.float64],
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One cycle: its edges, from the changed one on, and the sum of their log rates."""

    edges: tuple[int, ...]
    log_gain: float


class CycleScan:
    """Scans of one graph, with room for the best cycles of each number of legs.

    Attributes:
        found: what the last scan found, see `kernels.graph_layout`: float64
            (legs_max - 1, cycle_max, OUT_COLUMNS), cycles of n legs in `[n - 2]`, best first;
            and int64 (COUNTS,), in its entry n how many of n legs there are; the rest is scratch.
        overflow_max: `overflow` is exact below this, and otherwise at least this.
    """

    def __init__(
        self,
        graph: MarketGraph,
        *,
        log_gain_min: float = 0.0,
        legs_max: int = 4,
        cycle_max: int = 8,
        overflow_max: int = 1,
    ) -> None:
        """Make room for the best `cycle_max` cycles of each number of legs.

        Raises:
            BadValueError: a value is not within its limits.
        """
        if legs_max not in range(2, layout.LEGS_MAX + 1):
            raise BadValueError(
                f"cycles of up to {legs_max} legs; it must be 2 to {layout.LEGS_MAX}"
            )
        if not 1 <= cycle_max <= CYCLES_MAX:
            raise BadValueError(f"room for {cycle_max} cycles; it must be 1 to {CYCLES_MAX}")
        if not 0 <= overflow_max <= OVERFLOW_MAX:
            raise BadValueError(
                f"cycles without room are counted to {overflow_max}; it must be 0 to {OVERFLOW_MAX}"
            )
        if not -layout.LOG_MAX <= log_gain_min <= layout.LOG_MAX:
            raise BadValueError(f"least gain is {log_gain_min}; it must be a finite log rate")
        self._graph = graph
        self._arrays = graph.arrays
        self._query = (float(log_gain_min), legs_max, overflow_max)
        self.overflow_max = overflow_max
        self.found: Found = (
            np.zeros((legs_max - 1, cycle_max, layout.OUT_COLUMNS)),
            np.zeros(layout.COUNTS, np.int64),
            np.zeros(graph.core_size, np.int8),
            np.zeros(graph.token_max),
        )
        self.index = CycleIndex(graph)

    def used_arrays(self) -> tuple[()]:
        """Return nothing: what a scan found is read before the next; see `core.checkpoint`."""
        return ()

    @property
    def terms(self) -> tuple[float, int, int]:
        """Least gain, most legs and `overflow_max`: the query of the kernels."""
        return self._query

    @property
    def overflow(self) -> int:
        """How many profitable cycles the last scan had no room for."""
        return int(self.found[1][layout.OVERFLOW])

    def on_rate(self, edge: int, log_rate: float) -> int:
        """Set an edge's rate; returns how many cycles through it `found` holds in all.

        Raises:
            BadValueError: the edge does not exist or the rate is none.
        """
        return self.on_rates(edge, log_rate, layout.NONE, 0.0)

    def on_rates(self, edge: int, log_rate: float, other: int, other_log_rate: float) -> int:
        """Set the rates of a place's two edges at once, as a trade changes both.

        `other` may be NONE.

        Raises:
            BadValueError: an edge does not exist or a rate is none.
        """
        changes = (edge, log_rate, other, other_log_rate)
        count: int = kernels.on_rates(
            self._arrays, self.index.arrays, self._query, changes, self.found
        )
        if count < 0:
            self._graph.check_change(edge, log_rate)
            self._graph.check_change(other, other_log_rate)
        return count

    def on_batch(self, edges: npt.NDArray[np.int32], log_rates: npt.NDArray[np.float64]) -> int:
        """Set many rates that change together (a block), and scan the edges that improved.

        Args:
            edges: int32 (n,).
            log_rates: float64 (n,).

        Returns:
            How many cycles `found` holds in all; none comes twice.

        Raises:
            BadValueError: the lengths differ, an edge does not exist or a rate is none; then
                nothing is changed.
        """
        if edges.shape != log_rates.shape or edges.ndim != 1:
            raise BadValueError(f"{edges.shape} edges with {log_rates.shape} rates")
        count = int(
            kernels.on_batch(
                self._arrays, self.index.arrays, self._query, edges, log_rates, self.found
            )
        )
        if count < 0:
            for edge, log_rate in zip(edges.tolist(), log_rates.tolist(), strict=True):
                self._graph.check_change(edge, log_rate)
        return count

    def scan_all(self) -> int:
        """Find the best cycles of the whole market; returns how many `found` holds."""
        return int(kernels.scan_all(self._arrays, self.index.arrays, self._query, self.found))

    def cycles(self, *, legs: int | None = None) -> tuple[Cycle, ...]:
        """Return what the last scan found, best first: all, or only cycles of so many legs."""
        rows, counts, _, _ = self.found
        wanted = range(2, self._query[1] + 1) if legs is None else (legs,)
        kept = [row for count in wanted for row in rows[count - 2, : counts[count]].tolist()]
        kept.sort(key=itemgetter(layout.OUT_GAIN), reverse=True)
        return tuple(_cycle_of(row) for row in kept)


def _cycle_of(row: list[float]) -> Cycle:
    legs = row[layout.OUT_EDGE : layout.OUT_EDGE + int(row[layout.OUT_LEGS])]
    return Cycle(edges=tuple(int(edge) for edge in legs), log_gain=row[layout.OUT_GAIN])
