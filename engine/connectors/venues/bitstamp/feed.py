"""Bitstamp: changes with a time but no sequence, started by a REST book and audited by others."""

from collections.abc import Sequence

import msgspec

from engine.connectors.audits import KEY as AUDIT_KEY
from engine.connectors.audits import Audits
from engine.connectors.link import FAULT_OF, UNREADABLE, Link, Row
from engine.connectors.refusals import Refusals
from engine.connectors.rest_book import RestBook
from engine.connectors.venues.bitstamp.audits import BitstampAuditor, path_of
from engine.connectors.venues.bitstamp.instruments import VENUE
from engine.connectors.venues.bitstamp.messages import Content, Frame, Snapshot
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
_FORM = LevelForm.PAIRS
_CHANNEL = "diff_order_book_"
_KNOWN = frozenset({"bts:subscription_succeeded", "bts:unsubscription_succeeded", "bts:heartbeat"})
"""Events without levels; a frame of any other is not understood."""

_AHEAD_MAX_US = 60_000_000
"""A REST book this far ahead of the stream has a wrong time, or the stream is dead."""


class BitstampFeed:
    """Obeys `ports.Feed`. A lost change cannot be seen in the stream; the audit finds it."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
    ) -> None:
        self.venue = VENUE
        self._link = Link(
            venue=VENUE,
            instruments=instruments,
            books=books,
            sink=sink,
            limits=limits,
            name_of=_CHANNEL.__add__,
        )
        self.behind = self._link.behind
        self._rows = self._link.by_name
        self._apply = sink.apply
        self._count = sink.count
        self._decode = msgspec.json.Decoder(Frame, strict=False).decode
        self._book = RestBook(
            self._link,
            path_of=path_of,
            decode=msgspec.json.Decoder(Snapshot, strict=False).decode,
            is_chained=False,
            ahead_max=_AHEAD_MAX_US,
        )
        self._audits = Audits(self._link, BitstampAuditor(sink))
        self._refusals = Refusals(self._link, _resubscribed, is_batch=False)
        self._bytes_max = limits.frame_bytes_max

    def opened(self, at_ns: int) -> Sequence[Action]:
        """Start afresh on a new connection; books are fetched once their streams flow."""
        self._link.open(at_ns)
        self._refusals.opened()
        return tuple(_subscription("bts:subscribe", row) for row in self._link.wanted())

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take one frame."""
        if len(payload) > self._bytes_max:
            return self._link.fail(Fault.OVERSIZE, f"frame of {len(payload)} bytes", at_ns)
        try:
            frame = self._decode(payload)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        content = frame.data
        row = self._rows.get(frame.channel)
        if row is None or frame.event != "data" or type(content) is not Content:
            return self._control(frame, at_ns)
        stamp_us = content.microtimestamp
        if row.is_live and stamp_us >= row.last_id and stamp_us > row.floor_id:
            if stamp_us == row.last_id:
                # Either the same change again, which changes nothing, or one of the same instant.
                self._count(VENUE, Fault.DUPLICATE)
            outcome = self._apply(row.book, _FORM, content.bids, content.asks, at_ns)
            if outcome is not _OK:
                return self._book.invalidate(row, FAULT_OF[outcome], at_ns)
            row.last_id = stamp_us
            self.behind[0] = at_ns - stamp_us * NS_PER_US
            if row.log is not None:
                row.log.append((stamp_us, stamp_us, content.bids, content.asks))
            return NO_ACTIONS
        return self._rare_change(row, content, at_ns)

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take a REST book, for a row that is being built or for an audit."""
        if key.startswith(AUDIT_KEY):
            self._audits.fetched(key, payload, at_ns)
            return NO_ACTIONS
        return self._book.fetched(key, payload, at_ns)

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        """Learn that a REST book cannot be had now."""
        if key.startswith(AUDIT_KEY):
            self._audits.fetch_failed(key, at_ns)
            return NO_ACTIONS
        return self._book.fetch_failed(key, at_ns)

    def closed(self, at_ns: int) -> Sequence[Action]:
        """Learn that the connection ended."""
        self._link.close(at_ns)
        return NO_ACTIONS

    def listed(self, rows: Sequence[ListedRow], at_ns: int) -> Sequence[Action]:
        """Learn which rows are its own now, and which of them may not be traded."""
        opened = self._link.listed(rows, at_ns)
        if not self._link.is_open:
            return NO_ACTIONS
        for row in opened:
            self._link.asked(row, at_ns)
        return _resubscribed(opened)

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Fetch again, subscribe anew to what is stalled, audit, give up a dead connection."""
        link = self._link
        if not link.is_check_due(at_ns):
            return NO_ACTIONS
        due = link.overdue(at_ns)
        if (why := link.dead_reason(at_ns)) is not None:
            return link.fail(Fault.STALLED, why, at_ns)
        actions: list[Action] = []
        for row in due:
            if row.buffer:
                actions.append(self._book.fetch(row, at_ns))
            else:
                link.asked(row, at_ns)
                actions.extend(_resubscribed([row]))
        actions.extend(self._refusals.tick(at_ns))
        actions.extend(self._audits.tick(at_ns))
        return actions

    def _rare_change(self, row: Row, content: Content, at_ns: int) -> Sequence[Action]:
        stamp_us = content.microtimestamp
        if not self._link.is_open or row.shut:
            return NO_ACTIONS
        if stamp_us < 0 or not content.bids or not content.asks:
            return self._book.invalidate(row, Fault.BAD_SHAPE, at_ns)
        if row.is_live and stamp_us <= row.floor_id:
            return NO_ACTIONS  # part of the snapshot
        if row.is_live or (row.buffer and stamp_us < row.buffer[-1][1]):
            return self._book.invalidate(row, Fault.REORDERED, at_ns)
        return self._book.keep(row, (stamp_us, stamp_us, content.bids, content.asks), at_ns)

    def _control(self, frame: Frame, at_ns: int) -> Sequence[Action]:
        content = frame.data if type(frame.data) is Content else None
        if frame.event == "bts:error":
            why = content.message if content is not None else None
            return self._refusals.take(f"{why or 'no reason given'} {frame.channel}".strip(), at_ns)
        if frame.event == "bts:request_reconnect":
            return self._link.fail(Fault.DISCONNECTED, "the venue asks to reconnect", at_ns)
        has_levels = content is not None and bool(content.bids or content.asks)
        if frame.event == "data" and has_levels and frame.channel.startswith(_CHANNEL):
            return self._link.unplaced(frame.channel, at_ns)
        if has_levels or frame.event not in _KNOWN:
            what = f"event {frame.event[:40]!r} of {frame.channel[:40]!r}"
            return self._link.fail(Fault.BAD_SHAPE, what, at_ns)
        return NO_ACTIONS


def _resubscribed(rows: Sequence[Row]) -> tuple[Send, ...]:
    events = ("bts:unsubscribe", "bts:subscribe")
    return tuple(_subscription(event, row) for row in rows for event in events)


def _subscription(event: str, row: Row) -> Send:
    message = {"event": event, "data": {"channel": f"{_CHANNEL}{row.wire}"}}
    return Send(msgspec.json.encode(message).decode())
