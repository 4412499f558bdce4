"""What every feed knows about its connection: which rows are live, and when to ask for them again.

A feed is made of a link (this file, the same for all venues) and a dialect (the venue's folder).
The link never reads a clock and never sends anything; it decides, the feed speaks.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from engine.domain.backoff import wait_after
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument, VenueId
from engine.domain.units import NS_PER_MS
from engine.ports import (
    NO_ACTIONS,
    NO_TIME,
    Action,
    Applied,
    BookSink,
    FeedLimits,
    ListedRow,
    RawJson,
    Reconnect,
)

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a frame may raise: bad JSON, bad shape, invalid UTF-8, nesting too deep."""

NO_LEVELS = msgspec.Raw(b"")
"""Stands for a key that is absent; a present but empty side is ``[]``."""

FAULT_OF = {
    Applied.BAD_SHAPE: Fault.BAD_SHAPE,
    Applied.BAD_NUMBER: Fault.BAD_NUMBER,
    Applied.CROSSED: Fault.CROSSED,
    Applied.EMPTY: Fault.EMPTY,
}

VenueNumber = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What a venue counts its changes by, or a time of its. Rows keep it in 64 bits; a frame with more
cannot be read."""


VenueTimeNs = Annotated[int, msgspec.Meta(ge=-1, le=9 * 10**18)]
VenueTimeUs = Annotated[int, msgspec.Meta(ge=-1, le=9 * 10**15)]
VenueTimeMs = Annotated[int, msgspec.Meta(ge=-1, le=9 * 10**12)]
"""A venue's time since 1970 (to the year 2255), -1 for none."""

RETRY_NS = 1_000_000_000
"""Least time between two requests for the same row's snapshot after a fault ..."""

RETRY_NS_MAX = 64 * RETRY_NS
"""... doubled up to this by one fault after another."""

STEADY_NS = 5_000_000_000
"""A row that was live for so long ends the doubling."""

TOLD_FAILURES = 3
"""From this many faults of a row on, one after another, its note says so in words."""

CHECK_NS = 250_000_000
"""Least time between two looks at all rows: a stall is seen this much late at most."""

SILENT_INTERVALS = 3
"""Without any change of any row for this many stall intervals, the connection is given up."""

CLOCK_BACK_NS = 1_000_000_000
"""Receive times may step back this much before the connection is given up."""

RULES_CHANGED = "its rules changed; another row has the new ones"

Delta = tuple[int, int, RawJson, RawJson]


class Row:
    """One instrument's row on the board, as its feed sees it.

    Attributes:
        is_live: the same as the board's, kept here because the hot path asks at each frame.
        floor_id: id of the last snapshot; changes up to it are part of the book already.
        ask_at_ns: when the row's snapshot may next be asked for, while it is not live.
        asked_at_ns: when it was last asked for; 0 is never on this connection.
        fetch_at_ns: when a REST snapshot may next be fetched.
        live_from_ns: when its last snapshot was asked for that made it live.
        failures: faults of the row, one after another.
        buffer: changes kept until a snapshot comes, as (id before, last id, bids, asks).
        log: the changes of a live row that its audits need, else None.
        shut: why the venue does not serve the row; empty while it is wanted.
        is_halted: it is its list that says so, which holds over reconnects.
    """

    IS_STATE = True
    __slots__ = (
        "_last_id",
        "ask_at_ns",
        "asked_at_ns",
        "book",
        "buffer",
        "failures",
        "fetch_at_ns",
        "floor_id",
        "instrument",
        "is_fetching",
        "is_halted",
        "is_live",
        "live_from_ns",
        "log",
        "shut",
        "wire",
    )

    def __init__(self, *, book: int, instrument: Instrument) -> None:
        self.book = book
        self.instrument = instrument
        self.wire = instrument.wire_name
        self.buffer: list[Delta] = []
        self._last_id = array("q", [-1])
        self.shut = ""
        self.is_halted = False
        self.reset()

    @property
    def last_id(self) -> int:
        """The venue's id (or time) of the last change taken from the stream."""
        return self._last_id[0]

    @last_id.setter
    def last_id(self, last_id: int) -> None:
        self._last_id[0] = last_id

    def reset(self) -> None:
        """Forget all that belongs to an earlier connection or an earlier subscription."""
        self.is_live = False
        self.is_fetching = False
        self.last_id = -1
        self.floor_id = -1
        self.ask_at_ns = 0
        self.asked_at_ns = 0
        self.fetch_at_ns = 0
        self.live_from_ns = 0
        self.failures = 0
        self.buffer = []
        self.log: list[Delta] | None = None


