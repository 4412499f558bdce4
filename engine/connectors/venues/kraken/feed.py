"""Kraken's book channel, WebSocket version 2: each frame has a checksum of the ten best levels.

Nothing is numbered. A change that was lost shows in the checksum as soon as it is among the ten
best; what lies below is audited by the REST book.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from engine.connectors.audit import ASK, BID
from engine.connectors.audits import Audits
from engine.connectors.link import FAULT_OF, UNREADABLE, Link, Row
from engine.connectors.refusals import Refusals
from engine.connectors.renewals import Renewals
from engine.connectors.venues.kraken.audits import kraken_auditor
from engine.connectors.venues.kraken.checksum import CHECKED_LEVELS, checksum_of
from engine.connectors.venues.kraken.depth import KeptPrices
from engine.connectors.venues.kraken.instruments import VENUE, symbol_of
from engine.connectors.venues.kraken.messages import BookData, Frame, Level
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

DEPTH: Final = 1_000
"""The most that is told of a side."""

_OK: Final = Applied.OK
_FORM: Final = LevelForm.PAIRS
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2255, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_KNOWN: Final = frozenset({"heartbeat", "status"})
"""Channels besides the books'; a frame of any other is not understood."""


class KrakenFeed:
    """Obeys `ports.Feed`. A row whose checksum is not the venue's is subscribed to anew."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
    ) -> None:
        self.venue = VENUE
        self._symbols = {one.wire_name: symbol_of(one) for one in instruments}
        self._link = Link(
            venue=VENUE,
            instruments=instruments,
            books=books,
            sink=sink,
            limits=limits,
            name_of=self._symbol,
        )
        self.behind = self._link.behind
        self._rows = self._link.by_name
        self._sink = sink
        self._decode = msgspec.json.Decoder(Frame).decode
        self._decode_books = msgspec.json.Decoder(list[BookData]).decode
        self._kept: dict[int, tuple[KeptPrices, KeptPrices]] = {}
        self._audits = Audits(self._link, kraken_auditor(sink))
        self._refusals = Refusals(self._link, self._resubscribed, is_batch=False)
        self._renewals = Renewals(self._link, self._resubscribed)
        self._bytes_max = limits.frame_bytes_max

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
            if frame.channel != "book":
                return self._control(frame, at_ns)
            books = self._decode_books(frame.data)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        if not books:
            return self._link.fail(Fault.BAD_SHAPE, "a frame of no book", at_ns)
        actions: Sequence[Action] = NO_ACTIONS
        for book in books:
            row = self._rows.get(book.symbol)
            if row is not None and row.is_live and frame.type == "update":
                more = self._change(row, book, at_ns)
            else:
                more = self._rare_book(row, frame.type, book, at_ns)
            actions = (*actions, *more) if more else actions
        return actions

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take a REST book for an audit; a row that differs is subscribed to anew."""
        row = self._audits.fetched(key, payload, at_ns) if self._link.is_open else None
        return self._renewals.ask([row], at_ns) if row is not None else NO_ACTIONS

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        """Learn that a REST book cannot be had now."""
        self._audits.fetch_failed(key, at_ns)
        return NO_ACTIONS

    def closed(self, at_ns: int) -> Sequence[Action]:
        """Learn that the connection ended."""
        self._link.close(at_ns)
        return NO_ACTIONS

    def listed(self, rows: Sequence[ListedRow], at_ns: int) -> Sequence[Action]:
        """Learn which rows are its own now, and which of them may not be traded."""
        self._symbols.update((one.instrument.wire_name, symbol_of(one.instrument)) for one in rows)
        return self._renewals.ask(self._link.listed(rows, at_ns), at_ns)

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Subscribe anew to what is stalled, audit, give up a connection that brings nothing."""
        return self._renewals.tick(at_ns, self._refusals.tick, self._audits.tick)

    def _change(self, row: Row, book: BookData, at_ns: int) -> Sequence[Action]:
        bids, asks = _pairs(book.bids), _pairs(book.asks)
        outcome = self._sink.apply(row.book, _FORM, bids, asks, at_ns)
        if outcome is not _OK:
            return self._renewals.invalidate(row, FAULT_OF[outcome], at_ns)
        self._cut(row, book, at_ns)
        if not self._is_true(row, book):
            return self._renewals.invalidate(row, Fault.AUDIT_DIVERGED, at_ns)
        if row.log is not None:
            row.log.append((at_ns, 0, bids, asks))
        sent_at = book.timestamp
        if sent_at is not None and sent_at.tzinfo is not None and _EPOCH < sent_at < _LAST:
            self.behind[0] = at_ns - (sent_at - _EPOCH) // _US * NS_PER_US
        return NO_ACTIONS

    def _rare_book(
        self, row: Row | None, kind: str, book: BookData, at_ns: int
    ) -> Sequence[Action]:
        if row is None:
            return self._link.unplaced(book.symbol, at_ns)
        if not self._link.is_open or row.shut or kind == "update":
            return NO_ACTIONS  # an update of a row that still waits for its snapshot
        fault = self._replaced(row, book, at_ns) if kind == "snapshot" else Fault.BAD_SHAPE
        if fault is not None:
            return self._renewals.invalidate(row, fault, at_ns)
        self._link.made_live(row, 0)
        return NO_ACTIONS

    def _replaced(self, row: Row, book: BookData, at_ns: int) -> Fault | None:
        outcome = self._sink.replace(row.book, _FORM, _pairs(book.bids), _pairs(book.asks), at_ns)
        if outcome is not _OK:
            return FAULT_OF[outcome]
        self._kept[row.book] = (
            KeptPrices(BID, row.instrument, DEPTH),
            KeptPrices(ASK, row.instrument, DEPTH),
        )
        self._cut(row, book, at_ns)
        return None if self._is_true(row, book) else Fault.AUDIT_DIVERGED

    def _cut(self, row: Row, book: BookData, at_ns: int) -> None:
        """Take out of the row what is no longer told of it."""
        bids, asks = self._kept[row.book]
        gone = bids.take(_texts(book.bids)), asks.take(_texts(book.asks))
        if any(gone):
            raw_bids, raw_asks = (
                msgspec.json.encode([(price, "0") for price in prices]) for prices in gone
            )
            self._sink.apply(row.book, _FORM, raw_bids, raw_asks, at_ns)

    def _is_true(self, row: Row, book: BookData) -> bool:
        return checksum_of(*self._sink.top_levels(row.book, CHECKED_LEVELS)) == book.checksum

    def _control(self, frame: Frame, at_ns: int) -> Sequence[Action]:
        if frame.error or frame.success is False:
            row = self._rows.get(frame.symbol)
            wire = frame.symbol if row is None else row.wire
            return self._refusals.take(f"{frame.error or 'no reason given'} {wire}".strip(), at_ns)
        if frame.channel in _KNOWN or (not frame.channel and frame.method):
            return NO_ACTIONS
        return self._link.fail(Fault.BAD_SHAPE, f"channel {frame.channel[:40]!r}", at_ns)

    def _resubscribed(self, rows: Sequence[Row]) -> tuple[Send, ...]:
        return self._subscription("unsubscribe", rows), self._subscription("subscribe", rows)

    def _subscription(self, method: str, rows: Sequence[Row]) -> Send:
        params: dict[str, object] = {
            "channel": "book",
            "symbol": [self._symbol(row.wire) for row in rows],
            "depth": DEPTH,
        }
        if method == "subscribe":
            params["snapshot"] = True
        return Send(msgspec.json.encode({"method": method, "params": params}).decode())

    def _symbol(self, wire: str) -> str:
        return self._symbols.get(wire, wire)


def _pairs(levels: Sequence[Level]) -> bytes:
    """Write levels as the board takes them, their numbers as they stood in the frame."""
    return b"[%b]" % b",".join([b"[%b,%b]" % (one.price, one.qty) for one in levels])


def _texts(levels: Sequence[Level]) -> list[tuple[str, str]]:
    return [
        (bytes(one.price).decode().strip('"'), bytes(one.qty).decode().strip('"')) for one in levels
    ]
