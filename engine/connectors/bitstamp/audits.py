"""Bitstamp's cross-audit: a book fetched over REST, plus newer changes, must be the live row.

Both sides carry the venue's time, so the comparison is exact: it is made once the stream has passed
the time of the fetched book, or has been quiet for a while since.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.connectors.audit import (
    ASK,
    BID,
    COMPARED_LEVELS,
    Sides,
    best_of,
    differences,
    parse_pairs,
)
from engine.connectors.bitstamp.messages import Snapshot
from engine.connectors.link import RETRY_NS, UNREADABLE, Link, Row
from engine.domain.faults import Fault
from engine.ports import Action, Fetch

KEY = "audit:"

FETCHED_LEVELS = 200
"""Levels read per side of a fetched book: enough to lose many and still know the best ones."""

QUIET_NS = 2_000_000_000
"""After this long without a change, none that belongs before the fetched book is under way."""


@dataclass(slots=True)
class _Audit:
    fetch_at_ns: int
    is_fetching: bool = False
    fetched_at_ns: int = 0
    stamp_us: int = -1
    sides: Sides = ({}, {})


class BitstampAudits:
    """The audits of one link's rows; a row that differs is made stale."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._audit_ns = link.limits.audit_s * 1_000_000_000
        self._log_max = link.limits.buffered_frames_max
        self._rows = {row.wire: row for row in link.rows}
        self._due_at_ns: dict[str, int] = {}
        self._under_way: dict[str, _Audit] = {}
        self._decode = msgspec.json.Decoder(Snapshot, strict=False).decode

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Begin audits that are due, fetch for them, and conclude those that can be."""
        actions: list[Action] = []
        for row in self._link.rows:
            audit = self._under_way.get(row.wire)
            if audit is not None and (row.log is None or len(row.log) > self._log_max):
                self._forget(row, at_ns)  # the row went stale meanwhile, or has changed too much
                audit = None
            if not row.is_live:
                continue
            if audit is None:
                self._begin(row, at_ns)
            elif row.log and audit.stamp_us >= 0:
                is_quiet = at_ns - audit.fetched_at_ns > QUIET_NS
                if row.last_id >= audit.stamp_us or is_quiet:
                    self._conclude(row, audit, at_ns)
            elif row.log and not audit.is_fetching and at_ns >= audit.fetch_at_ns:
                audit.is_fetching = True
                actions.append(Fetch(key=f"{KEY}{row.wire}", path=path_of(row)))
        return actions

    def fetched(self, key: str, payload: bytes, at_ns: int) -> None:
        """Take the fetched book; one older than the log is of no use and is fetched again."""
        row, audit = self._asking(key)
        if row is None or audit is None or not row.log:
            return
        self._retry_later(audit, at_ns)
        try:
            snapshot = self._decode(payload)
        except UNREADABLE:
            self._link.sink.count(self._link.venue, Fault.BAD_SHAPE)
            return
        bids = parse_pairs(snapshot.bids, row.instrument, FETCHED_LEVELS)
        asks = parse_pairs(snapshot.asks, row.instrument, FETCHED_LEVELS)
        if bids is None or asks is None:
            self._link.sink.count(self._link.venue, Fault.BAD_NUMBER)
        elif snapshot.last_id < row.log[0][1]:
            self._link.sink.count(self._link.venue, Fault.SNAPSHOT_TOO_OLD)
        else:
            audit.stamp_us, audit.sides, audit.fetched_at_ns = snapshot.last_id, (bids, asks), at_ns

    def fetch_failed(self, key: str, at_ns: int) -> None:
        """Learn that the book cannot be had now; the audit tries again."""
        row, audit = self._asking(key)
        if row is not None and audit is not None:
            self._link.sink.count(self._link.venue, Fault.FETCH_FAILED)
            self._retry_later(audit, at_ns)

    def _asking(self, key: str) -> tuple[Row | None, _Audit | None]:
        wire = key.removeprefix(KEY)
        audit = self._under_way.get(wire)
        return self._rows.get(wire), audit if audit is not None and audit.is_fetching else None

    def _begin(self, row: Row, at_ns: int) -> None:
        due_at_ns = self._due_at_ns.setdefault(row.wire, at_ns + self._audit_ns)
        if not 0 < due_at_ns - at_ns <= self._audit_ns:
            row.log = []
            self._under_way[row.wire] = _Audit(fetch_at_ns=at_ns)

    def _retry_later(self, audit: _Audit, at_ns: int) -> None:
        audit.is_fetching = False
        audit.fetch_at_ns = at_ns + RETRY_NS

    def _forget(self, row: Row, at_ns: int) -> None:
        del self._under_way[row.wire]
        self._due_at_ns[row.wire] = at_ns + self._audit_ns
        row.log = None

    def _conclude(self, row: Row, audit: _Audit, at_ns: int) -> None:
        log = row.log or []
        self._forget(row, at_ns)
        for _, stamp_us, bids, asks in log:
            if stamp_us > audit.stamp_us:
                for side, raw in ((BID, bids), (ASK, asks)):
                    changes = parse_pairs(raw, row.instrument, len(raw)) if raw else {}
                    audit.sides[side].update(changes or {})
        live = self._link.sink.top_levels(row.book, COMPARED_LEVELS)
        for side in (BID, ASK):
            expected = best_of(side, audit.sides[side], COMPARED_LEVELS)
            if differences(side, expected, live[side], is_cut=True):
                self._link.drop(row, Fault.AUDIT_DIVERGED, at_ns)
                return


def path_of(row: Row) -> str:
    """Return the REST path of a row's order book."""
    return f"/api/v2/order_book/{row.wire}/"