class Link:
    """The rows of one connection, and the rules for making them stale and asking again.

    Attributes:
        is_open: False from a fault that needs a new connection until that is there; frames that
            still arrive meanwhile change nothing.
        rows: those of the instruments that the venue lists now.
        by_wire, by_name: the same by the venue's names, and by those of the feed's frames; changed
            in place.
        age_ns: a row without any change for this long is stalled.
        behind: see `ports.Feed`.

    Args:
        name_of: turns a venue's name into that of the frames, where they differ.
    """

    def __init__(
        self,
        *,
        venue: VenueId,
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
        name_of: Callable[[str], str] = str,
    ) -> None:
        self.venue = venue
        self.sink = sink
        self.limits = limits
        self.is_open = False
        self.rows: list[Row] = []
        self.by_wire: dict[str, Row] = {}
        self.by_name: dict[str, Row] = {}
        self._name_of = name_of
        self._hold(
            [
                Row(book=book, instrument=instrument)
                for instrument, book in zip(instruments, books, strict=True)
            ]
        )
        self.age_ns = limits.age_ms_max * NS_PER_MS
        self.behind = array("q", [NO_TIME])
        self._newest_ns = 0
        self._check_at_ns = 0

    def open(self, at_ns: int) -> None:
        """Start a connection: every row stale, every row's snapshot asked for now."""
        self._invalidate_live(Fault.DISCONNECTED, at_ns)
        self.is_open = True
        self.behind[0] = NO_TIME
        self._newest_ns = at_ns
        self._check_at_ns = at_ns
        for row in self.rows:
            row.reset()
            if not row.is_halted:
                row.shut = ""
                self.asked(row, at_ns)

    def wanted(self) -> list[Row]:
        """Return the rows that the venue serves, as far as is known."""
        return [row for row in self.rows if not row.shut]

    def shut(self, row: Row, fault: Fault, why: str, at_ns: int) -> None:
        """Take a row out until the venue serves it again."""
        self.sink.invalidate(row.book, fault, at_ns, why)
        row.reset()
        row.shut = why

    def listed(self, listed: Sequence[ListedRow], at_ns: int) -> list[Row]:
        """Take the rows that are listed now: shut those that may not be traded, drop the others.

        Returns:
            Rows that are new or may be traded again, to be asked for.
        """
        held = {row.book: row for row in self.rows}
        rows: list[Row] = []
        opened: list[Row] = []
        for one in listed:
            row = held.pop(one.book, None)
            is_new = row is None
            row = row or Row(book=one.book, instrument=one.instrument)
            rows.append(row)
            if one.closed:
                if not (row.is_halted and row.shut == one.closed):
                    self.shut(row, Fault.HALTED, one.closed, at_ns)
                    row.is_halted = True
            elif is_new or row.shut:
                row.shut = ""
                row.is_halted = False
                opened.append(row)
        for row in held.values():
            self.shut(row, Fault.HALTED, RULES_CHANGED, at_ns)
        self._hold(rows)
        if opened:
            self._newest_ns = max(self._newest_ns, at_ns)  # what is asked for now has its time
        return opened

    def _hold(self, rows: Sequence[Row]) -> None:
        self.rows[:] = rows
        self.by_wire.clear()
        self.by_wire.update((row.wire, row) for row in rows)
        self.by_name.clear()
        self.by_name.update((self._name_of(row.wire), row) for row in rows)

    def close(self, at_ns: int) -> None:
        """End the connection: every row stale."""
        self.is_open = False
        if not self._invalidate_live(Fault.DISCONNECTED, at_ns):
            self.sink.count(self.venue, Fault.DISCONNECTED)
        for row in self.rows:
            row.reset()

    def fail(self, fault: Fault, why: str, at_ns: int) -> Sequence[Action]:
        """Make every row stale and ask for a new connection."""
        if not self.is_open:
            return NO_ACTIONS
        self.is_open = False
        if not self._invalidate_live(fault, at_ns):
            self.sink.count(self.venue, fault)
        return (Reconnect(f"{fault}: {why}"),)

    def refuse(self, error: Exception, at_ns: int) -> Sequence[Action]:
        """Take a frame that cannot be decoded: nobody knows which row has missed a change."""
        is_shape = isinstance(error, msgspec.ValidationError)
        fault = Fault.BAD_SHAPE if is_shape else Fault.BAD_JSON
        return self.fail(fault, str(error)[:200], at_ns)

    def unplaced(self, wire: str, at_ns: int) -> Sequence[Action]:
        """Take levels of no row that is here: an unknown name concerns none, a missing one all."""
        if not wire:
            return self.fail(Fault.BAD_SHAPE, "levels that name no instrument", at_ns)
        self.sink.count(self.venue, Fault.UNKNOWN_INSTRUMENT)
        return NO_ACTIONS

    def drop(self, row: Row, fault: Fault, at_ns: int) -> bool:
        """Make one row stale; say whether its snapshot may be asked for right now."""
        retry_ns = self.failed(row, fault, at_ns)
        row.is_live = False
        row.is_fetching = False
        row.buffer = []
        row.log = None
        row.ask_at_ns = row.fetch_at_ns = max(at_ns, row.asked_at_ns + retry_ns)
        return at_ns >= row.ask_at_ns

    def failed(self, row: Row, fault: Fault, at_ns: int) -> int:
        """Make a row stale; return how long after its last request the next one may follow."""
        if row.is_live and at_ns - row.live_from_ns >= STEADY_NS:
            row.failures = 0
        if fault is not Fault.STALLED:  # a quiet row has nothing to mend
            row.failures += 1
        retry_ns = wait_after(row.failures, first=RETRY_NS, longest=RETRY_NS_MAX)
        note = ""
        if row.failures >= TOLD_FAILURES:
            words = fault.replace("_", " ")
            note = (
                f"{words}, {row.failures} times running; asked for every {retry_ns // RETRY_NS} s"
            )
        self.sink.invalidate(row.book, fault, at_ns, note)
        return retry_ns

    def asked(self, row: Row, at_ns: int) -> None:
        """Note that a row's snapshot is being asked for; without one it is due again later."""
        row.asked_at_ns = at_ns
        row.ask_at_ns = at_ns + self.age_ns

    def made_live(self, row: Row, last_id: int) -> None:
        """Note that the board took a snapshot of this row."""
        row.is_live = True
        row.is_fetching = False
        row.buffer = []
        row.live_from_ns = row.asked_at_ns
        row.last_id = last_id
        row.floor_id = last_id

    def is_check_due(self, at_ns: int) -> bool:
        """Say whether it is time to look at all rows again."""
        if not self.is_open or 0 <= at_ns - self._check_at_ns < CHECK_NS:
            return False
        self._check_at_ns = at_ns
        return True

    def dead_reason(self, at_ns: int) -> str | None:
        """Say why the connection is to be given up, if it is.

        A clock that was set back would make every age look young, so it ends the connection too.
        """
        live = [self.sink.changed_at_ns(row.book) for row in self.rows if row.is_live]
        self._newest_ns = max([self._newest_ns, *live])
        if self._newest_ns - at_ns > CLOCK_BACK_NS:
            return "the clock was set back"
        if self.wanted() and at_ns - self._newest_ns > SILENT_INTERVALS * self.age_ns:
            return "no change on the whole connection"
        return None

    def overdue(self, at_ns: int) -> list[Row]:
        """Make stalled rows stale; return all rows whose snapshot is to be asked for now."""
        due = []
        for row in self.wanted():
            if row.is_live:
                if at_ns - self.sink.changed_at_ns(row.book) > self.age_ns and self.drop(
                    row, Fault.STALLED, at_ns
                ):
                    due.append(row)
            elif at_ns >= row.ask_at_ns:
                if at_ns - row.asked_at_ns >= self.age_ns:
                    self.sink.invalidate(row.book, Fault.STALLED, at_ns)
                due.append(row)
        return due

    def _invalidate_live(self, fault: Fault, at_ns: int) -> bool:
        live = [row for row in self.rows if row.is_live]
        for row in live:
            self.sink.invalidate(row.book, fault, at_ns)
            row.is_live = False
            row.log = None
        return bool(live)
