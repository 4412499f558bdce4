"""Orders sent within the last minute, counted exactly.

A token bucket of N orders a minute lets 2 N through in one minute after a rest; a list of the
last minute's orders does not.
"""

from collections import deque
from collections.abc import Iterable

from engine.domain.units import NS_PER_MINUTE


class OrderRate:
    """Instants of the orders of the last minute; as long as the rate limit that guards it.

    Args:
        sent_at_ns: of those of earlier runs, oldest first.
    """

    def __init__(self, sent_at_ns: Iterable[int] = ()) -> None:
        self._sent_at_ns: deque[int] = deque(sent_at_ns)

    def add(self, count: int, at_ns: int) -> None:
        """Count orders that are sent now, and forget those of more than a minute ago."""
        for _ in range(self._past(at_ns)):
            self._sent_at_ns.popleft()
        self._sent_at_ns.extend([at_ns] * count)

    def last_minute(self, at_ns: int) -> int:
        """Return the number of orders sent within the minute up to `at_ns`.

        Asking forgets none: a report may ask for an instant that the next input is still before.
        """
        return len(self._sent_at_ns) - self._past(at_ns)

    def step_clock(self, step_ns: int) -> None:
        """Keep the orders as long ago as they are, whatever the clock was set by."""
        self._sent_at_ns = deque(sent_at_ns + step_ns for sent_at_ns in self._sent_at_ns)

    def _past(self, at_ns: int) -> int:
        cutoff_ns = at_ns - NS_PER_MINUTE
        past = 0
        for sent_at_ns in self._sent_at_ns:
            if sent_at_ns > cutoff_ns:
                break
            past += 1
        return past
