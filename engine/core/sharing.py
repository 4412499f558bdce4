"""The matrix in which other processes read prices, written as they change, made anew with rows."""

from collections.abc import Callable, Mapping
from typing import Final

from engine.core.shared_rows import SharedRows
from engine.detect.graph.moved_pair import KnownPool
from engine.detect.moving.moving_pools import MovingPools
from engine.market.board import Board

POOLS_SETTLED_NS: Final = 1_000_000_000
POOLS_WAIT_NS: Final = 10_000_000_000
"""It is made anew for pools that came or went once none has for a second, or after ten: at the
start of a chain thousands come one by one, and all rows are written each time."""


class Sharing:
    """Writes the matrix, if there is one.

    Attributes:
        publish: writes a book's row; None without a matrix.
    """

    # For other processes, which a replay has not.
    NOT_STATE = frozenset({"_shared", "publish"})

    def __init__(
        self, board: Board, pools: MovingPools, open_matrix: Callable[[], SharedRows | None]
    ) -> None:
        """Begin with the rows that there are; `open_matrix` makes the matrix of them, or none."""
        self._board = board
        self._pools = pools
        self._open_matrix = open_matrix
        self._shared: SharedRows | None = None
        self.publish: Callable[[int, int], int] | None = None
        self._due_ns = self._latest_ns = 0
        self._open()

    def pools_changed(self, at_ns: int, *, is_gone: bool) -> None:
        """Learn that a pool came, or is gone; its row is absent at once then, a new one is soon."""
        if is_gone and self._shared is not None:
            self._shared.withdraw_gone(self._pools.terms, at_ns, self._board.frame_seq)
        self._due_ns = at_ns + POOLS_SETTLED_NS
        self._latest_ns = self._latest_ns or at_ns + POOLS_WAIT_NS

    def rows_changed(self, at_ns: int) -> None:
        """Make it anew, as rows came or went."""
        self._due_ns = self._latest_ns = 0
        self._open()
        if self.publish is not None:
            for book in range(len(self._board.instruments)):
                self.publish(book, at_ns)

    def publish_pools(self, changed: Mapping[int, KnownPool | None], at_ns: int) -> None:
        """Write the rows of pools that a block changed."""
        if self._shared is not None:
            self._shared.publish_pools(changed, at_ns, self._board.frame_seq)

    def is_due(self, at_ns: int) -> bool:
        """Say whether it has waited long enough for pools that came or went."""
        return bool(self._due_ns) and at_ns >= min(self._due_ns, self._latest_ns)

    def step_clock(self, step_ns: int) -> None:
        """Keep what is due over a step of the clock."""
        if self._due_ns:
            self._due_ns += step_ns
            self._latest_ns += step_ns

    def _open(self) -> None:
        self._shared = self._open_matrix()
        self.publish = None if self._shared is None else self._shared.publish_book
