"""Reads the clock and hands a correction to the run, before anything else is taken by it."""

from collections.abc import Callable
from typing import Final

from engine.domain.corrections import Correction
from engine.operate.clock import SteadyClock

LATE_NS: Final = 1_000_000_000
"""Unread for so long the process stood still; what has waited since must wait for a reading."""


class ClockWatch:
    """Watches the clock of a run.

    Attributes:
        late_at_ns: from this instant on nothing is taken before the clock is read.

    Args:
        correct: takes a correction and the time, which has it already.
    """

    def __init__(self, clock: SteadyClock, correct: Callable[[Correction, int], object]) -> None:
        self._clock = clock
        self._correct = correct
        self.late_at_ns = clock.now_ns() + LATE_NS

    def read(self) -> int:
        """Read the clock, as on each tick, and return the time."""
        correction = self._clock.take_correction()
        at_ns = self._clock.now_ns()
        self.late_at_ns = at_ns + LATE_NS
        if correction is not None:
            self._correct(correction, at_ns)
        return at_ns
