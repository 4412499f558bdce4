"""Bitstamp's cross-audit: a book fetched over REST, plus newer changes, must be the live row.

Both sides carry the venue's time, so the comparison is exact: it is made once the stream has passed
the time of the fetched book, or has been quiet for a while since. A fetched book may be some
seconds old; the changes of the last `LOG_US` are kept for that.
"""

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
from engine.connectors.audits import Audit, Verdict
from engine.connectors.link import Delta, Row
from engine.connectors.venues.bitstamp.messages import Snapshot
from engine.domain.faults import Fault
from engine.ports import BookSink

FETCHED_LEVELS = 200
"""Levels read per side of a fetched book: enough to lose many and still know the best ones."""

LOG_US: Final = 30_000_000
LOG_AHEAD_NS: Final = 5_000_000_000
"""How far a live row's log goes back, and how long before its first audit it begins."""

QUIET_NS: Final = 2_000_000_000
"""After this long without a change, none that belongs before the fetched book is under way."""


@dataclass(slots=True, kw_only=True)
class BitstampAudit(Audit):
    """A row whose log holds every change after `after_us`, and a book of time `stamp_us`."""

    after_us: int
    fetched_at_ns: int = 0
    stamp_us: int = -1
    sides: Sides = ({}, {})


class BitstampAuditor:
    """Obeys `audits.Auditor`."""

    ahead_ns = LOG_AHEAD_NS

    def __init__(self, sink: BookSink) -> None:
        self._sink = sink
        self._decode = msgspec.json.Decoder(Snapshot, strict=False).decode

    def path_of(self, row: Row) -> str:
        """Return the REST path of a row's book."""
        return path_of(row)

    def begin(self, row: Row, at_ns: int) -> BitstampAudit:  # noqa: ARG002 - the venue's time counts
        """Begin with a row."""
        return BitstampAudit(after_us=row.last_id)

    def review(self, row: Row, audit: BitstampAudit, log: list[Delta], at_ns: int) -> Verdict:
        """Conclude once the stream is past the fetched book; cut the log."""
        if audit.stamp_us >= 0:
            if row.last_id < audit.stamp_us and at_ns - audit.fetched_at_ns <= QUIET_NS:
                return Verdict.WAITING
            return self._conclude(row, audit, log)
        oldest_us = row.last_id - LOG_US
        old = next((i for i, delta in enumerate(log) if delta[1] >= oldest_us), len(log))
        if old:
            audit.after_us = log[old - 1][1]
            del log[:old]
        return Verdict.READY

    def compare(
        self,
        row: Row,
        audit: BitstampAudit,
        log: list[Delta],  # noqa: ARG002 - it is compared with later
        payload: bytes,
        at_ns: int,
    ) -> Verdict | Fault:
        """Take the fetched book; one older than the log is of no use and is fetched again."""
        snapshot = self._decode(payload)
        bids = parse_pairs(snapshot.bids, row.instrument, FETCHED_LEVELS)
        asks = parse_pairs(snapshot.asks, row.instrument, FETCHED_LEVELS)
        if bids is None or asks is None:
            return Fault.BAD_NUMBER
        if snapshot.last_id < audit.after_us:
            return Fault.SNAPSHOT_TOO_OLD
        audit.stamp_us, audit.sides, audit.fetched_at_ns = snapshot.last_id, (bids, asks), at_ns
        return Verdict.WAITING

    def _conclude(self, row: Row, audit: BitstampAudit, log: list[Delta]) -> Verdict:
        for _, stamp_us, bids, asks in log:
            if stamp_us > audit.stamp_us:
                for side, raw in ((BID, bids), (ASK, asks)):
                    changes = parse_pairs(raw, row.instrument, len(raw)) if raw else {}
                    audit.sides[side].update(changes or {})
        live = self._sink.top_levels(row.book, COMPARED_LEVELS)
        for side in (BID, ASK):
            expected = best_of(side, audit.sides[side], COMPARED_LEVELS)
            if differences(side, expected, live[side], is_cut=True):
                return Verdict.LOST
        audit.stamp_us, audit.sides = -1, ({}, {})
        return Verdict.PASSED


def path_of(row: Row) -> str:
    """Return the REST path of a row's order book."""
    return f"/api/v2/order_book/{row.wire}/"
