"""The writer's side of the price matrix in a live run: opened at the start, closed at the end.

Other processes may live on these prices; trading must not. Whatever keeps the matrix from being
opened is logged and told in `/status`, and the run goes on without it.
"""

import contextlib
import logging
import math
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from engine.detect.live_graph import COUNTED_IN
from engine.detect.pool_sides import PreparedPool
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError, SyndicateError
from engine.market.board import Board
from engine.market.matrix_block import Place, RowKind
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
        self._published_before = 0

    def open(self, board: Board, pools: Mapping[int, PreparedPool]) -> PriceMatrix | None:
        """Make the matrix of a board's books and of pools, and publish the pools as they are.

        Once more when rows of the board came or went: readers open it anew then.

        Returns:
            None if it cannot be had; `failure` says why.
        """
        rows = [row for number in sorted(pools) for row in pool_rows(pools[number])]
        places = [place for place, _ in rows]
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
        for row, (place, rates) in enumerate(rows, len(board.instruments)):
            try:
                matrix.publish_rates(row, *rates, self._at_ns)
            except BadValueError as error:
                log.warning("the row of %s stays empty: %s", place, error)
        self._matrix = matrix
        return matrix

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


def pool_rows(pool: PreparedPool) -> Iterator[tuple[Place, tuple[float, float]]]:
    """Give a pool's rows: one for each couple of its tokens, with its rates forward and backward.

    Prices are in the asset in which routes are counted, if the couple has one; see `COUNTED_IN`.
    """
    of = pool.pool
    rates = {(side.source, side.target): math.exp(side.log_rate) for side in pool.sides}
    for couple in combinations(of.assets, 2):
        quote, base = sorted(couple, key=lambda asset: (_standing(asset), asset == couple[0]))
        place = Place(name=f"{of.venue} {of.fee_text}", kind=RowKind.POOL, base=base, quote=quote)
        yield place, (rates[base, quote], rates[quote, base])


def _standing(asset: AssetCode) -> int:
    return COUNTED_IN.index(asset) if asset in COUNTED_IN else len(COUNTED_IN)
