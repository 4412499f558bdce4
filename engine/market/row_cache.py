"""Copies of the price matrix in a reader's process: the tier next to the shared one.

A copy is as good as the matrix while its version is the row's; looking at that costs less than
copying the row. Copies are refreshed ahead of need, those related to a moving row first. Tiers
beyond the shared block (another machine, the database) are not part of this.
"""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.domain.errors import BadValueError
from engine.kernels.matrix_layout import HEADER
from engine.kernels.refresh_order import choose_stale
from engine.market.matrix_reader import PriceMatrixReader, PriceRow
from engine.market.refresh_order import RefreshOrder

BUDGET_ROWS: Final = 64
"""Default of the most copies that one call refreshes."""

TIMED_EVERY: Final = 16
"""One access in so many is timed: looking at the clock takes as long as a hit."""

BUCKETS: Final = 40
"""Access times are counted by powers of two of ns; the last one holds nine minutes and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheMetrics:
    """What a cache did since it was made.

    Attributes:
        hits: accesses that found a copy as new as the matrix.
        misses: accesses that had to copy the row first.
        refreshes: rows copied ahead of need.
        deferred: rows that the last refresh left out of date, for want of budget.
        access_ns_p50, access_ns_p99: of the timed accesses, half and 99 in 100 took at most this,
            by powers of two; 0 before the first.
        access_ns_max: longest timed access.
    """

    hits: int
    misses: int
    refreshes: int
    deferred: int
    access_ns_p50: int
    access_ns_p99: int
    access_ns_max: int

    @property
    def hit_ratio(self) -> float:
        """Return hits per access, 0 before the first."""
        accesses = self.hits + self.misses
        return self.hits / accesses if accesses else 0.0


class RowCache:
    """A reader's copies of all rows; at most one copy a row is held.

    What the reader raises passes through. After `BlockReplacedError` or `WriterGoneError`, open a
    reader anew and make a new cache of it: the rows may stand for other places.
    """

    def __init__(self, reader: PriceMatrixReader) -> None:
        rows = len(reader.places)
        self._reader = reader
        self._versions = reader.versions
        # Views of memory hand out one number in half the time that numpy takes.
        self._version_of = reader.versions.data
        self._header = reader.header.data
        self._generation = reader.generation
        self.order = RefreshOrder(reader.places)
        self._copies: list[PriceRow | None] = [None] * rows
        self._held = np.zeros(rows, np.int64)
        self._marks = np.zeros(rows + 2, np.int64)
        self._chosen = np.zeros(rows, np.int64)
        self._buckets = [0] * BUCKETS
        self._access_ns_max = 0
        self._accesses = 0
        self._misses = 0
        self._refreshes = 0
        self._deferred = 0

    def get(self, row: int) -> PriceRow:
        """Return a row as the matrix has it now.

        A writer that died leaves its last prices standing: `refresh` looks for that, this does not.

        Raises:
            BadValueError: no row has this number.
            WriterGoneError, BlockReplacedError: the writer closed, or another took over.
        """
        if self._accesses % TIMED_EVERY:
            copy = self._current(row)
            self._accesses += 1
            return copy
        started_ns = time.perf_counter_ns()
        copy = self._current(row)
        self._accesses += 1
        took_ns = time.perf_counter_ns() - started_ns
        self._buckets[min(took_ns.bit_length(), BUCKETS - 1)] += 1
        self._access_ns_max = max(self._access_ns_max, took_ns)
        return copy

    def refresh(self, moving: int | None = None, *, budget_rows: int = BUDGET_ROWS) -> int:
        """Bring copies up to date, those first that matter to a moving row.

        Args:
            moving: the row that moved; None takes the one that changed last.
            budget_rows: most rows to copy.

        Returns:
            The number of rows copied.

        Raises:
            BadValueError: no row has this number, or the budget is below 1.
            WriterGoneError, BlockReplacedError: the writer is no more; copies stay as they are.
        """
        if budget_rows < 1:
            raise BadValueError(f"budget is {budget_rows} rows; it must be 1 or more")
        self._reader.check_writer()
        row = int(self._versions.argmax()) if moving is None else moving
        if not 0 <= row < len(self._copies):
            raise BadValueError(f"no row {row}; rows are 0 to {len(self._copies) - 1}")
        count, self._deferred = choose_stale(
            self._reader.context_at,
            row,
            self.order.groups,
            self._held,
            self._marks,
            self._chosen[:budget_rows],
        )
        for chosen in self._chosen[:count].tolist():
            self._take(chosen)
            self._refreshes += 1
        return int(count)

    def metrics(self) -> CacheMetrics:
        """Return the counts so far."""
        return CacheMetrics(
            hits=self._accesses - self._misses,
            misses=self._misses,
            refreshes=self._refreshes,
            deferred=self._deferred,
            access_ns_p50=self._access_ns_at(0.5),
            access_ns_p99=self._access_ns_at(0.99),
            access_ns_max=self._access_ns_max,
        )

    def _current(self, row: int) -> PriceRow:
        if not 0 <= row < len(self._copies):
            raise BadValueError(f"no row {row}; rows are 0 to {len(self._copies) - 1}")
        copy = self._copies[row]
        is_current = self._header[HEADER.GENERATION] == self._generation
        if copy is not None and is_current and copy.version >= self._version_of[row]:
            return copy
        copy = self._take(row)
        self._misses += 1
        return copy

    def _take(self, row: int) -> PriceRow:
        copy = self._reader.row(row)
        self._copies[row] = copy
        self._held[row] = copy.version
        return copy

    def _access_ns_at(self, share_ratio: float) -> int:
        """Return the upper end of the bucket that holds this share of the accesses."""
        wanted = share_ratio * sum(self._buckets)
        seen = 0
        for bits, count in enumerate(self._buckets):
            seen += count
            if count and seen >= wanted:
                return min((1 << bits) - 1, self._access_ns_max)
        return 0
