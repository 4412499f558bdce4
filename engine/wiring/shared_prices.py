"""The writer's side of the price matrix in a live run: opened at the start, closed at the end.

Other processes may live on these prices; trading must not. Whatever keeps the matrix from being
opened is logged and told in `/status`, and the run goes on without it.
"""

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path

from engine.core.shared_rows import SharedRows, rows_of
from engine.detect.graph.moved_pair import KnownPool
from engine.domain.errors import SyndicateError
from engine.domain.pools import Pool
from engine.market.board import Board
from engine.market.price_matrix import PriceMatrix

log = logging.getLogger(__name__)


class SharedPrices:
    """The matrix of one run.

    Attributes:
        failure: why there is none; None while all is well.
    """

    def __init__(self, path: Path, *, run_id: str, at_ns: int) -> None:
        self.failure: str | None = None
        self._path = path
        self._run_id = run_id
        self._at_ns = at_ns
        self._matrix: PriceMatrix | None = None
        self._changed: dict[int, tuple[int, int]] = {}
        self._published_before = 0

    def open(
        self,
        board: Board,
        pools: Mapping[int, Pool],
        known: Mapping[int, KnownPool],
    ) -> SharedRows | None:
        """Make the matrix of a board's books and of pools, and publish the pools as they are.

        Once more when rows came or went: readers open it anew then.

        Args:
            board: the books.
            pools: all pools, by their numbers.
            known: those of which the state is known.

        Returns:
            None if it cannot be had; `failure` says why.
        """
        rows = {number: rows_of(pools[number]) for number in sorted(pools)}
        places = [row.place for own in rows.values() for row in own]
        before = self._matrix
        try:
            if before is None:
                matrix = PriceMatrix.create(self._path, board, run_id=self._run_id, pools=places)
            else:
                self._published_before += before.published
                matrix = before.renewed(run_id=self._run_id, pools=places)
        except (SyndicateError, OSError) as error:
            self.close()
            self._matrix = None
            self.failure = str(error)
            log.warning("prices are not shared with other processes: %s", error)
            return None
        shared = SharedRows(matrix, rows, changed=self._changed)
        for number in rows:
            self._changed.setdefault(number, (self._at_ns, board.frame_seq))
            shared.publish_pool(number, known.get(number))
        self._matrix = matrix
        return shared

    def published(self) -> int | None:
        """Return how many rows were written since the start, None without a matrix."""
        return None if self._matrix is None else self._published_before + self._matrix.published

    def close(self) -> None:
        """Leave the matrix, which tells its readers, and give its memory back."""
        if self._matrix is None:
            return
        # While the lock is held: after it, the file may be the next writer's.
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._matrix.close()
