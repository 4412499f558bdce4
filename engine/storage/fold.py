"""Trades added up one after another: drawdown, what stands out, a curve, and their sum again."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from engine.domain.exact import exact_sum
from engine.domain.performance import TradeMark
from engine.storage.route_names import route_of
from engine.storage.totals import POINTS_MAX, realised_usd

Point = tuple[int, int, Decimal, Decimal]
"""Number of a trade, when it closed, what all came to then, and how far that is below the peak."""


class Fold:
    """Trades added up one after another, oldest first."""

    def __init__(self) -> None:
        self.realised = self.drawdown = self._peak = Decimal(0)
        self.count = 0
        self.best: TradeMark | None = None
        self.worst: TradeMark | None = None
        self._points: list[Point] = []
        self._deepest: Point | None = None
        self._last: Point | None = None

    def add(self, rows: Sequence[Row[Any]]) -> None:
        """Add a page."""
        for row in rows:
            realised = realised_usd(row)
            self.count += 1
            self.realised = exact_sum((self.realised, realised))
            self._peak = max(self._peak, self.realised)
            fall = exact_sum((self._peak, -self.realised))
            self._last = (self.count, row.closed_at_ns, self.realised, fall)
            if self._deepest is None or fall > self.drawdown:
                self._deepest = self._last
            self.drawdown = max(self.drawdown, fall)
            self._points.append(self._last)
            if self.best is None or realised > self.best.realised:
                self.best = _mark(row, realised)
            if self.worst is None or realised < self.worst.realised:
                self.worst = _mark(row, realised)

        while len(self._points) > 2 * POINTS_MAX:
            del self._points[::2]

    def thinned(self) -> list[tuple[int, Decimal, Decimal]]:
        """Return about as many points as a chart shows, the last and the deepest among them."""
        step = -(-len(self._points) // POINTS_MAX) or 1
        kept = {*self._points[::-1][::step]}
        kept |= {point for point in (self._deepest, self._last) if point is not None}
        return [point[1:] for point in sorted(kept)]


def _mark(row: Row[Any], realised: Decimal) -> TradeMark:
    return TradeMark(opportunity_id=row.opportunity_id, route=route_of(row), realised=realised)
