"""Orders sent within the last minute, counted exactly.

A token bucket of N orders a minute lets 2 N through in one minute after a rest; a list of the
last minute's orders does not.
"""

from collections import deque

MINUTE_NS = 60 * 1_000_000_000


class OrderRate:
    """Instants of the orders of the last minute; as long as the rate limit that guards it."""

    def __init__(self) -> None:
        self._sent_at_ns: deque[int] = deque()

    def add(self, count: int, at_ns: int) -> None:
        """Count orders that are sent now."""
        self._sent_at_ns.extend([at_ns] * count)

    def last_minute(self, at_ns: int) -> int:
        """Return the number of orders sent within the minute up to `at_ns`.

        Orders from after `at_ns`, as after a step back of the clock, count too.
        """
        while self._sent_at_ns and self._sent_at_ns[0] <= at_ns - MINUTE_NS:
            self._sent_at_ns.popleft()
        return len(self._sent_at_ns)
