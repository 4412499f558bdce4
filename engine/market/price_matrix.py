"""The shared price matrix, written: what the board and the pools say, for other processes to read.

One row per book of the board, by its number there, then one per pool. Publishing is one kernel
call that reads the board's own arrays. Readers: `engine.market.matrix_reader`.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import BadValueError, FatalError
from engine.kernels.matrix_layout import (
    BAD_BAND,
    BAD_FORWARD,
    BAD_RESERVE,
    CLOSED,
    CONTEXT,
    CONTEXT_WORDS,
    FORMAT,
    HEADER,
    HEADER_BYTES,
    MAGIC,
    NO_TICK,
    PAIR_ROW,
    RATE_MAX,
    ROW,
    ROW_WORDS,
    UNKNOWN_ROW,
    rows_at,
)
from engine.kernels.price_matrix import publish_book as _publish_book
from engine.kernels.price_matrix import publish_pairs as _publish_pairs
from engine.kernels.price_matrix import publish_rates as _publish_rates
from engine.kernels.price_matrix import set_generation
from engine.kernels.price_matrix import withdraw as _withdraw
from engine.market.board import Board
from engine.market.matrix_block import (
    ROWS_MAX,
    Place,
    RowKind,
    Words,
    address_of,
    encode_places,
    map_words,
    run_hash,
    size_of,
)
from engine.market.matrix_file import lock, opened

BAND_RATIO: Final = 0.001
"""Default of the band within which a row's liquidity is added up: 10 bps from the best price."""

COUNT_MAX: Final = 1 << 62
"""Generations and versions stay below this: a century of changes, one in each nanosecond."""


