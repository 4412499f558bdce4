"""How many orders in a row a venue refused or never had: what is wrong is left alone a while.

Orders that were not filled as the market had moved are no failures, and say nothing.
"""

from collections.abc import Mapping
from typing import Final

from engine.domain.instruments import VenueId
from engine.domain.orders import Execution, Order, OrderState
from engine.domain.units import NS_PER_S

REST_S: Final = 600
"""So long after the last of too many failures nothing is sent there; then one more plan may go."""


class VenueFailures:
    """Failures in a row by venue, of orders that were really placed.

    Args:
        before: how many there were in earlier runs, and when the last was.
    """

    def __init__(self, before: Mapping[VenueId, tuple[int, int]] | None = None) -> None:
        before = before or {}
        self._in_a_row = {venue: count for venue, (count, _) in before.items()}
        self._last_at_ns = {venue: last_at_ns for venue, (_, last_at_ns) in before.items()}

    def add(self, execution: Execution) -> None:
        """Count what became of the orders of a plan, or is told of them after its end."""
        for order in execution.orders:
            venue = order.instrument.venue
            if order.filled_base > 0:
                self._in_a_row.pop(venue, None)
            elif has_failed(order):
                self._in_a_row[venue] = self.in_a_row(venue) + 1
                self._last_at_ns[venue] = execution.closed_at_ns

    def in_a_row(self, venue: VenueId) -> int:
        """Return how many failed since the last one that was filled."""
        return self._in_a_row.get(venue, 0)

    @property
    def worst(self) -> tuple[int, VenueId] | None:
        """The most failures in a row, and where; None if there are none."""
        counted = [(count, venue) for venue, count in self._in_a_row.items()]
        return max(counted, default=None)

    def rests_for_s(self, venue: VenueId, at_ns: int) -> int:
        """Return how many seconds after its last failure a venue still rests."""
        since_ns = at_ns - self._last_at_ns.get(venue, at_ns - REST_S * NS_PER_S)
        return max(0, REST_S - since_ns // NS_PER_S)

    def resting(self, at_ns: int, *, most: int) -> list[VenueId]:
        """Return the venues that rest now, as so many failed in a row."""
        return [
            venue
            for venue, count in self._in_a_row.items()
            if count >= most and self.rests_for_s(venue, at_ns)
        ]

    def step_clock(self, step_ns: int) -> None:
        """Keep failures as long ago as they are, whatever the clock was set by."""
        self._last_at_ns = {venue: at + step_ns for venue, at in self._last_at_ns.items()}


def has_failed(order: Order) -> bool:
    """Say whether an order was refused, or never was: by a word of whoever places orders."""
    return bool(order.version) and order.state is OrderState.REJECTED
