"""Rows of the shared price matrix: which are a pool's, and what is written there as it moves."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from engine.core.pool_figures import figures_of
from engine.detect.graph.live_graph import COUNTED_IN
from engine.detect.graph.pool_sides import PreparedPool
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.market.matrix_block import Place, RowKind
from engine.market.price_matrix import PriceMatrix

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A couple of a pool's tokens; its price is in that in which routes are counted, if one is."""

    place: Place
    base: AssetCode
    quote: AssetCode


def rows_of(pool: Pool) -> list[PoolRow]:
    """Return a pool's rows: one for each couple of its tokens."""
    rows = []
    for couple in combinations(pool.assets, 2):
        quote, base = sorted(couple, key=lambda asset: (_standing(asset), asset == couple[0]))
        name = f"{pool.venue} {pool.fee_text}"
        place = Place(name=name, kind=RowKind.POOL, base=base, quote=quote)
        rows.append(PoolRow(place, base, quote))
    return rows


class SharedRows:
    """The matrix of a market's books and pools, as the pipeline writes it.

    Attributes:
        publish_book: writes a book's row.
        changed: when each pool has last changed, and in which input.

    Args:
        matrix: its rows are those of the board, then those of pools in the order of `rows`.
        rows: of each pool.
        changed: kept over a matrix that is made anew.
    """

    def __init__(
        self,
        matrix: PriceMatrix,
        rows: Mapping[int, list[PoolRow]],
        *,
        changed: dict[int, tuple[int, int]],
    ) -> None:
        self.publish_book = matrix.publish_book
        self.changed = changed
        self._matrix = matrix
        self._rows: dict[int, list[tuple[int, PoolRow]]] = {}
        row = len(matrix.places) - sum(map(len, rows.values()))
        for number, own in rows.items():
            self._rows[number] = list(enumerate(own, row))
            row += len(own)

    def publish_pools(
        self, pools: Mapping[int, PreparedPool | None], at_ns: int, frame_seq: int
    ) -> None:
        """Write the rows of pools that have changed; those of which nothing is known are absent."""
        for number, prepared in pools.items():
            self.changed[number] = (at_ns, frame_seq)
            self.publish_pool(number, prepared)

    def publish_pool(self, number: int, prepared: PreparedPool | None) -> None:
        """Write the rows of a pool as of its last change."""
        at_ns, frame_seq = self.changed[number]
        if prepared is None:
            for row, _ in self._rows[number]:
                self._matrix.withdraw(row, at_ns, frame_seq=frame_seq)
            return
        rates = {(side.source, side.target): math.exp(side.log_rate) for side in prepared.sides}
        held = figures_of(prepared.pool, prepared.state)
        for row, own in self._rows[number]:
            forward, backward = rates[own.base, own.quote], rates[own.quote, own.base]
            try:
                self._matrix.publish_rates(
                    row,
                    forward,
                    backward,
                    at_ns,
                    reserves=held.of(prepared.pool, own.base, own.quote),
                    tick=held.tick,
                    frame_seq=frame_seq,
                )
            except BadValueError as error:
                _log.warning("the row of %s stays empty: %s", own.place, error)
                self._matrix.withdraw(row, at_ns, frame_seq=frame_seq)


def _standing(asset: AssetCode) -> int:
    return COUNTED_IN.index(asset) if asset in COUNTED_IN else len(COUNTED_IN)
