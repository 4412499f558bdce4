"""The board: all order books as arrays that the kernels read, and nothing else.

The board is where bad input ends: a row is live only from a valid snapshot on, and every refused
change is counted by venue and kind. It obeys `ports.BookSink`.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument, VenueId
from engine.kernels import layout, order_book
from engine.ports import Applied, LevelForm, RawJson

LEVELS_MAX = 65_536
"""Levels kept per side; when a side is full, the level farthest from the touch is dropped."""

SCRATCH_LEVELS = 262_144
"""Most levels in one frame; a frame with more is refused as BAD_SHAPE."""

BOOKS_MAX = 512


class Board:
    """Order books of fixed instruments, addressed by row number.

    Attributes:
        state: int64 (books, STATE_COLUMNS), see `kernels.layout`.
        levels: int64 (2 * books, LEVELS_MAX, 2), see `kernels.layout`; memory is touched only as
            deep as books are.
        changed: rows changed since the caller last cleared it, oldest first, without repeats.
        frame_seq: number of the input that is being applied; stamped on each change.
        faults: number of faults by venue and kind.
    """

    def __init__(self, instruments: Sequence[Instrument], *, levels_max: int = LEVELS_MAX) -> None:
        if len(instruments) > BOOKS_MAX:
            raise BadValueError(
                f"{len(instruments)} instruments configured; the board holds {BOOKS_MAX} at most"
            )
        self.instruments = tuple(instruments)
        books = max(len(self.instruments), 1)
        self.state = np.zeros((books, layout.STATE_COLUMNS), np.int64)
        self.levels = np.zeros((2 * books, levels_max, 2), np.int64)
        self.changed: list[int] = []
        self.frame_seq = 0
        self.faults: Counter[tuple[VenueId, Fault]] = Counter()
        self.stale_reasons: list[Fault | None] = [None] * len(self.instruments)
        self.stale_since_ns: list[int] = [0] * len(self.instruments)
        self.resync_counts: Counter[VenueId] = Counter()
        self._scratch = np.zeros((SCRATCH_LEVELS, 3), np.int64)
        for book, instrument in enumerate(self.instruments):
            self.state[book, layout.PRICE_DECIMALS] = instrument.price_decimals
            self.state[book, layout.SIZE_DECIMALS] = instrument.size_decimals

    def replace(
        self, book: int, form: LevelForm, bids: RawJson, asks: RawJson, at_ns: int
    ) -> Applied:
        """Forget the row's levels, take these and make the row live; see `BookSink.replace`."""
        # numba types an IntEnum anew at every call (10 us); a plain int goes the fast way.
        outcome = order_book.replace_levels(
            _view(bids), _view(asks), int(form), book, self.state, self.levels, self._scratch
        )
        if outcome == layout.OK:
            row = self.state[book]
            row[layout.IS_LIVE] = 1
            self.stale_reasons[book] = None
            self._stamp(book, at_ns)
        return Applied(outcome)

    def apply(
        self, book: int, form: LevelForm, bids: RawJson, asks: RawJson, at_ns: int
    ) -> Applied:
        """Apply changes to a live row, all or none; see `BookSink.apply`."""
        outcome = order_book.apply_levels(
            _view(bids), _view(asks), int(form), book, self.state, self.levels, self._scratch
        )
        if outcome == layout.OK:
            self._stamp(book, at_ns)
            return Applied.OK
        return Applied(outcome)

    def invalidate(self, book: int, fault: Fault, at_ns: int) -> None:
        """Forget the row's levels, mark it stale with the reason and count the fault."""
        venue = self.instruments[book].venue
        self.faults[venue, fault] += 1
        row = self.state[book]
        if row[layout.IS_LIVE]:
            row[layout.IS_LIVE] = 0
            self.resync_counts[venue] += 1
            self.stale_since_ns[book] = at_ns
            if book not in self.changed:
                self.changed.append(book)
        self.stale_reasons[book] = fault
        row[layout.COUNT + layout.BID] = 0
        row[layout.COUNT + layout.ASK] = 0
        row[layout.CHANGES] += 1

    def count(self, venue: VenueId, fault: Fault) -> None:
        """Count a fault that makes no single row stale."""
        self.faults[venue, fault] += 1

    def is_live(self, book: int) -> bool:
        """Say whether the row may be traded on (it may still be too old)."""
        return bool(self.state[book, layout.IS_LIVE])

    def changed_at_ns(self, book: int) -> int:
        """Return the receive time of the row's last change, 0 if it never had one."""
        return int(self.state[book, layout.CHANGED_AT_NS])

    def top_levels(
        self, book: int, count: int
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the best bids and asks as (price_steps, size_steps), best first."""
        return self._side(book, layout.BID, count), self._side(book, layout.ASK, count)

    def side(self, book: int, side: int) -> npt.NDArray[np.int64]:
        """Return one side's (key, size) rows, worst first, as a view; see `kernels.layout`."""
        held = self.state[book, layout.COUNT + side]
        view: npt.NDArray[np.int64] = self.levels[2 * book + side, :held]
        return view

    def _side(self, book: int, side: int, count: int) -> list[tuple[int, int]]:
        best = self.side(book, side)[-count:][::-1] if count else self.side(book, side)[:0]
        return [(abs(int(key)), int(size)) for key, size in best]

    def _stamp(self, book: int, at_ns: int) -> None:
        row = self.state[book]
        row[layout.CHANGED_AT_NS] = at_ns
        row[layout.FRAME_SEQ] = self.frame_seq
        row[layout.CHANGES] += 1
        if book not in self.changed:
            self.changed.append(book)


def _view(raw: RawJson) -> npt.NDArray[np.uint8]:
    return np.frombuffer(raw, np.uint8)
