"""The cross-audit of Gemini's v2 feed, whose frames and REST book carry neither id nor time.

A fetched book may be a little older or newer than the row. So a place that changed while the book
was under way is excused, and only a place that differs in two audits running is a lost change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
from engine.connectors.gemini.messages import Book
from engine.connectors.link import RETRY_NS, UNREADABLE, Link, Row
from engine.connectors.steps import parse_steps
from engine.domain.faults import Fault
from engine.ports import Action, Fetch, RawJson

KEY = "audit:"


@dataclass(slots=True)
class _Audit:
    fetch_at_ns: int
    is_fetching: bool = False
    suspects: frozenset[Place] = frozenset()


class GeminiAudits:
    """The audits of one link's rows."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._audit_ns = link.limits.audit_s * 1_000_000_000
        self._log_max = link.limits.buffered_frames_max
        self._rows = {row.wire: row for row in link.rows}
        self._due_at_ns: dict[str, int] = {}
        self._under_way: dict[str, _Audit] = {}
        self._decode = msgspec.json.Decoder(Book).decode

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Begin audits that are due, and fetch for those under way."""
        actions: list[Action] = []
        for row in self._link.rows:
            audit = self._under_way.get(row.wire)
            is_lost = audit is not None and audit.is_fetching and row.log is None
            if is_lost or (row.log is not None and len(row.log) > self._log_max):
                self._forget(row, at_ns)  # the row went stale meanwhile, or has changed too much
                audit = None
            if not row.is_live:
                continue
            if audit is None:
                due_at_ns = self._due_at_ns.setdefault(row.wire, at_ns + self._audit_ns)
                if 0 < due_at_ns - at_ns <= self._audit_ns:
                    continue
                audit = self._under_way[row.wire] = _Audit(fetch_at_ns=at_ns)
            if not audit.is_fetching and not 0 < audit.fetch_at_ns - at_ns <= RETRY_NS:
                audit.is_fetching = True
                row.log = []
                actions.append(Fetch(key=f"{KEY}{row.wire}", path=_path_of(row)))
        return actions

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Row | None:
        """Compare the fetched book; return the row if it has been made stale."""
        row, audit = self._asking(key)
        if row is None or audit is None:
            return None
        log = row.log or []
        row.log = None
        audit.is_fetching = False
        audit.fetch_at_ns = at_ns + RETRY_NS
        if not row.is_live:
            return None
        try:
            book = self._decode(payload)
        except UNREADABLE:
            self._link.sink.count(self._link.venue, Fault.BAD_SHAPE)
            return None
        found = self._differences(row, book)
        if found is None:
            self._link.sink.count(self._link.venue, Fault.BAD_NUMBER)
            return None
        found -= _touched(log, row)
        if found & audit.suspects:
            self._forget(row, at_ns)
            self._link.drop(row, Fault.AUDIT_DIVERGED, at_ns)
            return row
        audit.suspects = frozenset(found)
        if not found:
            self._forget(row, at_ns)
        return None

    def fetch_failed(self, key: str, at_ns: int) -> None:
        """Learn that the book cannot be had now; the audit tries again."""
        row, audit = self._asking(key)
        if row is not None and audit is not None:
            self._link.sink.count(self._link.venue, Fault.FETCH_FAILED)
            row.log = None
            audit.is_fetching = False
            audit.fetch_at_ns = at_ns + RETRY_NS

    def _asking(self, key: str) -> tuple[Row | None, _Audit | None]:
        wire = key.removeprefix(KEY)
        audit = self._under_way.get(wire)
        return self._rows.get(wire), audit if audit is not None and audit.is_fetching else None

    def _forget(self, row: Row, at_ns: int) -> None:
        del self._under_way[row.wire]
        self._due_at_ns[row.wire] = at_ns + self._audit_ns
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


def _touched(log: Sequence[tuple[int, int, RawJson, RawJson]], row: Row) -> set[Place]:
    decimals = row.instrument.price_decimals
    places: set[Place] = set()
    for _, _, changes, _ in log:
        for side, price, _ in decode_levels(changes, 3) or []:
            steps = parse_steps(str(price), decimals)
            if steps is not None:
                places.add((BID if side == "buy" else ASK, steps))
    return places


def _path_of(row: Row) -> str:
    return f"/v1/book/{row.wire}?limit_bids={COMPARED_LEVELS}&limit_asks={COMPARED_LEVELS}"
