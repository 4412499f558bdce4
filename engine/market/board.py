"""The board: all order books as arrays that the kernels read, and nothing else.

The board is where bad input ends: a row is live only from a valid snapshot on, and every refused
change is counted by venue and kind. It obeys `ports.BookSink`.
"""

from array import array
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

ROOM_BOOKS = 128
"""Rows for instruments that come while the board is in use: new ones, and those whose rules change.
Memory that no book uses is never touched."""


class Board:
    """Order books of instruments, addressed by row number.

    A row is of one instrument for ever. One whose rules change gets a row of its own; its former
    row, which is never live again, keeps the rules for whoever still goes by its number.

    Attributes:
        instruments: of all rows, by number; only `add` appends to it.
        capacity: rows that there is room for.
        former: rows of rules that are not in force now.
        state: int64 (books, STATE_COLUMNS), see `kernels.layout`.
        levels: int64 (2 * books, LEVELS_MAX, 2), see `kernels.layout`; memory is touched only as
            deep as books are.
        changed: rows changed since the caller last cleared it, oldest first, without repeats.
        faults: number of faults by venue and kind.
        routes_through: how many open routes go through each row; the detector counts them.
        frame_seqs: one cell, the number of the input that is being applied.
    """

    NOT_STATE = frozenset({"_scratch"})

    def __init__(
        self,
        instruments: Sequence[Instrument],
        *,
        levels_max: int = LEVELS_MAX,
        room: int = ROOM_BOOKS,
    ) -> None:
        if len(instruments) > BOOKS_MAX:
            raise BadValueError(
                f"{len(instruments)} instruments configured; the board holds {BOOKS_MAX} at most"
            )
        self.capacity = books = max(len(instruments) + room, 1)
        self.instruments: list[Instrument] = []
        self.former: set[int] = set()
        self.state = np.zeros((books, layout.STATE_COLUMNS), np.int64)
        self.levels = np.zeros((2 * books, levels_max, 2), np.int64)
        self.changed: list[int] = []
        self.routes_through = [0] * books
        self.frame_seqs = array("q", [0])
        self.faults: Counter[tuple[VenueId, Fault]] = Counter()
        self.stale_reasons: list[Fault | None] = []
        self.notes: list[str] = []
        self.stale_since_ns: list[int] = []
        self.resync_counts: Counter[VenueId] = Counter()
        # Rows that have a valid snapshot, and those that are out of decisions all the same.
        self._is_whole = bytearray(books)
        self._is_held = bytearray(books)
        self._proven_at_ns = [0] * books
        self._listed: set[int] = set()
        self._scratch = np.zeros((SCRATCH_LEVELS, 3), np.int64)
        for instrument in instruments:
            self.add(instrument)

    def used_arrays(self) -> list[npt.NDArray[np.int64]]:
        """Return the levels that books have; see `core.checkpoint`."""
        return [
            self.levels[2 * book + side, : self.state[book, layout.COUNT + side]]
            for book in range(len(self.instruments))
            for side in (layout.BID, layout.ASK)
        ]

    def add(self, instrument: Instrument) -> int:
        """Append a row, born stale; returns its number.

        Raises:
            BadValueError: there is no room.
        """
        book = len(self.instruments)
        if book >= self.capacity:
            raise BadValueError(f"no room for a book of {instrument}: {book} are there")
        self.instruments.append(instrument)
        self.stale_reasons.append(None)
        self.notes.append("")
        self.stale_since_ns.append(0)
        self.state[book, layout.PRICE_DECIMALS] = instrument.price_decimals
        self.state[book, layout.SIZE_DECIMALS] = instrument.size_decimals
        return book

    @property
    def frame_seq(self) -> int:
        """Number of the input that is being applied; stamped on each change."""
        return self.frame_seqs[0]

    @frame_seq.setter
    def frame_seq(self, seq: int) -> None:
        self.frame_seqs[0] = seq

    def replace(
        self, book: int, form: LevelForm, bids: RawJson, asks: RawJson, at_ns: int
    ) -> Applied:
        """Forget the row's levels, take these and make the row live; see `BookSink.replace`."""
        # numba types an IntEnum anew at every call (10 us); a plain int goes the fast way.
        outcome = order_book.replace_levels(
            bytes(bids),
            bytes(asks),
            int(form),
            (book, at_ns, self.frame_seqs[0]),
            self.state,
            self.levels,
            self._scratch,
        )
        if outcome != layout.OK:
            return self._refused(book, outcome)
        self._is_whole[book] = 1
        if self._is_held[book]:
            self.stale_reasons[book] = Fault.LATE
        else:
            self.state[book, layout.IS_LIVE] = 1
            self.stale_reasons[book] = None
        self._list(book)
        return Applied.OK

    def apply(
        self, book: int, form: LevelForm, bids: RawJson, asks: RawJson, at_ns: int
    ) -> Applied:
        """Apply changes to a live row, all or none; see `BookSink.apply`."""
        outcome = order_book.apply_levels(
            bytes(bids),
            bytes(asks),
            int(form),
            (book, at_ns, self.frame_seqs[0]),
            self.state,
            self.levels,
            self._scratch,
        )
        if outcome != layout.OK:
            return self._refused(book, outcome)
        self._list(book)
        return Applied.OK

    def apply_plain(self, book: int, payload: bytes, span: tuple[int, int], at_ns: int) -> Applied:
        """Apply changes as they stand in a frame, all or none; see `BookSink.apply_plain`."""
        outcome = order_book.apply_plain(
            payload,
            span,
            (book, at_ns, self.frame_seqs[0]),
            self.state,
            self.levels,
            self._scratch,
        )
        if outcome == layout.OK:
            self._list(book)
            return Applied.OK
        return Applied.NOT_PLAIN if outcome == layout.NOT_PLAIN else self._refused(book, outcome)

    def invalidate(self, book: int, fault: Fault, at_ns: int, note: str = "") -> None:
        """Forget the row's levels, mark it stale with the reason and count the fault."""
        venue = self.instruments[book].venue
        self.faults[venue, fault] += 1
        row = self.state[book]
        if self._is_whole[book]:
            self._is_whole[book] = 0
            row[layout.IS_LIVE] = 0
            self.resync_counts[venue] += 1
            self.stale_since_ns[book] = at_ns
            self._list(book)
        self.stale_reasons[book] = fault
        self.notes[book] = note
        row[layout.COUNT + layout.BID] = 0
        row[layout.COUNT + layout.ASK] = 0
        row[layout.CHANGES] += 1

    def hold(self, book: int, fault: Fault, at_ns: int, note: str) -> None:
        """Keep a row out of every decision, for this reason, whatever its feed makes of it."""
        self.faults[self.instruments[book].venue, fault] += 1
        self._is_held[book] = 1
        self.notes[book] = note
        if self.state[book, layout.IS_LIVE]:
            self.state[book, layout.IS_LIVE] = 0
            self.stale_reasons[book] = fault
            self.stale_since_ns[book] = at_ns
            self._list(book)

    def release(self, book: int) -> None:
        """End a hold: the row is what its feed has made of it meanwhile."""
        self._is_held[book] = 0
        if self._is_whole[book]:
            self.state[book, layout.IS_LIVE] = 1
            self.stale_reasons[book] = None
            self._list(book)

    def proven(self, book: int, at_ns: int) -> None:
        """Note that a row was the venue's book at this time; see `BookSink.proven`."""
        self._proven_at_ns[book] = at_ns

    def unproven_ns(self, book: int, at_ns: int) -> int | None:
        """Return how long ago the row was proven, None if its feed proves itself."""
        proven_at_ns = self._proven_at_ns[book]
        return max(at_ns - proven_at_ns, 0) if proven_at_ns else None

    def count(self, venue: VenueId, fault: Fault) -> None:
        """Count a fault that makes no single row stale."""
        self.faults[venue, fault] += 1

    def is_live(self, book: int) -> bool:
        """Say whether the row may be traded on (it may still be too old)."""
        return bool(self.state[book, layout.IS_LIVE])

    def is_wanted(self, book: int) -> bool:
        """Say whether an open route goes through the row."""
        return self.routes_through[book] > 0

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

    def size_at(self, book: int, side: int, price_steps: int) -> int:
        """Return the size in steps that rests at a price of one side, 0 if there is none."""
        held = self.side(book, side)
        key = price_steps if side == layout.BID else -price_steps
        i = int(np.searchsorted(held[:, layout.KEY], key))
        if i < len(held) and held[i, layout.KEY] == key:
            return int(held[i, layout.SIZE])
        return 0

    def best(self, book: int, side: int) -> tuple[int, int] | None:
        """Return the best (price_steps, size_steps) of one side, None if the side is empty."""
        held = int(self.state[book, layout.COUNT + side])
        if held == 0:
            return None
        level = self.levels[2 * book + side, held - 1]
        return abs(int(level[layout.KEY])), int(level[layout.SIZE])

    def is_fresh(self, book: int, *, at_ns: int, age_ns_max: int) -> bool:
        """Say whether the row is live, has both sides and changed recently enough to act on."""
        row = self.state[book]
        return bool(
            row[layout.IS_LIVE]
            and row[layout.COUNT + layout.BID]
            and row[layout.COUNT + layout.ASK]
            and at_ns - row[layout.CHANGED_AT_NS] <= age_ns_max
        )

    def are_fresh(self, *, at_ns: int, age_ns_max: int) -> npt.NDArray[np.bool_]:
        """Return what `is_fresh` says of every row."""
        rows = self.state[: len(self.instruments)]
        fresh: npt.NDArray[np.bool_] = (
            (rows[:, layout.IS_LIVE] != 0)
            & (rows[:, layout.COUNT + layout.BID] > 0)
            & (rows[:, layout.COUNT + layout.ASK] > 0)
            & (at_ns - rows[:, layout.CHANGED_AT_NS] <= age_ns_max)
        )
        return fresh

    def faults_of(self, venue: VenueId) -> dict[Fault, int]:
        """Return the venue's faults by kind, with the levels that full sides dropped."""
        counts = {
            fault: count for (its_venue, fault), count in self.faults.items() if its_venue == venue
        }
        dropped = sum(
            int(self.state[book, layout.DROPPED])
            for book, instrument in enumerate(self.instruments)
            if instrument.venue == venue
        )
        if dropped:
            counts[Fault.LEVELS_DROPPED] = counts.get(Fault.LEVELS_DROPPED, 0) + dropped
        return counts

    def _side(self, book: int, side: int, count: int) -> list[tuple[int, int]]:
        best = self.side(book, side)[-count:][::-1] if count else self.side(book, side)[:0]
        return [(abs(int(key)), int(size)) for key, size in best]

    def _list(self, book: int) -> None:
        # The caller empties `changed` itself; the set beside it then starts afresh too.
        if not self.changed:
            self._listed.clear()
        if book not in self._listed:
            self._listed.add(book)
            self.changed.append(book)

    def _refused(self, book: int, outcome: int) -> Applied:
        if outcome in {layout.CROSSED, layout.EMPTY}:
            # The levels make no market. Nothing may be read from them until the feed has
            # invalidated the row, which also counts the fault.
            self.state[book, layout.COUNT : layout.COUNT + 2] = 0
            self._list(book)
        return Applied(outcome)