class PriceMatrix:
    """The one writer of a block; not for use by several threads at once.

    Attributes:
        places: what the rows stand for, by number.
        generation: even, and greater than that of any writer before.
    """

    def __init__(
        self, *, path: Path, file: int, words: Words, board: Board, places: tuple[Place, ...]
    ) -> None:
        """Use `create`."""
        self.places = places
        self._path = path
        self._board = board
        self._file = file
        self._words: Words | None = words
        self._version_first = 0
        # Both own what the context's addresses point at.
        self._arrays = (board.state, board.levels)
        self._context = np.zeros(CONTEXT_WORDS, np.int64)
        self._context_at = address_of(self._context)
        context = self._context
        context[CONTEXT.BLOCK] = address_of(words)
        context[CONTEXT.ROWS] = len(places)
        context[CONTEXT.ROWS_AT] = rows_at(len(places))
        context[CONTEXT.STATE] = address_of(board.state)
        context[CONTEXT.LEVELS] = address_of(board.levels)
        context[CONTEXT.LEVELS_MAX] = board.levels.shape[1]
        context[CONTEXT.BOOKS] = len(board.instruments)

    @classmethod
    def create(
        cls,
        path: Path,
        board: Board,
        *,
        run_id: str,
        pools: Sequence[Place] = (),
        band_ratio: float = BAND_RATIO,
    ) -> "PriceMatrix":
        """Make the block, or take over the one that is there; all rows begin as absent.

        Args:
            path: of the file; see `shared_path`.
            board: its books are the first rows.
            run_id: of this run; readers can compare its `run_hash`.
            pools: the rows after the books.
            band_ratio: how far from the best price a row's band reaches, as a part of it.

        Raises:
            BadValueError: no rows or too many, a bad band, or the file is something else.
            FatalError: another writer lives, or the file cannot be had.
        """
        places = _places_of(board, pools)
        if not 0.0 <= band_ratio < 1.0:
            raise BadValueError(f"band is {band_ratio} of the price; it must be 0 or more, below 1")
        named = encode_places(places)
        with opened(path, is_writer=True) as file:
            lock(file, path)
            words = _claim(file, path, size_of(len(places), len(named)))
            matrix = cls(path=path, file=file, words=words, board=board, places=tuple(places))
            matrix._context[CONTEXT.BAND] = _bits_of(band_ratio)
            matrix._begin(words, named=named, run_id=run_id)
        return matrix

    def renewed(self, *, run_id: str, pools: Sequence[Place] = ()) -> "PriceMatrix":
        """Make the block anew for the rows that the board has now; this writer is closed by it.

        Readers are told that the block was replaced. The lock is held all the time.

        Raises:
            BadValueError, FatalError: see `create`; this writer is as it was then.
        """
        places = _places_of(self._board, pools)
        named = encode_places(places)
        words = _claim(self._file, self._path, size_of(len(places), len(named)))
        matrix = PriceMatrix(
            path=self._path, file=self._file, words=words, board=self._board, places=tuple(places)
        )
        matrix._context[CONTEXT.BAND] = self._context[CONTEXT.BAND]
        matrix._begin(words, named=named, run_id=run_id)
        self._context[CONTEXT.BLOCK] = 0
        self._words = None
        return matrix

    def publish_book(self, book: int, at_ns: int) -> int:
        """Write a book's row as the board has it now; returns the row's version.

        A book that is not live, or lacks a side, becomes absent.

        Raises:
            BadValueError: no book has this number.
            FatalError: the matrix is closed.
        """
        version: int = _publish_book(self._context_at, book, at_ns)
        if version < 0:
            raise self._refused(-version, row=book)
        return version

    def publish_rates(
        self,
        row: int,
        rate_forward: float,
        rate_backward: float,
        at_ns: int,
        *,
        bid_band_base: float = 0.0,
        ask_band_base: float = 0.0,
        reserves: tuple[float, float] = (0.0, 0.0),
        tick: int = NO_TICK,
        frame_seq: int = 0,
    ) -> int:
        """Write a pool's row; returns the row's version.

        Args:
            row: the number of a pool's row.
            rate_forward: quote for one base, at the margin after the pool's fee.
            rate_backward: base for one quote, likewise.
            at_ns: when the pool changed.
            bid_band_base: base that can be sold within the matrix's band; 0 if not known.
            ask_band_base: base that can be bought within it, likewise.
            reserves: base and quote that the pool holds; of ranges, as a pair as deep would.
            tick: where the price stands; NO_TICK where there are none.
            frame_seq: number of the input that changed it.

        Raises:
            BadValueError: a rate is not finite or not above 0, a band or reserve is not finite or
                below 0, or no pool has this number; nothing is written.
            FatalError: the matrix is closed.
        """
        version: int = _publish_rates(
            self._context_at,
            row,
            (rate_forward, rate_backward, bid_band_base, ask_band_base),
            reserves,
            tick,
            at_ns,
            frame_seq,
        )
        if version < 0:
            bands = (bid_band_base, ask_band_base)
            raise self._refused(
                -version,
                row=row,
                rates=(rate_forward, rate_backward),
                bands=bands,
                reserves=reserves,
            )
        return version

    def publish_pairs(
        self,
        terms: NDArray[np.float64],
        numbers: Sequence[int],
        reserves_raw: Sequence[int] | NDArray[np.float64],
        at_ns: int,
        *,
        frame_seq: int = 0,
    ) -> int:
        """Write the rows of pairs of reserves that moved at once; returns how many are absent now.

        Args:
            terms: of `kernels.publish_pairs`.
            numbers: rows of `terms`, of the pairs that moved.
            reserves_raw: two of each of them.
            at_ns: when they moved.
            frame_seq: number of the input that moved them.

        Raises:
            BadValueError: no pool has one of their rows.
            FatalError: the matrix is closed.
        """
        absent: int = _publish_pairs(
            self._context_at,
            terms,
            np.array(numbers, np.int64),
            np.array(reserves_raw, np.float64),
            at_ns,
            frame_seq,
        )
        if absent < 0:
            rows = terms[numbers, PAIR_ROW.ROW]
            raise self._refused(-absent, row=int(rows.max()))
        return absent

    def withdraw(self, row: int, at_ns: int, *, frame_seq: int = 0) -> int:
        """Write a pool's row as absent; returns the row's version.

        Raises:
            BadValueError: no pool has this number.
            FatalError: the matrix is closed.
        """
        version: int = _withdraw(self._context_at, row, at_ns, frame_seq)
        if version < 0:
            raise self._refused(-version, row=row)
        return version

    @property
    def generation(self) -> int:
        """Return the number that this writer's readers know it by."""
        return int(self._context[CONTEXT.GENERATION])

    @property
    def published(self) -> int:
        """Return how many rows this writer has written, 0 once it is closed."""
        words = self._words
        return 0 if words is None else int(words[HEADER.VERSION]) - self._version_first

    def close(self) -> None:
        """Leave the block: readers are told that the writer is gone. The file stays."""
        if self._words is None:
            return
        set_generation(self._context_at, self.generation + 1)
        self._context[CONTEXT.BLOCK] = 0
        self._words = None
        os.close(self._file)

    def _begin(self, words: Words, *, named: bytes, run_id: str) -> None:
        """Fill the block between an odd generation and the next even one."""
        rows = len(self.places)
        preparing = _counter(words, HEADER.GENERATION) | 1
        set_generation(self._context_at, preparing)
        # A writer that was killed within a row may have used one version more than it told.
        is_same_format = words[HEADER.FORMAT] == FORMAT
        version = 2 + (_counter(words, HEADER.VERSION) if is_same_format else 0)
        words[HEADER_BYTES // 8 :] = 0
        words[HEADER_BYTES // 8 : HEADER_BYTES // 8 + rows] = version
        start = rows_at(rows) // 8
        table = words[start : start + rows * ROW_WORDS].reshape(rows, ROW_WORDS)
        table[:, ROW.VERSION] = version
        table[:, ROW.ASK] = _bits_of(math.inf)
        end = start * 8 + table.nbytes
        words.view(np.uint8)[end : end + len(named)] = np.frombuffer(named, np.uint8)
        words[HEADER.VERSION] = version
        self._version_first = version
        words[HEADER.FORMAT] = FORMAT
        words[HEADER.ROWS] = rows
        words[HEADER.PLACES_BYTES] = len(named)
        words[HEADER.RUN] = run_hash(run_id)
        words[HEADER.BAND] = self._context[CONTEXT.BAND]
        words[HEADER.WRITER_PID] = os.getpid()
        words[HEADER.MAGIC] = MAGIC
        self._context[CONTEXT.GENERATION] = preparing + 1
        set_generation(self._context_at, preparing + 1)

    def _refused(
        self,
        outcome: int,
        *,
        row: int,
        rates: tuple[float, float] = (0.0, 0.0),
        bands: tuple[float, float] = (0.0, 0.0),
        reserves: tuple[float, float] = (0.0, 0.0),
    ) -> Exception:
        if outcome == CLOSED:
            return FatalError("the price matrix is closed; nothing can be published any more")
        if outcome == UNKNOWN_ROW:
            books = int(self._context[CONTEXT.BOOKS])
            return BadValueError(
                f"row {row} cannot be published so: books are rows 0 to {books - 1}, pools rows "
                f"{books} to {len(self.places) - 1}"
            )
        if outcome == BAD_BAND:
            return BadValueError(
                f"liquidity within the band of row {row} ({self.places[row]}) is {bands[0]} to "
                f"sell and {bands[1]} to buy; it must be finite and 0 or more, in base"
            )
        if outcome == BAD_RESERVE:
            return BadValueError(
                f"reserves of row {row} ({self.places[row]}) are {reserves[0]} base and "
                f"{reserves[1]} quote; they must be finite and 0 or more"
            )
        is_forward = outcome == BAD_FORWARD
        name, unit = (
            ("rate_forward", "quote per base")
            if is_forward
            else ("rate_backward", "base per quote")
        )
        return BadValueError(
            f"{name} of row {row} ({self.places[row]}) is {rates[0] if is_forward else rates[1]}; "
            f"it must be finite, above 0 and at most {RATE_MAX:g}, in {unit}"
        )


def _places_of(board: Board, pools: Sequence[Place]) -> list[Place]:
    """Return what the rows of a board and of pools stand for."""
    if any(pool.kind is not RowKind.POOL for pool in pools):
        raise BadValueError("a book is among the pools of the matrix; books are the board's")
    books = [
        Place.of(one, RowKind.FORMER if book in board.former else RowKind.BOOK)
        for book, one in enumerate(board.instruments)
    ]
    places = [*books, *pools]
    if not 0 < len(places) <= ROWS_MAX:
        raise BadValueError(f"{len(places)} rows asked for; a matrix has 1 to {ROWS_MAX}")
    return places


def _counter(words: Words, word: int) -> int:
    """Return a counter of the writer before; one that cannot be right begins anew."""
    found = int(words[word])
    return found if 0 <= found < COUNT_MAX else 0


def _bits_of(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def _claim(file: int, path: Path, size: int) -> Words:
    """Make the file large enough and map it; a file that is something else is left alone."""
    found = os.fstat(file).st_size
    if found:
        head = os.pread(file, HEADER_BYTES, 0)
        is_ours = int.from_bytes(head[:8], "little") == MAGIC or not any(head)
        if found < HEADER_BYTES or not is_ours:
            raise BadValueError(
                f"{path} is no price matrix ({found} bytes, beginning with {head[:8].hex()}) and "
                "is not overwritten; remove it or choose another path"
            )
    try:
        # Allocated now: a full memory file system would otherwise kill the writer at a store.
        os.posix_fallocate(file, 0, max(size, found))
    except OSError as error:
        raise FatalError(
            f"no room for the price matrix {path} of {size} bytes: {error.strerror}; free some"
        ) from error
    return map_words(file, is_writer=True)
