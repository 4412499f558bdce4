"""Gemini's newer feed: differential depth whose frames overlap by one update id."""

from collections.abc import Sequence

import msgspec

from engine.connectors.link import FAULT_OF, UNREADABLE, Link, Row
from engine.connectors.refusals import Refusals
from engine.connectors.renewals import Renewals
from engine.connectors.venues.gemini.instruments import VENUE
from engine.connectors.venues.gemini.messages import DepthFrame
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument
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
_ACCEPTED = 200


class GeminiFeed:
    """Obeys `ports.Feed`. A gap costs the row, which is subscribed to anew."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
    ) -> None:
        self.venue = VENUE
        self._link = Link(
            venue=VENUE, instruments=instruments, books=books, sink=sink, limits=limits
        )
        self.behind = self._link.behind
        self._rows = self._link.by_name
        self._apply = sink.apply
        self._replace = sink.replace
        self._count = sink.count
        self._decode = msgspec.json.Decoder(DepthFrame).decode
        self._bytes_max = limits.frame_bytes_max
        self._request = 0
        self._refusals = Refusals(
            self._link, lambda rows: (self._subscription("subscribe", rows),), is_batch=True
        )
        self._renewals = Renewals(self._link, self._resubscribed)

    def opened(self, at_ns: int) -> Sequence[Action]:
        """Start afresh on a new connection."""
        self._link.open(at_ns)
        self._refusals.opened()
        wanted = self._link.wanted()
        return (self._subscription("subscribe", wanted),) if wanted else NO_ACTIONS

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take one frame."""
        if len(payload) > self._bytes_max:
            return self._link.fail(Fault.OVERSIZE, f"frame of {len(payload)} bytes", at_ns)
        try:
            frame = self._decode(payload)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        row = self._rows.get(frame.s)
        if (
            row is not None
            and row.is_live
            and frame.first_id <= row.last_id < frame.last_id
            and frame.first_id >= 0
            and frame.e == "depthUpdate"
        ):
            outcome = self._apply(row.book, _FORM, frame.b, frame.a, at_ns)
            if outcome is _OK:
                row.last_id = frame.last_id
                if frame.sent_at_ns > 0:
                    self.behind[0] = at_ns - frame.sent_at_ns
                return NO_ACTIONS
            return self._renewals.invalidate(row, FAULT_OF[outcome], at_ns)
        return self._rare_frame(row, frame, at_ns)

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        """Take the answer to a fetch; this feed never asks for one."""
        return NO_ACTIONS

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        """Learn that a fetch failed; this feed never asks for one."""
        return NO_ACTIONS

    def closed(self, at_ns: int) -> Sequence[Action]:
        """Learn that the connection ended."""
        self._link.close(at_ns)
        return NO_ACTIONS

    def listed(self, rows: Sequence[ListedRow], at_ns: int) -> Sequence[Action]:
        """Learn which rows are its own now, and which of them may not be traded."""
        return self._renewals.ask(self._link.listed(rows, at_ns), at_ns)

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Subscribe anew to what is stalled; give up a connection that brings nothing."""
        return self._renewals.tick(at_ns, self._refusals.tick)

    def _rare_frame(self, row: Row | None, frame: DepthFrame, at_ns: int) -> Sequence[Action]:
        if frame.e != "depthUpdate":
            return self._control(frame, at_ns)
        if row is None:
            return self._link.unplaced(frame.s, at_ns)
        if not self._link.is_open or row.shut:
            return NO_ACTIONS
        if not 0 <= frame.first_id <= frame.last_id or not frame.b or not frame.a:
            return self._renewals.invalidate(row, Fault.BAD_SHAPE, at_ns)
        if row.is_live:
            return self._out_of_line(row, frame, at_ns)
        # Every change overlaps the one before it, so only a snapshot starts where it ends.
        is_snapshot = frame.first_id == frame.last_id
        return self._snapshot(row, frame, at_ns) if is_snapshot else NO_ACTIONS

    def _out_of_line(self, row: Row, frame: DepthFrame, at_ns: int) -> Sequence[Action]:
        if frame.last_id == row.last_id:
            self._count(VENUE, Fault.DUPLICATE)
            return NO_ACTIONS
        fault = Fault.GAP if frame.first_id > row.last_id else Fault.REORDERED
        return self._renewals.invalidate(row, fault, at_ns)

    def _snapshot(self, row: Row, frame: DepthFrame, at_ns: int) -> Sequence[Action]:
        outcome = self._replace(row.book, _FORM, frame.b, frame.a, at_ns)
        if outcome is not _OK:
            return self._renewals.invalidate(row, FAULT_OF[outcome], at_ns)
        self._link.made_live(row, frame.last_id)
        return NO_ACTIONS

    def _control(self, frame: DepthFrame, at_ns: int) -> Sequence[Action]:
        if frame.status >= 0:
            if frame.status != _ACCEPTED or frame.error:
                why = bytes(frame.error)[:200].decode(errors="replace")
                return self._refusals.take(f"{frame.status} {why}", at_ns)
            return NO_ACTIONS
        return self._link.fail(Fault.BAD_SHAPE, f"unknown frame {frame.e[:40]!r}", at_ns)

    def _resubscribed(self, rows: Sequence[Row]) -> tuple[Send, ...]:
        return self._subscription("unsubscribe", rows), self._subscription("subscribe", rows)

    def _subscription(self, method: str, rows: Sequence[Row]) -> Send:
        self._request += 1
        streams = [f"{row.wire}@depth@100ms" for row in rows]
        message = {"id": str(self._request), "method": method, "params": streams}
        return Send(msgspec.json.encode(message).decode())
