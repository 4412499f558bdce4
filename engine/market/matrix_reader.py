"""The shared price matrix, read: from another process, without copying the block.

A row is copied under its sequence lock; what is returned was written by one publication. The
writer is never held up. Every wait ends: after `WAIT_NS_MAX` at the latest there is an error.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.domain.errors import BadValueError, FatalError, SyndicateError
from engine.kernels.matrix_layout import (
    BUSY,
    CLOSED,
    CONTEXT,
    CONTEXT_WORDS,
    HEADER,
    HEADER_BYTES,
    REPLACED,
    ROW_WORDS,
    UNKNOWN_ROW,
    rows_at,
)
from engine.kernels.price_matrix import changed_since as _changed_since
from engine.kernels.price_matrix import read_row as _read_row
from engine.kernels.price_matrix import read_rows as _read_rows
from engine.kernels.price_matrix import read_together as _read_together
from engine.market.matrix_block import (
    Words,
    address_of,
    check_header,
    decode_places,
    map_words,
)
from engine.market.matrix_file import (
    BlockReplacedError,
    RowBusyError,
    WriterGoneError,
    is_locked,
    opened,
)

WAIT_NS_MAX: Final = 50_000_000
"""Longest wait for a row whose writer stopped within a change while it lives: a time slice or two
of the scheduler. With a writer that died there is no wait."""

ROW_DTYPE: Final = np.dtype(
    [
        ("sequence", np.int64),
        ("version", np.int64),
        ("changed_at_ns", np.int64),
        ("frame_seq", np.int64),
        ("is_live", np.int64),
        ("kind", np.int64),
        ("bid", np.float64),
        ("ask", np.float64),
        ("bid_size_base", np.float64),
        ("ask_size_base", np.float64),
        ("bid_band_base", np.float64),
        ("ask_band_base", np.float64),
        ("rate_forward", np.float64),
        ("rate_backward", np.float64),
        ("published_at_ns", np.int64),
        ("reserve_base", np.float64),
        ("reserve_quote", np.float64),
        ("tick", np.int64),
        ("free", np.int64, (6,)),
    ]
)
"""A row as it lies in the block; units in `kernels.matrix_layout`."""


class PriceRow(NamedTuple):
    """A whole copy of a row.

    Attributes:
        version: the block's change counter at this change.
        changed_at_ns: receive time of the place's last change, 0 before the first.
        frame_seq: number of the input that changed it.
        is_live: both sides may be traded on, if they are not too old.
        kind: `BOOK` or `POOL` of `kernels.matrix_layout`, 0 before the first publication.
        bid, ask: quote per base; 0 and infinite if absent. A pool's are its rates after its fee.
        bid_size_base, ask_size_base: at the best price; 0 for a pool.
        bid_band_base, ask_band_base: within the band, at least; see `PriceMatrixReader`.
        rate_forward: quote for one base, at the margin; a book's before fees. 0 if absent.
        rate_backward: base for one quote, likewise.
        published_at_ns: when the writer wrote the row.
        reserve_base, reserve_quote: what a pool holds; of ranges of ticks, what a pair as deep as
            it is at its price would hold. 0 in a book's row.
        tick: of a pool of ranges; NO_TICK of `kernels.matrix_layout` of another, 0 in a book's row.
    """

    version: int
    changed_at_ns: int
    frame_seq: int
    is_live: bool
    kind: int
    bid: float
    ask: float
    bid_size_base: float
    ask_size_base: float
    bid_band_base: float
    ask_band_base: float
    rate_forward: float
    rate_backward: float
    published_at_ns: int
    reserve_base: float
    reserve_quote: float
    tick: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Rows that changed, by number, and the version to ask with next time."""

    version: int
    rows: npt.NDArray[np.int64]


