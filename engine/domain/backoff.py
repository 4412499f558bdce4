"""Waits that double from one failure to the next, up to a longest one."""

from email.utils import parsedate_to_datetime
from typing import TypeVar

from engine.domain.recovery import Policy, Recovery

_DOUBLINGS_MAX = 62
"""More would leave a float's range after hours of failures, and no longest wait is so long."""

Wait = TypeVar("Wait", int, float)


def wait_after(failures: int, *, first: Wait, longest: Wait) -> Wait:
    """Return how long to wait after so many failures in a row; none counts as one."""
    return min(first * (1 << min(max(failures - 1, 0), _DOUBLINGS_MAX)), longest)


class Backoff:
    """The waits of one caller, in seconds.

    Args:
        policy: by which it recovers, which is counted; None where a wait follows no failure.
        of: the component that it is about, see `recovery.Recovery`.
    """

    def __init__(
        self, policy: Policy | None, *, first_s: float, longest_s: float, of: str = ""
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0
        self._recovery = None if policy is None else Recovery(policy, of=of)

    def next_s(self) -> float:
        """Count a failure; return how long to wait after it."""
        self.failed()
        return wait_after(self._failures, first=self._first_s, longest=self._longest_s)

    def failed(self) -> None:
        """Count a failure after which the wait is another's."""
        self._failures += 1
        if self._recovery is not None:
            self._recovery.failed()

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._failures = 0
        if self._recovery is not None:
            self._recovery.works()

    def give_up(self) -> None:
        """Count that it is not tried any further."""
        self._failures = 0
        if self._recovery is not None:
            self._recovery.gave_up()


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
