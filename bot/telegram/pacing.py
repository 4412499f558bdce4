"""A token bucket: a steady pace with a small burst."""

from collections.abc import Callable
from typing import Final

LEAST_S: Final = 1e-6
"""What is left of sums of parts of seconds is no wait."""


class Pace:
    """Says how long to wait before the next message.

    Args:
        per_s: messages a second in the long run.
        burst: messages that may go at once after a quiet time.
        now_s: a clock that only goes forward.
    """

    def __init__(self, *, per_s: float, burst: int, now_s: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._now_s = now_s
        self._left = float(burst)
        self._counted_at_s = now_s()

    def wait_s(self, *, reserve: float = 0.0) -> float:
        """Return the seconds until the next message may go.

        What nobody waits for leaves a `reserve` of the burst, half of it at most, to what somebody
        does.
        """
        self._count()
        needed = 1.0 + min(reserve, (self._burst - 1.0) / 2)
        wait_s = (needed - self._left) / self._per_s
        return wait_s if wait_s > LEAST_S else 0.0

    def take(self) -> None:
        """Count a message; an urgent one may overdraw, by one burst at most."""
        self._count()
        self._left = max(self._left - 1.0, -self._burst)

    def _count(self) -> None:
        now_s = self._now_s()
        self._left = min(self._burst, self._left + (now_s - self._counted_at_s) * self._per_s)
        self._counted_at_s = now_s
