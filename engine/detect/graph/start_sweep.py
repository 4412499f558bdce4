"""Routes that could not be costed, screened once they can be: a bounded part of them each tick.

The same is done for those that found no room among the open ones: what they gain is not followed.

Gas is counted in the token that a route starts in. When that token, or gas, is first worth
something, the token *waits*: some routes that start there may gain, and no change of a price would
say so. A *sweep* passes all edges in the order of their numbers and screens those that routes from
waiting tokens start with. Nothing else is kept of what waits, so that a pool that is removed takes
its place in it along, and one that moves stays: a move looks at the direction that improved only.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.places import BRIDGE_PLACE, POOL_PLACE
from engine.kernels.graph_layout import ALIVE_MIN, EDGE
from engine.kernels.screen_layout import (
    ASSET,
    IS_SWEPT,
    SWEEP,
    SWEEP_ENTRIES,
    WAITS_FOR_NEXT,
    WAITS_NOT,
)

SCANS_MAX: Final = 128
"""Most edges that one tick scans: 0.3 us each where nothing gains, and 2 us while the graph is in
no cache, as after a start."""

ROUTES_MAX: Final = 64
"""Routes above the limit after which a tick scans no further edge; to size one takes a few
microseconds. The last edge may find as many more as any change may."""

ScreenPart = Callable[[NDArray[np.int64], int, int], int]
"""Goes on with a sweep (its entries, the time, how many routes are open); returns rows filled."""


class StartSweep:
    """The tokens that wait and the sweep that is under way.

    Attributes:
        state: int64 (SWEEP_ENTRIES,) of `kernels.screen_layout`, as the last tick left it.
    """

    def __init__(
        self, edges: NDArray[np.int32], rates: NDArray[np.float64], tokens: NDArray[np.float64]
    ) -> None:
        """Take the arrays of the graph (`kernels.graph_layout`) and `tokens`; all stay in place."""
        self._edges = edges
        self._rates = rates
        self._tokens = tokens
        self._is_any_next = False
        self._is_again = False
        self._is_again_next = False
        self.state = np.zeros(SWEEP_ENTRIES, np.int64)
        self.state[SWEEP.EDGE] = len(edges)

    def add(self, token: int) -> None:
        """Let a token wait that has just come to be worth something."""
        self._tokens[token, ASSET.WAITS] = WAITS_FOR_NEXT
        self._is_any_next = True
        self._is_again_next = False

    def add_all(self) -> None:
        """Let every token wait that is worth something: gas has just come to be so."""
        is_valued = self._tokens[:, ASSET.VALUE_USD] > 0.0
        self._tokens[is_valued, ASSET.WAITS] = WAITS_FOR_NEXT
        self._is_any_next = True
        self._is_again_next = False

    def add_again(self) -> None:
        """Let every token wait once more; nothing may wait or be under way, see `is_left`."""
        self._tokens[:, ASSET.WAITS] = WAITS_FOR_NEXT
        self._is_any_next = self._is_again_next = True

    @property
    def is_left(self) -> bool:
        """Whether a sweep is under way or a token waits for one."""
        return self._is_under_way or self._is_any_next

    def step(self, screen: ScreenPart, at_ns: int, open_count: int) -> int:
        """Go on by as much as one tick may; returns how many rows `screen` filled."""
        if not self._is_under_way and not self._begin():
            return 0
        self.state[SWEEP.SCANS] = SCANS_MAX
        self.state[SWEEP.ROUTES] = ROUTES_MAX
        return screen(self.state, at_ns, open_count)

    def places(self) -> NDArray[np.int32]:
        """Return the places of the edges that are yet to be screened, repeats among them.

        Those that are only screened again do not count.
        """
        is_first = self._is_under_way and not self._is_again
        is_next = self._is_any_next and not self._is_again_next
        if not is_first and not is_next:
            return np.zeros(0, np.int32)
        waits, ranks = self._tokens[:, ASSET.WAITS].copy(), self._tokens[:, ASSET.RANK].copy()
        edges = np.flatnonzero(self._rates > ALIVE_MIN)
        held = self._edges[edges]
        source = held[:, EDGE.SOURCE]
        of_source = waits[source]
        is_swept = (of_source == IS_SWEPT) & (edges >= self.state[SWEEP.EDGE])
        is_left = is_first & is_swept | is_next & (of_source == WAITS_FOR_NEXT)
        is_pool = (held[:, EDGE.PLACE] >= POOL_PLACE) & (held[:, EDGE.PLACE] < BRIDGE_PLACE)
        is_at_books = self._tokens[:, ASSET.IS_AT_BOOKS].copy()[source] > 0.0
        is_left &= (ranks[source] < ranks[held[:, EDGE.TARGET]]) | is_pool & is_at_books
        left: NDArray[np.int32] = held[is_left, EDGE.PLACE]
        return left

    @property
    def _is_under_way(self) -> bool:
        return bool(self.state[SWEEP.EDGE] < len(self._edges))

    def _begin(self) -> bool:
        """Begin the next sweep, if a token waits for it."""
        if not self._is_any_next:
            return False
        waits = self._tokens[:, ASSET.WAITS]
        is_next = waits == WAITS_FOR_NEXT
        waits[:] = WAITS_NOT
        waits[is_next] = IS_SWEPT
        self._is_again = self._is_again_next
        self._is_any_next = self._is_again_next = False
        self.state[SWEEP.EDGE] = 0
        return True
