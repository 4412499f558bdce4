"""Bitstamp's cross-audit: a book fetched over REST, plus newer changes, must be the live row.

Both sides carry the venue's time, so the comparison is exact: it is made once the stream has passed
the time of the fetched book, or has been quiet for a while since. A fetched book may be some
seconds old; the changes of the last `LOG_US` are kept for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
from engine.connectors.audit_queue import AuditQueue
from engine.connectors.bitstamp.messages import Snapshot
from engine.connectors.link import UNREADABLE, Link, Row
from engine.domain.faults import Fault
from engine.ports import Action, Fetch

KEY = "audit:"

FETCHED_LEVELS = 200
"""Levels read per side of a fetched book: enough to lose many and still know the best ones."""

LOG_US: Final = 30_000_000
LOG_AHEAD_NS: Final = 5_000_000_000
"""How far a live row's log goes back, and how long before its first audit it begins."""

QUIET_NS: Final = 2_000_000_000
"""After this long without a change, none that belongs before the fetched book is under way."""


@dataclass(slots=True)
class _Audit:
    """What is known of a live row; its log holds every change after `after_us`."""

    after_us: int
    asked_at_ns: int = 0
    is_fetching: bool = False
    fetched_at_ns: int = 0
    stamp_us: int = -1
    sides: Sides = ({}, {})


class BitstampAudits:
    """The audits of one link's rows; a row that differs is made stale."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._queue = AuditQueue(link)
        self._log_max = link.limits.buffered_frames_max
        self._rows = {row.wire: row for row in link.rows}
        self._audits: dict[str, _Audit] = {}
        self._decode = msgspec.json.Decoder(Snapshot, strict=False).decode

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Keep the logs of live rows, conclude audits, and fetch for the row whose turn it is."""
        ready = [row for row in self._link.rows if self._is_ready(row, at_ns)]
        row = self._queue.take(ready, at_ns)
        if row is None:
            return ()
        audit = self._audits[row.wire]
        audit.is_fetching = True
        audit.asked_at_ns = at_ns
        return (Fetch(key=f"{KEY}{row.wire}", path=path_of(row)),)

    def fetched(self, key: str, payload: bytes, at_ns: int) -> None:
        """Take the fetched book; one older than the log is of no use and is fetched again."""
        row, audit = self._asking(key)
        if row is None or audit is None or row.log is None:
            return
        audit.is_fetching = False
        try:
            snapshot = self._decode(payload)
        except UNREADABLE:
            self._failed(row, Fault.BAD_SHAPE, at_ns)
            return
        bids = parse_pairs(snapshot.bids, row.instrument, FETCHED_LEVELS)
        asks = parse_pairs(snapshot.asks, row.instrument, FETCHED_LEVELS)
        if bids is None or asks is None:
            self._failed(row, Fault.BAD_NUMBER, at_ns)
        elif snapshot.last_id < audit.after_us:
            self._failed(row, Fault.SNAPSHOT_TOO_OLD, at_ns)
        else:
            audit.stamp_us, audit.sides, audit.fetched_at_ns = snapshot.last_id, (bids, asks), at_ns

    def fetch_failed(self, key: str, at_ns: int) -> None:
        """Learn that the book cannot be had now; the audit tries again."""
        row, audit = self._asking(key)
        if row is not None and audit is not None:
            audit.is_fetching = False
            self._failed(row, Fault.FETCH_FAILED, at_ns)

    def _is_ready(self, row: Row, at_ns: int) -> bool:
        """Keep a row's log; say whether a book may be fetched for it now."""
        audit = self._audits.get(row.wire)
        log = row.log
        is_lost = audit is not None and (log is None or len(log) > self._log_max)
        if not row.is_live or is_lost:
            self._forget(row)  # the row went stale meanwhile, or has changed too much
            return False
        if audit is None or log is None:
            if at_ns + LOG_AHEAD_NS >= self._queue.due_at_ns(row, at_ns):
                row.log = []
                self._audits[row.wire] = _Audit(after_us=row.last_id)
            return False
        if audit.stamp_us >= 0:
            if row.last_id >= audit.stamp_us or at_ns - audit.fetched_at_ns > QUIET_NS:
                self._conclude(row, audit, at_ns)
            return False
        if audit.is_fetching:
            return False
        oldest_us = row.last_id - LOG_US
        old = next((i for i, delta in enumerate(log) if delta[1] >= oldest_us), len(log))
        if old:
            audit.after_us = log[old - 1][1]
            del log[:old]
        return True

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

    def _conclude(self, row: Row, audit: _Audit, at_ns: int) -> None:
        for _, stamp_us, bids, asks in row.log or []:
            if stamp_us > audit.stamp_us:
                for side, raw in ((BID, bids), (ASK, asks)):
                    changes = parse_pairs(raw, row.instrument, len(raw)) if raw else {}
                    audit.sides[side].update(changes or {})
        live = self._link.sink.top_levels(row.book, COMPARED_LEVELS)
        for side in (BID, ASK):
            expected = best_of(side, audit.sides[side], COMPARED_LEVELS)
            if differences(side, expected, live[side], is_cut=True):
                self._forget(row)
                self._link.drop(row, Fault.AUDIT_DIVERGED, at_ns)
                return
        audit.stamp_us, audit.sides = -1, ({}, {})
        self._queue.passed(row, audit.asked_at_ns, at_ns)


def path_of(row: Row) -> str:
    """Return the REST path of a row's order book."""
    return f"/api/v2/order_book/{row.wire}/"
