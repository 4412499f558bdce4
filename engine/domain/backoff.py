"""Waits that double from one failure to the next, up to a longest one."""

from email.utils import parsedate_to_datetime
from typing import TypeVar

_DOUBLINGS_MAX = 62
"""More would leave a float's range after hours of failures, and no longest wait is so long."""

Wait = TypeVar("Wait", int, float)


def wait_after(failures: int, *, first: Wait, longest: Wait) -> Wait:
    """Return how long to wait after so many failures in a row; none counts as one."""
    return min(first * (1 << min(max(failures - 1, 0), _DOUBLINGS_MAX)), longest)


class Backoff:
    """The waits of one caller, in seconds."""

    def __init__(self, *, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def next_s(self) -> float:
        """Count a failure; return how long to wait after it."""
        self._failures += 1
        return wait_after(self._failures, first=self._first_s, longest=self._longest_s)

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._failures = 0


def asked_wait_s(retry_after: str, *, at_s: float) -> float | None:
    """Return the wait that a Retry-After asks for, None if it does not say.

    Args:
        retry_after: seconds, or the date when there may be another attempt.
        at_s: the wall clock.
    """
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(retry_after).timestamp() - at_s
    except (ValueError, OverflowError):
        return None
