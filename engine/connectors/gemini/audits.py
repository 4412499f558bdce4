"""The cross-audit of Gemini's v2 feed, whose frames and REST book carry neither id nor time.

A fetched book may be newer than the row, or some seconds older. So a place that changed since
`LAG_NS` before the book was asked for is excused: sizes are absolute, and what was lost there is
mended by that change. Of the others only a place that differs twice running is a lost change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from engine.connectors.audit import (
    ASK,
    BID,
    COMPARED_LEVELS,
    Place,
    best_of,
    decode_levels,
    differences,
    parse_levels,
)
from engine.connectors.audit_queue import AuditQueue
from engine.connectors.gemini.messages import Book
from engine.connectors.link import UNREADABLE, Delta, Link, Row
from engine.connectors.steps import parse_steps
from engine.domain.faults import Fault
from engine.ports import Action, Fetch

KEY = "audit:"

LAG_NS: Final = 5_000_000_000
"""A fetched book is no older than this; Gemini's documents do not say."""


@dataclass(slots=True)
class _Audit:
    """What is known of a live row; its log goes back to `logged_from_ns`, or as far as needed."""

    logged_from_ns: int
    asked_at_ns: int = 0
    is_fetching: bool = False
    suspects: frozenset[Place] = frozenset()


class GeminiAudits:
    """The audits of one link's rows."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._queue = AuditQueue(link)
        self._log_max = link.limits.buffered_frames_max
        self._rows = {row.wire: row for row in link.rows}
        self._audits: dict[str, _Audit] = {}
        self._decode = msgspec.json.Decoder(Book).decode

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Keep the logs of live rows, and fetch for the row whose turn it is."""
        ready = [row for row in self._link.rows if self._is_ready(row, at_ns)]
        row = self._queue.take(ready, at_ns)
        if row is None:
            return ()
        audit = self._audits[row.wire]
        audit.is_fetching = True
        audit.asked_at_ns = at_ns
        return (Fetch(key=f"{KEY}{row.wire}", path=_path_of(row)),)

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Row | None:
        """Compare the fetched book; return the row if it has been made stale."""
        row, audit = self._asking(key)
        if row is None or audit is None:
            return None
        audit.is_fetching = False
        if not row.is_live or row.log is None:
            self._forget(row)
            return None
        try:
            book = self._decode(payload)
        except UNREADABLE:
            self._failed(row, Fault.BAD_SHAPE, at_ns)
            return None
        found = self._differences(row, book)
        if found is None:
            self._failed(row, Fault.BAD_NUMBER, at_ns)
            return None
        found -= _touched(row.log, row, audit.asked_at_ns - LAG_NS)
        if found & audit.suspects:
            self._forget(row)
            self._link.drop(row, Fault.AUDIT_DIVERGED, at_ns)
            return row
        audit.suspects = frozenset(found)
        if found:
            self._queue.recheck(row, at_ns)
        else:
            self._queue.passed(row, audit.asked_at_ns, at_ns)
        return None

    def fetch_failed(self, key: str, at_ns: int) -> None:
        """Learn that the book cannot be had now; the audit tries again."""
        row, audit = self._asking(key)
        if row is not None and audit is not None:
            audit.is_fetching = False
            self._failed(row, Fault.FETCH_FAILED, at_ns)

    def _is_ready(self, row: Row, at_ns: int) -> bool:
        """Keep a row's log; say whether a book may be fetched and compared with it now."""
        audit = self._audits.get(row.wire)
        if not row.is_live or (audit is not None and row.log is None):
            self._forget(row)
            return False
        if audit is None:
            if at_ns + LAG_NS >= self._queue.due_at_ns(row, at_ns):
                row.log = []
                self._audits[row.wire] = _Audit(logged_from_ns=at_ns)
            return False
        if audit.is_fetching:
            return False
        log = row.log or []
        if len(log) > self._log_max:
            self._forget(row)
            return False
        old = next((i for i, delta in enumerate(log) if delta[0] >= at_ns - LAG_NS), len(log))
        del log[:old]
        return at_ns - audit.logged_from_ns >= LAG_NS

    def _asking(self, key: str) -> tuple[Row | None, _Audit | None]:
        wire = key.removeprefix(KEY)
        audit = self._audits.get(wire)
        return self._rows.get(wire), audit if audit is not None and audit.is_fetching else None

    def _failed(self, row: Row, fault: Fault, at_ns: int) -> None:
        self._link.sink.count(self._link.venue, fault)
        self._queue.recheck(row, at_ns)

    def _forget(self, row: Row) -> None:
        self._audits.pop(row.wire, None)
        self._queue.forget(row)
        row.log = None

    def _differences(self, row: Row, book: Book) -> set[Place] | None:
        found: set[Place] = set()
        live = self._link.sink.top_levels(row.book, COMPARED_LEVELS)
        for side, levels in ((BID, book.bids), (ASK, book.asks)):
            parsed = parse_levels([(lvl.price, lvl.amount) for lvl in levels], row.instrument)
            if parsed is None:
                return None
            expected = best_of(side, parsed, COMPARED_LEVELS)
            found |= differences(side, expected, live[side], is_cut=True)
        return found


def _touched(log: Sequence[Delta], row: Row, from_ns: int) -> set[Place]:
    decimals = row.instrument.price_decimals
    places: set[Place] = set()
    for at_ns, _, changes, _ in log:
        for side, price, _ in (decode_levels(changes, 3) or []) if at_ns >= from_ns else []:
            steps = parse_steps(str(price), decimals)
            if steps is not None:
                places.add((BID if side == "buy" else ASK, steps))
    return places


def _path_of(row: Row) -> str:
    return f"/v1/book/{row.wire}?limit_bids={COMPARED_LEVELS}&limit_asks={COMPARED_LEVELS}"