class PriceMatrixReader:
    """One writer's block, mapped read-only; not for use by several threads at once.

    Attributes:
        places: what the rows stand for, by number.
        generation: of the writer; with another one every read raises `BlockReplacedError`.
        run: `run_hash` of the writer's run id.
        band_ratio: how far from the best price a row's band reaches.
        table: the rows where they lie, as `ROW_DTYPE`: read-only, not copied, not guarded. A value
            in it may belong to a change under way.
        versions: the rows' versions where they lie, likewise.
        header: the header's words where they lie, likewise.
    """

    def __init__(
        self, *, path: Path, file: int, words: Words, generation: int, wait_ns_max: int
    ) -> None:
        """Use `open`."""
        self._path = path
        self._file = file
        self._words: Words | None = words
        self._wait_ns_max = wait_ns_max
        rows = int(words[HEADER.ROWS])
        start = rows_at(rows) // 8
        self.generation = generation
        self.places = decode_places(words, rows, int(words[HEADER.PLACES_BYTES]))
        self.run = int(words[HEADER.RUN])
        self.band_ratio = float(words[HEADER.BAND : HEADER.BAND + 1].view("f8")[0])
        self.header = words[: HEADER_BYTES // 8]
        self.versions = words[HEADER_BYTES // 8 :][:rows]
        self.table = words[start : start + rows * ROW_WORDS].view(ROW_DTYPE)
        self._every = np.arange(rows, dtype=np.int64)
        self._changed = np.empty(rows, np.int64)
        self._context = np.zeros(CONTEXT_WORDS, np.int64)
        self._context_at = address_of(self._context)
        self._context[CONTEXT.BLOCK] = address_of(words)
        self._context[CONTEXT.ROWS] = rows
        self._context[CONTEXT.ROWS_AT] = start * 8
        self._context[CONTEXT.GENERATION] = self.generation

    @classmethod
    def open(cls, path: Path, *, wait_ns_max: int = WAIT_NS_MAX) -> "PriceMatrixReader":
        """Map the block of a writer that lives.

        Raises:
            WriterGoneError: there is none, or its writer closed or died.
            BlockReplacedError: a writer is taking it over just now; try again.
            BadValueError: the file is no matrix, or of another format or size.
            FatalError: the file cannot be had.
        """
        with opened(path, is_writer=False) as file:
            size = os.fstat(file).st_size
            if size == 0:
                raise WriterGoneError(f"no engine has filled the price matrix {path} yet")
            if size < HEADER_BYTES:
                raise BadValueError(
                    f"{path} has {size} bytes; a price matrix has {HEADER_BYTES} at least"
                )
            words = map_words(file, is_writer=False)
            generation = int(words[HEADER.GENERATION])
            try:
                check_header(words, path)
                reader = cls(
                    path=path,
                    file=file,
                    words=words,
                    generation=generation,
                    wait_ns_max=wait_ns_max,
                )
            except BadValueError:
                if int(words[HEADER.GENERATION]) != generation:
                    raise _gone(words, generation, file, path) from None
                raise
            if not reader.is_writer_alive() or generation & 1:
                raise _gone(words, generation, file, path)
        return reader

    def row(self, row: int) -> PriceRow:
        """Return a whole copy of a row.

        Raises:
            BadValueError: no row has this number.
            WriterGoneError, BlockReplacedError, RowBusyError: see there.
            FatalError: the reader is closed.
        """
        values = _read_row(self._context_at, row)
        if values[0] < 0:
            deadline_ns = time.monotonic_ns() + self._wait_ns_max
            while values[0] < 0:
                self._wait_or_raise(-values[0], row=row, deadline_ns=deadline_ns)
                values = _read_row(self._context_at, row)
        return tuple.__new__(PriceRow, values)

    def rows(
        self, rows: Sequence[int] | npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.void]:
        """Return whole copies of rows, of all by default, as `ROW_DTYPE`.

        Each is whole; they need not be of the same instant. Raises as `row`.
        """
        asked = self._every if rows is None else _numbers(rows)
        out = np.empty((len(asked), ROW_WORDS), np.int64)
        reached, outcome = _read_rows(self._context_at, asked, 0, out)
        deadline_ns = time.monotonic_ns() + self._wait_ns_max
        while outcome:
            row = int(asked[min(reached, len(asked) - 1)]) if len(asked) else -1
            self._wait_or_raise(outcome, row=row, deadline_ns=deadline_ns)
            reached, outcome = _read_rows(self._context_at, asked, reached, out)
        return out.view(ROW_DTYPE).reshape(len(asked))

    def rows_together(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
        """Return copies of a few rows as they all were at one instant; raises as `row`.

        For the legs of a route. With many rows that change all the time there may be no such
        instant, and RowBusyError says so.
        """
        asked = _numbers(rows)
        out = np.empty((len(asked), ROW_WORDS), np.int64)
        deadline_ns = time.monotonic_ns() + self._wait_ns_max
        while outcome := _read_together(self._context_at, asked, out):
            strange = (int(row) for row in asked if not 0 <= row < len(self.places))
            row = next(strange, int(asked[0]) if len(asked) else -1)
            self._wait_or_raise(outcome, row=row, deadline_ns=deadline_ns)
        return out.view(ROW_DTYPE).reshape(len(asked))

    def changed_since(self, version: int) -> Changes:
        """Return which rows changed since a version; 0 asks for all. Raises as `row`.

        No change is missed; one that happens meanwhile may be told twice.
        """
        count, until, outcome = _changed_since(self._context_at, version, self._changed)
        if outcome:
            raise self._error(outcome, row=-1)
        return Changes(version=until, rows=self._changed[:count].copy())

    def version(self) -> int:
        """Return the block's change counter; raises FatalError if the reader is closed."""
        if self._words is None:
            raise self._error(CLOSED, row=-1)
        return int(self._words[HEADER.VERSION])

    def is_writer_alive(self) -> bool:
        """Say whether the writer that this reader knows still has the block."""
        words = self._words
        return (
            words is not None
            and int(words[HEADER.GENERATION]) == self.generation
            and is_locked(self._file)
        )

    def check_writer(self) -> None:
        """Make sure of the writer; to be called now and then, since prices just stand without it.

        Raises:
            WriterGoneError, BlockReplacedError: see there.
            FatalError: the reader is closed.
        """
        if not self.is_writer_alive():
            outcome = CLOSED if self._words is None else REPLACED
            raise self._error(outcome, row=-1)

    @property
    def context_at(self) -> int:
        """Return the address by which kernels read the block, good while the reader lives."""
        return self._context_at

    def close(self) -> None:
        """Forget the block; its memory is unmapped with the last array that looks at it."""
        if self._words is None:
            return
        self._words = None
        self._context[CONTEXT.BLOCK] = 0
        os.close(self._file)

    def _wait_or_raise(self, outcome: int, *, row: int, deadline_ns: int) -> None:
        """Let others run if the row is only busy and the deadline far."""
        is_dead = outcome == BUSY and not is_locked(self._file)
        if outcome != BUSY or is_dead or time.monotonic_ns() >= deadline_ns:
            raise self._error(REPLACED if is_dead else outcome, row=row)
        os.sched_yield()

    def _error(self, outcome: int, *, row: int) -> SyndicateError:
        if self._words is None or outcome == CLOSED:
            return FatalError(f"the reader of {self._path} is closed; open another")
        if outcome == UNKNOWN_ROW:
            return BadValueError(
                f"the price matrix has no row {row}; its rows are 0 to {len(self.places) - 1}"
            )
        if outcome == BUSY:
            return RowBusyError(
                f"row {row} ({self.places[row]}) did not come to rest within "
                f"{self._wait_ns_max / 1e6:g} ms; its writer, process "
                f"{int(self._words[HEADER.WRITER_PID])}, is stopped or starved"
            )
        return _gone(self._words, self.generation, self._file, self._path)


def _numbers(rows: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.ascontiguousarray(rows, np.int64)


def _gone(words: Words, generation: int, file: int, path: Path) -> SyndicateError:
    """Say why a generation is over."""
    found = int(words[HEADER.GENERATION])
    if not is_locked(file):
        return WriterGoneError(
            f"no engine writes the price matrix {path} any more (generation {found}); "
            "its prices stand still: start the engine, then open it again"
        )
    return BlockReplacedError(
        f"another engine has taken the price matrix {path} over: generation {found}, "
        f"this reader knows {generation}; open it again"
    )
