"""Binance: differential depth with update ids, started by a REST snapshot.

One class for spot and for USD-M perpetuals: their frames differ in how an event names the one
before it (`U - 1` or `pu`), and their snapshots in the path.
"""

from collections.abc import Sequence

import msgspec

from engine.connectors.link import FAULT_OF, UNREADABLE, Link, Row
from engine.connectors.rest_book import RestBook
from engine.connectors.venues.binance.instruments import VENUE
from engine.connectors.venues.binance.messages import Frame, Snapshot, Update
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument, Kind
from engine.domain.units import NS_PER_MS
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
_NOT_PLAIN = Applied.NOT_PLAIN
_FORM = LevelForm.PAIRS

_BIDS = b',"b":['
_CLOSED = b"}}"
_END = b"]" + _CLOSED
"""What a depth event has before its levels, and behind them."""

_IDS_AHEAD_MAX = 10_000_000
"""Ids of the busiest symbol in minutes; a snapshot cannot be that far ahead of the stream."""

_DEPTH_PATH = {
    Kind.SPOT: "/api/v3/depth?symbol={}&limit=5000",
    Kind.PERPETUAL: "/fapi/v1/depth?symbol={}&limit=1000",
}


class BinanceFeed:
    """Obeys `ports.Feed`. A gap costs the row, which is then built again from a new snapshot."""

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
        self._apply_plain = sink.apply_plain
        self._count = sink.count
        self._decode = msgspec.json.Decoder(Frame).decode
        self._book = RestBook(
            self._link,
            path_of=_path_of,
            decode=msgspec.json.Decoder(Snapshot).decode,
            is_chained=True,
            ahead_max=_IDS_AHEAD_MAX,
        )
        self._bytes_max = limits.frame_bytes_max
        self._request = 0

    def opened(self, at_ns: int) -> Sequence[Action]:
        """Start afresh on a new connection; snapshots are fetched once their streams flow."""
        self._link.open(at_ns)
        wanted = self._link.wanted()
        return (self._subscription("SUBSCRIBE", wanted),) if wanted else NO_ACTIONS

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take one frame."""
        if len(payload) > self._bytes_max:
            return self._link.fail(Fault.OVERSIZE, f"frame of {len(payload)} bytes", at_ns)
        start = payload.find(_BIDS)
        if start > 0 and payload.endswith(_END):
            actions = self._plain_update(payload, start, at_ns)
            if actions is not None:
                return actions
        try:
            frame = self._decode(payload)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        update = frame.data
        if update is None:
            return self._control(frame, at_ns)
        return self._update(self._rows.get(update.s), update, at_ns)

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take a depth snapshot and replay what was buffered since before it."""
        return self._book.fetched(key, payload, at_ns)

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:  # noqa: ARG002
        """Learn that a snapshot cannot be had now."""
        return self._book.fetch_failed(key, at_ns)

    def closed(self, at_ns: int) -> Sequence[Action]:
        """Learn that the connection ended."""
        self._link.close(at_ns)
        return NO_ACTIONS

    def listed(self, rows: Sequence[ListedRow], at_ns: int) -> Sequence[Action]:
        """Learn which rows are its own now, and which of them may not be traded."""
        opened = self._link.listed(rows, at_ns)
        return self._asked_anew(opened, at_ns) if self._link.is_open else NO_ACTIONS

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Fetch snapshots again, subscribe anew to what is stalled, give up a dead connection."""
        link = self._link
        if not link.is_check_due(at_ns):
            return NO_ACTIONS
        due = link.overdue(at_ns)
        if (why := link.dead_reason(at_ns)) is not None:
            return link.fail(Fault.STALLED, why, at_ns)
        silent = [row for row in due if not row.buffer]
        fetches = tuple(self._book.fetch(row, at_ns) for row in due if row.buffer)
        return (*self._asked_anew(silent, at_ns), *fetches)

    def _asked_anew(self, rows: Sequence[Row], at_ns: int) -> Sequence[Action]:
        if not rows:
            return NO_ACTIONS
        for row in rows:
            self._link.asked(row, at_ns)
        return (self._subscription("UNSUBSCRIBE", rows), self._subscription("SUBSCRIBE", rows))

    def _plain_update(self, payload: bytes, start: int, at_ns: int) -> Sequence[Action] | None:
        """Take the next event of a live spot row; None, with nothing changed, for any other frame.

        A long event is mostly levels. Here only what is before them is decoded: the kernel takes
        the levels themselves, and only if they can be nothing else.
        """
        try:
            update = self._decode(payload[:start] + _CLOSED).data
        except UNREADABLE:
            return None
        row = None if update is None else self._rows.get(update.s)
        if update is None or row is None or not _is_next(row, update):
            return None
        if update.sent_at_ms > 0:
            self.behind[0] = at_ns - update.sent_at_ms * NS_PER_MS
        span = (start + len(_BIDS) - 1, len(payload) - len(_CLOSED))
        outcome = self._apply_plain(row.book, payload, span, at_ns)
        if outcome is _OK:
            row.last_id = update.last_id
            return NO_ACTIONS
        if outcome is _NOT_PLAIN:
            return None
        return self._book.invalidate(row, FAULT_OF[outcome], at_ns)

    def _update(self, row: Row | None, update: Update, at_ns: int) -> Sequence[Action]:
        if update.e != "depthUpdate":
            return self._other_event(update, at_ns)
        if row is None:
            return self._link.unplaced(update.s, at_ns)
        if not self._link.is_open or row.shut:
            return NO_ACTIONS
        is_perpetual = row.instrument.kind is Kind.PERPETUAL
        has_ids = (update.pu >= 0) == is_perpetual and 0 <= update.first_id <= update.last_id
        if not has_ids or not update.b or not update.a:
            return self._book.invalidate(row, Fault.BAD_SHAPE, at_ns)
        before_id = update.pu if is_perpetual else update.first_id - 1
        if row.is_live and before_id > row.last_id:
            self._book.invalidate(row, Fault.GAP, at_ns)
        if not row.is_live:
            delta = (before_id, update.last_id, update.b, update.a)
            return self._book.keep(row, delta, at_ns)
        return self._overlapping(row, update, at_ns)

    def _overlapping(self, row: Row, update: Update, at_ns: int) -> Sequence[Action]:
        """Take an event that begins at or before the last change of a live row."""
        if update.sent_at_ms > 0:
            self.behind[0] = at_ns - update.sent_at_ms * NS_PER_MS
        if update.last_id <= row.floor_id:
            return NO_ACTIONS  # part of the snapshot
        if update.last_id == row.last_id:
            self._count(VENUE, Fault.DUPLICATE)
            return NO_ACTIONS
        if update.last_id < row.last_id:
            return self._book.invalidate(row, Fault.REORDERED, at_ns)
        outcome = self._apply(row.book, _FORM, update.b, update.a, at_ns)
        if outcome is not _OK:
            return self._book.invalidate(row, FAULT_OF[outcome], at_ns)
        row.last_id = update.last_id
        return NO_ACTIONS

    def _other_event(self, update: Update, at_ns: int) -> Sequence[Action]:
        if update.e == "serverShutdown":
            return self._link.fail(Fault.DISCONNECTED, "the server is shutting down", at_ns)
        return self._link.fail(Fault.BAD_SHAPE, f"event {update.e[:40]!r}", at_ns)

    def _control(self, frame: Frame, at_ns: int) -> Sequence[Action]:
        if frame.error or frame.code is not None:
            why = bytes(frame.error)[:200].decode(errors="replace")
            return self._link.fail(Fault.VENUE_ERROR, f"{why} {frame.code or ''}", at_ns)
        if frame.stream or frame.id is None:
            return self._link.fail(Fault.BAD_SHAPE, "frame without data", at_ns)
        return NO_ACTIONS

    def _subscription(self, method: str, rows: Sequence[Row]) -> Send:
        self._request += 1
        streams = [f"{row.wire.lower()}@depth@100ms" for row in rows]
        message = {"method": method, "params": streams, "id": self._request}
        return Send(msgspec.json.encode(message).decode())


def _is_next(row: Row, update: Update) -> bool:
    """Say whether an event is the next one of a live spot row."""
    return (
        row.is_live
        and update.first_id == row.last_id + 1
        and update.last_id >= update.first_id
        and update.pu < 0
        and update.e == "depthUpdate"
    )


def _path_of(row: Row) -> str:
    return _DEPTH_PATH[row.instrument.kind].format(row.wire)
