"""The feed of an exchange through ccxt: whole books and numbered changes from the role `ccxt`.

Between the role and here nothing can be lost unseen. What ccxt itself loses only an audit finds,
unless each book is fetched anew anyway.
"""

from collections.abc import Sequence

import msgspec

from engine.connectors.audits import Audits
from engine.connectors.by_ccxt.audits import ccxt_auditor
from engine.connectors.by_ccxt.messages import ALIVE, BOOK, CHANGE, LOST, REFUSED, Asked, Frame
from engine.connectors.link import FAULT_OF, UNREADABLE, Link, Row
from engine.connectors.refusals import Refusals
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument, VenueId
from engine.ports import (
    NO_ACTIONS,
    Action,
    Applied,
    BookSink,
    FeedLimits,
    LevelForm,
    ListedRow,
    Send,
)

_OK = Applied.OK
_FORM = LevelForm.PAIRS
_FAULTS = frozenset(Fault)


class CcxtFeed:
    """Obeys `ports.Feed`.

    Args:
        is_polled: each frame is of a book that was fetched anew, and needs no other proof.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
        *,
        venue: VenueId,
        is_polled: bool,
    ) -> None:
        self.venue = venue
        self._link = Link(
            venue=venue, instruments=instruments, books=books, sink=sink, limits=limits
        )
        self.behind = self._link.behind
        self._rows = self._link.by_name
        self._sink = sink
        self._decode = msgspec.json.Decoder(Frame).decode
        self._is_polled = is_polled
        self._audits = None if is_polled else Audits(self._link, ccxt_auditor(sink))
        self._refusals = Refusals(self._link, lambda rows: (_asking(rows),), is_batch=False)
        self._bytes_max = limits.frame_bytes_max

    def opened(self, at_ns: int) -> Sequence[Action]:
        """Start afresh on a new connection."""
        self._link.open(at_ns)
        self._refusals.opened()
        wanted = self._link.wanted()
        return (_asking(wanted),) if wanted else NO_ACTIONS

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take one frame."""
        if len(payload) > self._bytes_max:
            return self._link.fail(Fault.OVERSIZE, f"frame of {len(payload)} bytes", at_ns)
        try:
            frame = self._decode(payload)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        row = self._rows.get(frame.symbol)
        if (
            row is not None
            and row.is_live
            and frame.before == row.last_id < frame.number
            and frame.type == CHANGE
        ):
            outcome = self._sink.apply(row.book, _FORM, frame.bids, frame.asks, at_ns)
            if outcome is not _OK:
                return self._invalidate(row, FAULT_OF[outcome], at_ns)
            if row.log is not None:
                row.log.append((at_ns, 0, frame.bids, frame.asks))
            self._taken(row, frame, at_ns)
            return NO_ACTIONS
        return self._rare_frame(row, frame, at_ns)

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take a REST book for an audit; a row that differs is asked for anew."""
        if self._audits is None or not self._link.is_open:
            return NO_ACTIONS
        row = self._audits.fetched(key, payload, at_ns)
        return self._ask([row], at_ns) if row is not None else NO_ACTIONS

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        """Learn that a REST book cannot be had now."""
        if self._audits is not None:
            self._audits.fetch_failed(key, at_ns)
        return NO_ACTIONS

    def closed(self, at_ns: int) -> Sequence[Action]:
        """Learn that the connection ended."""
        self._link.close(at_ns)
        return NO_ACTIONS

    def listed(self, rows: Sequence[ListedRow], at_ns: int) -> Sequence[Action]:
        """Learn which rows are its own now, and which of them may not be traded."""
        return self._ask(self._link.listed(rows, at_ns), at_ns)

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Ask anew for what is stalled, audit, give up a connection that brings nothing."""
        link = self._link
        if not link.is_check_due(at_ns):
            return NO_ACTIONS
        due = link.overdue(at_ns)
        if (why := link.dead_reason(at_ns)) is not None:
            return link.fail(Fault.STALLED, why, at_ns)
        return (
            *self._ask(due, at_ns),
            *self._refusals.tick(at_ns),
            *(() if self._audits is None else self._audits.tick(at_ns)),
        )

    def _rare_frame(self, row: Row | None, frame: Frame, at_ns: int) -> Sequence[Action]:
        if frame.type not in {BOOK, CHANGE}:
            return self._control(row, frame, at_ns)
        if row is None:
            return self._link.unplaced(frame.symbol, at_ns)
        if not self._link.is_open or row.shut:
            return NO_ACTIONS
        if frame.number < 0 or not frame.bids or not frame.asks:
            return self._invalidate(row, Fault.BAD_SHAPE, at_ns)
        if frame.type == BOOK:
            return self._whole(row, frame, at_ns)
        return self._out_of_line(row, frame, at_ns) if row.is_live else NO_ACTIONS

    def _whole(self, row: Row, frame: Frame, at_ns: int) -> Sequence[Action]:
        outcome = self._sink.replace(row.book, _FORM, frame.bids, frame.asks, at_ns)
        if outcome is not _OK:
            return self._invalidate(row, FAULT_OF[outcome], at_ns)
        self._link.made_live(row, frame.number)
        self._taken(row, frame, at_ns)
        return NO_ACTIONS

    def _taken(self, row: Row, frame: Frame, at_ns: int) -> None:
        row.last_id = frame.number
        if frame.at_ns > 0:
            self.behind[0] = at_ns - frame.at_ns
        if self._is_polled:
            self._sink.proven(row.book, at_ns)

    def _out_of_line(self, row: Row, frame: Frame, at_ns: int) -> Sequence[Action]:
        if frame.number == row.last_id:
            self._sink.count(self.venue, Fault.DUPLICATE)
            return NO_ACTIONS
        fault = Fault.GAP if frame.before > row.last_id else Fault.REORDERED
        return self._invalidate(row, fault, at_ns)

    def _control(self, row: Row | None, frame: Frame, at_ns: int) -> Sequence[Action]:
        if frame.type == REFUSED:
            return self._refusals.take(f"{frame.why} {frame.symbol}".strip(), at_ns)
        if frame.type == ALIVE:
            if frame.at_ns > 0:
                self.behind[0] = at_ns - frame.at_ns
            return NO_ACTIONS
        if frame.type != LOST or frame.fault not in _FAULTS:
            return self._link.fail(Fault.BAD_SHAPE, f"unknown frame {frame.type[:40]!r}", at_ns)
        if row is None:
            return self._link.unplaced(frame.symbol, at_ns)
        if not self._link.is_open or row.shut:
            return NO_ACTIONS
        return self._invalidate(row, Fault(frame.fault), at_ns)

    def _invalidate(self, row: Row, fault: Fault, at_ns: int) -> Sequence[Action]:
        return self._ask([row], at_ns) if self._link.drop(row, fault, at_ns) else NO_ACTIONS

    def _ask(self, rows: Sequence[Row], at_ns: int) -> Sequence[Action]:
        if not rows or not self._link.is_open:
            return NO_ACTIONS
        for row in rows:
            self._link.asked(row, at_ns)
        return (_asking(rows),)


def _asking(rows: Sequence[Row]) -> Send:
    asked = Asked(type="subscribe", symbols=[row.wire for row in rows])
    return Send(msgspec.json.encode(asked).decode())
