"""The clock of a role: wall time that never runs backwards."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the time since 1970 in ns."""


def make_clock() -> Clock:
    """Make a clock that starts at the wall time and then follows the monotonic clock.

    A step of the host's wall clock therefore changes no age and no deadline.
    """
    offset_ns = time.time_ns() - time.monotonic_ns()
    monotonic_ns = time.monotonic_ns

    def now_ns() -> int:
        return offset_ns + monotonic_ns()

    return now_ns


def make_run_id(at_ns: int) -> str:
    """Return a short name of a run that sorts by time, such as ``t0ab3x``."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    number, text = at_ns // 1_000_000_000, ""
    while number:
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return text
