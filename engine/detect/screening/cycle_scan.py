"""What scans of a graph ask for, and room for what they find.

The rule: a cycle has 2 to 4 legs (5 by option), its log rates sum to more than the least gain, and
it visits no token and no place twice. Every such cycle through an edge that improved is found, and
the best of each number of legs are kept; the others are counted.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.detect.graph.market_graph import MarketGraph
from engine.kernels.graph_layout import CYCLE_COLUMNS, TALLY_ENTRIES

CYCLES_MAX: Final = 1_024
"""Most cycles of each number of legs that one change has weighed, the best by log gain; a change
that finds 900 takes 0.6 ms. Those without room are counted."""


class CycleScan:
    """The query of scans, and their result.

    Attributes:
        query: least gain, most legs, and up to how many those without room are counted exactly: by
            default so that none is counted only where none was left out.
        found: what the last scan found, see `kernels.graph_layout`: float64
            (legs_max - 1, cycle_max, CYCLE_COLUMNS), cycles of n legs in `[n - 2]`; and int64
            (COUNTS,), in its entry n how many of n legs there are; the rest is scratch.
    """

    def __init__(
        self,
        graph: MarketGraph,
        *,
        log_gain_min: float = 0.0,
        legs_max: int = 4,
        cycle_max: int = CYCLES_MAX,
        overflow_max: int = 1,
    ) -> None:
        self.query = (log_gain_min, legs_max, overflow_max)
        self.found: tuple[
            npt.NDArray[np.float64],
            npt.NDArray[np.int64],
            npt.NDArray[np.int8],
            npt.NDArray[np.float64],
        ] = (
            np.zeros((legs_max - 1, cycle_max, CYCLE_COLUMNS)),
            np.zeros(TALLY_ENTRIES, np.int64),
            np.zeros(graph.core_size, np.int8),
            np.zeros(graph.token_max),
        )

    def used_arrays(self) -> tuple[()]:
        """Return nothing: what a scan found is read before the next; see `core.checkpoint`."""
        return ()
