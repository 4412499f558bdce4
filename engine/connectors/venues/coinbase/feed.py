"""Coinbase Advanced Trade: level2 with a sequence over all frames of the connection."""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from engine.connectors.link import FAULT_OF, UNREADABLE, Link, Row
from engine.connectors.refusals import Refusals
from engine.connectors.renewals import Renewals
from engine.connectors.venues.coinbase.instruments import VENUE
from engine.connectors.venues.coinbase.messages import Event, Frame, Sent
from engine.connectors.venues.coinbase.states import ProductStates
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument
from engine.domain.units import NS_PER_US
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
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2255, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_FORM = LevelForm.COINBASE
_KNOWN = frozenset({"subscriptions", "heartbeats", "status"})
"""Channels besides the levels'; a frame of any other is not understood."""


class CoinbaseFeed:
    """Obeys `ports.Feed`. A gap in `sequence_num` costs the connection."""

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
        self._decode_sent = msgspec.json.Decoder(Sent).decode
        self._rows = self._link.by_name
        self._apply = sink.apply
        self._replace = sink.replace
        self._count = sink.count
        self._decode = msgspec.json.Decoder(Frame, strict=False).decode
        self._bytes_max = limits.frame_bytes_max
        self._refusals = Refusals(
            self._link, lambda rows: (_level2("subscribe", rows),), is_batch=True
        )
        self._renewals = Renewals(self._link, _renewed)
        self._states = ProductStates(self._link)
        self._last = array("q", [-1])
        self._heartbeat = -1

    @property
    def _sequence(self) -> int:
        """`sequence_num` of the connection's last frame, -1 before the first."""
        return self._last[0]

    def opened(self, at_ns: int) -> Sequence[Action]:
        """Start afresh on a new connection."""
        self._link.open(at_ns)
        self._last[0] = -1
        self._heartbeat = -1
        self._refusals.opened()
        self._states.opened()
        heartbeats = Send('{"type":"subscribe","channel":"heartbeats"}')
        wanted = self._link.wanted()
        return (heartbeats, *_subscribed(wanted)) if wanted else (heartbeats,)

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take one frame."""
        if len(payload) > self._bytes_max:
            return self._link.fail(Fault.OVERSIZE, f"frame of {len(payload)} bytes", at_ns)
        try:
            frame = self._decode(payload)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        sequence, last = frame.sequence_num, self._last[0]
        if sequence != last + 1 and (last >= 0 or sequence < 0):
            return self._out_of_line(frame, at_ns)
        self._last[0] = sequence
        if frame.channel == "l2_data" and frame.events:
            actions = NO_ACTIONS
            for event in frame.events:
                row = self._rows.get(event.product_id)
                if row is not None and row.is_live and event.type == "update":
                    outcome = self._apply(row.book, _FORM, event.updates, b"", at_ns)
                    if outcome is not _OK:
                        actions = (
                            *actions,
                            *self._renewals.invalidate(row, FAULT_OF[outcome], at_ns),
                        )
                else:
                    actions = (*actions, *self._rare_event(row, event, at_ns))
            return actions
        return self._control(frame, payload, at_ns)

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
        opened = self._link.listed(self._states.closed(rows), at_ns)
        if not opened or not self._link.is_open:
            return NO_ACTIONS
        return (*self._renewals.ask(opened, at_ns), _subscription("subscribe", "status", opened))

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Subscribe anew to what is stalled; give up a connection that brings nothing."""
        return self._renewals.tick(at_ns, self._refusals.tick)

    def _rare_event(self, row: Row | None, event: Event, at_ns: int) -> Sequence[Action]:
        if row is None:
            return self._link.unplaced(event.product_id, at_ns)
        if not self._link.is_open or row.shut:
            return NO_ACTIONS
        if event.type == "snapshot":
            outcome = self._replace(row.book, _FORM, event.updates, b"", at_ns)
            if outcome is not _OK:
                return self._renewals.invalidate(row, FAULT_OF[outcome], at_ns)
            self._link.made_live(row, self._sequence)
            return NO_ACTIONS
        if event.type == "update" and event.updates:
            return NO_ACTIONS  # of a row that still waits for its snapshot
        return self._renewals.invalidate(row, Fault.BAD_SHAPE, at_ns)

    def _out_of_line(self, frame: Frame, at_ns: int) -> Sequence[Action]:
        sequence = frame.sequence_num
        if sequence == self._sequence and sequence >= 0:
            self._count(VENUE, Fault.DUPLICATE)
            return NO_ACTIONS
        if frame.type == "error":
            return self._refusals.take(frame.message, at_ns)
        if sequence < 0:
            return self._link.fail(Fault.BAD_SHAPE, "frame without sequence_num", at_ns)
        fault = Fault.GAP if sequence > self._sequence else Fault.REORDERED
        return self._link.fail(fault, f"sequence {sequence} after {self._sequence}", at_ns)

    def _control(self, frame: Frame, payload: bytes, at_ns: int) -> Sequence[Action]:
        if frame.type == "error":
            return self._refusals.take(frame.message, at_ns)
        events = frame.events
        if not events or frame.channel not in _KNOWN or any(event.updates for event in events):
            return self._link.fail(Fault.BAD_SHAPE, f"channel {frame.channel[:40]!r}", at_ns)
        if frame.channel == "status":
            return self._states.take(payload, at_ns)
        if frame.channel == "heartbeats":
            self._sent(payload, at_ns)
            for event in events:
                counter = event.heartbeat_counter
                if counter is None:
                    return self._link.fail(Fault.BAD_SHAPE, "heartbeat without counter", at_ns)
                if self._heartbeat >= 0 and counter != self._heartbeat + 1:
                    # The sequence, which counts heartbeats too, shows that nothing was lost.
                    is_gap = counter > self._heartbeat
                    self._count(VENUE, Fault.GAP if is_gap else Fault.DUPLICATE)
                self._heartbeat = counter
        return NO_ACTIONS

    def _sent(self, payload: bytes, at_ns: int) -> None:
        """Compare the clocks once a second; to decode every frame's time would take too long."""
        try:
            sent_at = self._decode_sent(payload).timestamp
        except UNREADABLE:
            return
        if sent_at.tzinfo is not None and _EPOCH < sent_at < _LAST:
            self.behind[0] = at_ns - (sent_at - _EPOCH) // _US * NS_PER_US


def _subscribed(rows: Sequence[Row]) -> tuple[Send, ...]:
    return _level2("subscribe", rows), _subscription("subscribe", "status", rows)


def _renewed(rows: Sequence[Row]) -> tuple[Send, ...]:
    return _level2("unsubscribe", rows), _level2("subscribe", rows)


def _level2(verb: str, rows: Sequence[Row]) -> Send:
    return _subscription(verb, "level2", rows)


def _subscription(verb: str, channel: str, rows: Sequence[Row]) -> Send:
    names = [row.wire for row in rows]
    message = {"type": verb, "product_ids": names, "channel": channel}
    return Send(msgspec.json.encode(message).decode())
