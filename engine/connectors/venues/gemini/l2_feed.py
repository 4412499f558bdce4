"""Gemini's v2 feed: level 2 without ids or times, audited against the REST book."""

from collections.abc import Sequence

import msgspec

from engine.connectors.audits import Audits
from engine.connectors.link import FAULT_OF, UNREADABLE, Link, Row
from engine.connectors.refusals import Refusals
from engine.connectors.renewals import Renewals
from engine.connectors.venues.gemini.audits import gemini_auditor
from engine.connectors.venues.gemini.instruments import VENUE
from engine.connectors.venues.gemini.messages import L2Frame
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument
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
_FORM = LevelForm.SIDED
_WITHOUT_LEVELS = ("heartbeat", "trade", "block_trade", "auction_", "subscri", "unsubscri")
"""How types begin that hold no levels; a frame of any other is not understood."""


class GeminiL2Feed:
    """Obeys `ports.Feed`. A lost or reordered change cannot be seen; the audit finds it."""

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
            name_of=str.upper,
        )
        self.behind = self._link.behind
        self._rows = self._link.by_name
        self._apply = sink.apply
        self._replace = sink.replace
        self._count = sink.count
        self._decode = msgspec.json.Decoder(L2Frame).decode
        self._bytes_max = limits.frame_bytes_max
        self._audits = Audits(self._link, gemini_auditor(sink))
        self._refusals = Refusals(
            self._link, lambda rows: (_subscription("subscribe", rows),), is_batch=True
        )
        self._renewals = Renewals(self._link, _resubscribed)

    def opened(self, at_ns: int) -> Sequence[Action]:
        """Start afresh on a new connection."""
        self._link.open(at_ns)
        self._refusals.opened()
        wanted = self._link.wanted()
        return (_subscription("subscribe", wanted),) if wanted else NO_ACTIONS

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take one frame."""
        if len(payload) > self._bytes_max:
            return self._link.fail(Fault.OVERSIZE, f"frame of {len(payload)} bytes", at_ns)
        try:
            frame = self._decode(payload)
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        if frame.type != "l2_updates":
            return self._control(frame, at_ns)
        row = self._rows.get(frame.symbol)
        if row is not None and row.is_live and not frame.trades:
            outcome = self._apply(row.book, _FORM, frame.changes, b"", at_ns)
            if outcome is not _OK:
                return self._renewals.invalidate(row, FAULT_OF[outcome], at_ns)
            if row.log is not None:
                row.log.append((at_ns, 0, frame.changes, b""))
            return NO_ACTIONS
        return self._rare_frame(row, frame, at_ns)

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
        return self._renewals.ask(self._link.listed(rows, at_ns), at_ns)

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Subscribe anew to what is stalled, audit, give up a connection that brings nothing."""
        return self._renewals.tick(at_ns, self._refusals.tick, self._audits.tick)

    def _rare_frame(self, row: Row | None, frame: L2Frame, at_ns: int) -> Sequence[Action]:
        if row is None:
            return self._link.unplaced(frame.symbol, at_ns)
        if not self._link.is_open or row.shut:
            return NO_ACTIONS
        if not frame.changes:
            return self._renewals.invalidate(row, Fault.BAD_SHAPE, at_ns)
        if not frame.trades:
            return NO_ACTIONS  # a change of a row that still waits for its snapshot
        outcome = self._replace(row.book, _FORM, frame.changes, b"", at_ns)
        if outcome is not _OK:
            return self._renewals.invalidate(row, FAULT_OF[outcome], at_ns)
        self._link.made_live(row, 0)
        return NO_ACTIONS

    def _control(self, frame: L2Frame, at_ns: int) -> Sequence[Action]:
        if frame.result == "error":
            return self._refusals.take(f"{frame.reason} {frame.message}".strip(), at_ns)
        if frame.changes or not frame.type.startswith(_WITHOUT_LEVELS):
            return self._link.fail(Fault.BAD_SHAPE, f"frame of type {frame.type[:40]!r}", at_ns)
        if frame.type == "heartbeat" and frame.timestamp > 0:
            self.behind[0] = at_ns - frame.timestamp * NS_PER_MS
        return NO_ACTIONS


def _resubscribed(rows: Sequence[Row]) -> tuple[Send, ...]:
    return _subscription("unsubscribe", rows), _subscription("subscribe", rows)


def _subscription(verb: str, rows: Sequence[Row]) -> Send:
    symbols = [row.wire.upper() for row in rows]
    message = {"type": verb, "subscriptions": [{"name": "l2", "symbols": symbols}]}
    return Send(msgspec.json.encode(message).decode())
