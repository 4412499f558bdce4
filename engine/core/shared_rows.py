"""Rows of the shared price matrix: which are a pool's, and what is written there as it moves."""

import logging
import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.core.pool_figures import figures_of
from engine.detect.graph.live_graph import COUNTED_IN
from engine.detect.graph.moved_pair import KnownPool, MovedPair
from engine.detect.graph.pool_sides import PreparedPool, share_kept
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.kernels.matrix_layout import PAIR_ROW, PAIR_ROW_COLUMNS
from engine.kernels.pair_words import read_reserves
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
        self._terms = np.zeros((max(rows, default=-1) + 1, PAIR_ROW_COLUMNS))
        self._bases: dict[int, PreparedPool] = {}

    def _know(self, number: int, base: PreparedPool) -> None:
        """Take what a pair's moves leave alone of its row."""
        ((row, own),) = self._rows[number]
        terms, pool = self._terms[number], base.pool
        terms[PAIR_ROW.UNIT : PAIR_ROW.UNIT + 2] = [10.0**unit for _, unit in pool.tokens]
        terms[PAIR_ROW.KEEP : PAIR_ROW.KEEP + 2] = [
            share_kept(pool, base.state, token) for token in (0, 1)
        ]
        terms[PAIR_ROW.ROW], terms[PAIR_ROW.BASE] = row, pool.token_index(own.base)
        self._bases[number] = base

    def withdraw_gone(self, pools: Container[int], at_ns: int, frame_seq: int) -> None:
        """Write the rows as absent of pools that are not among these any more."""
        for number in [one for one in self._rows if one not in pools]:
            for row, _ in self._rows.pop(number):
                self._matrix.withdraw(row, at_ns, frame_seq=frame_seq)

    def publish_pools(
        self, pools: Mapping[int, KnownPool | None], at_ns: int, frame_seq: int
    ) -> None:
        """Write the rows of pools that have changed; those of which nothing is known are absent."""
        self.changed.update(dict.fromkeys(pools, (at_ns, frame_seq)))
        numbers: list[int] = []
        words: list[bytes] = []
        for number, known in pools.items():
            if number not in self._rows:
                continue  # it has come since the matrix was made
            if type(known) is MovedPair:
                if self._bases.get(number) is not known.base:
                    self._know(number, known.base)
                numbers.append(number)
                words.append(known.words)
            else:
                self.publish_pool(number, known)
        if numbers:
            reserves_raw = np.empty(2 * len(numbers))
            read_reserves(b"".join(words), reserves_raw)
            absent = self._matrix.publish_pairs(
                self._terms, numbers, reserves_raw, at_ns, frame_seq=frame_seq
            )
            if absent:
                _log.warning("the rows of %d pairs stay empty: a rate is none", absent)

    def publish_pool(self, number: int, prepared: KnownPool | None) -> None:
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
