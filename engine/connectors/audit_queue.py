"""Whose turn it is to be audited: rows that decisions hang on first, then the longest unproven.

Audits go out at the venue's own pace less what else is asked (`FeedLimits.audits_per_s`). At Gemini
that pace is what a loss is found by: 120 public requests a minute, one book each (it has no request
for several), of which 108 are audits here. With 6 books, 2 of them in open routes, that is each of
the others every 7.8 s and these every 1.6 s. Bitstamp allows 16 a second, which is more than is
asked for: there `audit_s` rules, as a book is a hundred kilobytes and recorded.
"""

from collections.abc import Iterable
from typing import Final

from engine.connectors.link import CHECK_NS, Link, Row
from engine.domain.units import NS_PER_S

WANTED_WEIGHT: Final = 5
"""A row in an open route is audited this many times as often as others."""

RECHECK_NS: Final = NS_PER_S // 2
"""So long after it was asked for a row that seems to differ is asked for again, before all others:
as soon as other news may be in the answer."""

RETRY_NS: Final = NS_PER_S
"""After this time a row is asked for again whose book could not be had."""


class AuditQueue:
    """The order of one link's audits."""

    def __init__(self, link: Link) -> None:
        self._sink = link.sink
        self.every_ns = link.limits.audit_s * NS_PER_S
        self._pause_ns = int(NS_PER_S / link.limits.audits_per_s)
        self._next_at_ns = 0
        self._audited_at_ns: dict[int, int] = {}
        self._recheck_at_ns: dict[int, int] = {}

    def due_at_ns(self, row: Row, at_ns: int) -> int:
        """Return when a live row is due while no route needs it; its snapshot was its proof."""
        if row.book not in self._audited_at_ns:
            self._audited_at_ns[row.book] = at_ns
            self._sink.proven(row.book, row.live_from_ns)
        return self._audited_at_ns[row.book] + self.every_ns

    def take(self, rows: Iterable[Row], at_ns: int) -> Row | None:
        """Return the row whose turn it is, if one is due and the pace allows it."""
        if 0 < self._next_at_ns - at_ns <= self._pause_ns:
            return None
        urgent = max(rows, key=lambda row: self._urgency(row, at_ns), default=None)
        if urgent is None or self._urgency(urgent, at_ns) < self.every_ns:
            return None
        # Ticks are coarse; what one comes late by does not slow the pace.
        due_at_ns = min(max(self._next_at_ns, at_ns - CHECK_NS), at_ns)
        self._next_at_ns = due_at_ns + self._pause_ns
        self._recheck_at_ns.pop(urgent.book, None)
        return urgent

    def passed(self, row: Row, asked_at_ns: int, at_ns: int) -> None:
        """Begin the next interval of a row that equals the book that was asked for."""
        self._audited_at_ns[row.book] = at_ns
        self._sink.proven(row.book, asked_at_ns)

    def recheck(self, row: Row, due_at_ns: int) -> None:
        """Audit a row again at a time, before all others."""
        self._audited_at_ns[row.book] = due_at_ns
        self._recheck_at_ns[row.book] = due_at_ns

    def forget(self, row: Row) -> None:
        """Forget a row that is not live; its next snapshot is as good as an audit."""
        self._audited_at_ns.pop(row.book, None)
        self._recheck_at_ns.pop(row.book, None)

    def _urgency(self, row: Row, at_ns: int) -> int:
        recheck_at_ns = self._recheck_at_ns.get(row.book)
        if recheck_at_ns is not None:
            return self.every_ns * WANTED_WEIGHT**2 if at_ns >= recheck_at_ns else 0
        waited_ns = at_ns - self._audited_at_ns.get(row.book, at_ns)
        return waited_ns * WANTED_WEIGHT if self._sink.is_wanted(row.book) else waited_ns
