"""Changed books and pools, screened: one call of a kernel per change, over the arrays of the graph.

Handing over an array takes a tenth of a microsecond, so that a book's screen takes all of them as
one context.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numba.core import config as numba_config
from numpy.typing import NDArray

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.moved_pair import KnownPool
from engine.detect.screening.cycle_scan import CycleScan
from engine.domain.opportunities import Hop
from engine.kernels.context import make_context
from engine.kernels.graph_layout import NONE, TALLY
from engine.kernels.screen import screen_book, screen_book_in, screen_pools, screen_pools_in
from engine.kernels.screen_layout import (
    ROUTE,
    ROUTE_COLUMNS,
    ROUTE_LEGS_MAX,
    SCREENED,
    SCREENED_COLUMNS,
    SIZED_MAX,
    UNTRADED_SIZED_MAX,
)
from engine.kernels.sizing_layout import SIZED_COLUMNS, TERM_COLUMNS
from engine.kernels.sweep import screen_starts
from engine.market.board import Board

OPEN_MAX: Final = 128
"""Most routes that are open at once."""

ROWS_MAX: Final = OPEN_MAX + 4 * (SIZED_MAX + UNTRADED_SIZED_MAX)


ScreenBook = Callable[[int, int, int], int]
ScreenPools = Callable[[int, int, NDArray[np.int32], NDArray[np.float64]], int]


class Screens:
    """Screens the changes of a graph; each returns how many rows of `out` tell of routes.

    Attributes:
        out: float64 (ROWS_MAX, SCREENED_COLUMNS): the routes of the last change.
        open_routes: int64 (OPEN_MAX, ROUTE_COLUMNS): the routes that are followed.
    """

    def __init__(self, board: Board, graph: LiveGraph) -> None:
        self._graph = graph
        self._scan = CycleScan(
            graph.market,
            log_gain_min=math.log1p(graph.terms.edge_ratio_min),
            legs_max=graph.terms.legs_max,
        )
        self.open_routes = np.full((OPEN_MAX, ROUTE_COLUMNS), NONE, np.int64)
        self.out = np.zeros((ROWS_MAX, SCREENED_COLUMNS))
        # The kernels take the same arrays at every call: made once, as tuples are slow to make.
        self._fixed = (
            (board.state, board.levels),
            graph.market.arrays,
            self._scan.query,
            (
                *graph.edge_arrays,
                self.open_routes,
                np.zeros((1, ROUTE_LEGS_MAX), np.int64),
                np.zeros((1, TERM_COLUMNS)),
                np.zeros((1, SIZED_COLUMNS)),
            ),
            graph.side_arrays,
            self._scan.found,
        )
        self._screen, self._screen_pools = self._make_screens()

    def screen(self, book: int, at_ns: int, open_count: int) -> int:
        """Screen a changed book."""
        count: int = self._screen(book, at_ns, open_count)
        return count

    def change_pools(
        self, changes: Mapping[int, KnownPool | None], at_ns: int, open_count: int
    ) -> int:
        """Take the new states of pools that change at once and screen them.

        Raises:
            BadValueError: see `LiveGraph.change_pools`.
        """
        edges, log_rates = self._graph.change_pools(changes)
        if not len(edges):
            return 0
        return self._screen_pools(at_ns, open_count, edges, log_rates)

    def reopen(self, number: int, at_ns: int, open_count: int) -> int:
        """Screen a pool as if it had just come into being."""
        self._graph.shut_pool(number)
        return self.change_pools({number: self._graph.pool(number)}, at_ns, open_count)

    def screen_starts(self, at_ns: int, open_count: int) -> int:
        """Screen a bounded part of what could not be costed before.

        Nothing is screened before potentials are settled: it would take much longer.
        """
        if self._graph.is_unsettled:
            return 0
        return self._graph.sweep.step(self._screen_starts, at_ns, open_count)

    def size_routes(self, routes: Sequence[tuple[int, ...]], at_ns: int, open_count: int) -> int:
        """Size routes by their edges, whether or not anything on their way changed.

        Those that are open are sized as after any change, those for which is no room are left out.
        """
        held = self.open_routes
        known = set(map(tuple, held[:open_count, ROUTE.EDGE :].tolist()))
        padded = [(*one, *[NONE] * (ROUTE_LEGS_MAX - len(one))) for one in routes]
        new = [one for one in dict.fromkeys(padded) if one not in known][: len(held) - open_count]
        if not new:
            return 0
        ends = open_count + len(new)
        for row, edges in enumerate(new, open_count):
            held[row, ROUTE.LEGS] = sum(edge != NONE for edge in edges)
            held[row, ROUTE.EDGE :] = edges
        edges_of = np.array(sorted({edge for one in new for edge in one if edge != NONE}), np.int32)
        log_rates = self._graph.market.arrays[3][edges_of]
        count = self._screen_pools(at_ns, ends, edges_of, log_rates)
        held[open_count:ends] = NONE
        asked = self.out[:count, SCREENED.OPEN]  # behind those that are open, as new ones are
        asked[asked >= open_count] = NONE
        return count

    def hops(self, row: Sequence[float]) -> tuple[Hop, ...]:
        """Return the legs of a row of `out`."""
        amount = row[SCREENED.INPUT]
        hops = []
        for leg in range(int(row[SCREENED.LEGS])):
            place = self._graph.place_of(int(row[SCREENED.EDGE + leg]))
            given, amount = amount, row[SCREENED.AMOUNT + leg]
            hops.append(
                Hop(
                    kind=place.kind,
                    venue=place.venue,
                    place=place.name,
                    row=place.row,
                    source=place.source,
                    target=place.target,
                    chain=place.chain,
                    amount_in=given,
                    amount_out=amount,
                    frame_seq=self._graph.frame_seq(place),
                )
            )
        return tuple(hops)

    @property
    def unsized(self) -> int:
        """How many cycles might have gained net of all costs, and were one too many to be sized."""
        return int(self._scan.found[1][TALLY.UNSIZED])

    @property
    def unweighed(self) -> int:
        """How many cycles, at least, gained at the margin and were one too many to be weighed."""
        return int(self._scan.found[1][TALLY.UNWEIGHED])

    @property
    def untraded_unsized(self) -> int:
        """As `unsized`, of cycles that no executor trades."""
        return int(self._scan.found[1][TALLY.UNTRADED])

    def _make_screens(self) -> tuple[ScreenBook, ScreenPools]:
        """Return the screens of a book and of pools; compiled, they take arrays as one context."""
        board, graph, query, routes, sides, found = self._fixed
        if getattr(numba_config, "DISABLE_JIT", 0):
            return (
                lambda book, at_ns, open_count: int(
                    screen_book((book, at_ns, open_count), *self._fixed, self.out)
                ),
                lambda at_ns, open_count, edges, log_rates: int(
                    screen_pools(
                        (NONE, at_ns, open_count), *self._fixed, edges, log_rates, self.out
                    )
                ),
            )
        context = make_context([*board, *graph, *routes, *sides, *found, self.out])
        return (
            lambda book, at_ns, open_count: int(
                screen_book_in(book, at_ns, open_count, query, context)
            ),
            lambda at_ns, open_count, edges, log_rates: int(
                screen_pools_in(at_ns, open_count, query, context, edges, log_rates)
            ),
        )

    def _screen_starts(self, sweep: NDArray[np.int64], at_ns: int, open_count: int) -> int:
        return int(screen_starts((NONE, at_ns, open_count), *self._fixed, sweep, self.out))
