"""The clock of a role: wall time that steps only when it is corrected.

Between two corrections it follows the time that passed since the start, which nobody can set. So
an age is an age, whatever becomes of the wall clock, and a step is an event that a role takes at
a time of its choosing.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from engine.domain.corrections import Correction

log = logging.getLogger(__name__)

Clock = Callable[[], int]
"""Returns the time since 1970 in ns."""

DIVERGENCE_NS: Final = 1_000_000_000
"""The wall clock may be away from ours by this much; time adjustment and leap seconds make less."""

READ_NS_MAX: Final = 50_000_000
"""A look at several clocks that took longer says nothing: the process was held up in between."""


_BOOTTIME: Final = getattr(time, "CLOCK_BOOTTIME", None)
ELAPSED_NS: Final[Clock] = (
    time.monotonic_ns if _BOOTTIME is None else partial(time.clock_gettime_ns, _BOOTTIME)
)
"""The time since some instant, with that asleep where the system counts it (Linux does)."""


class SteadyClock:
    """A clock whose owner takes its corrections.

    Attributes:
        now_ns: returns the time; made of as little as possible, because every frame asks it.

    Args:
        wall_ns: time since 1970, which may be set at any time.
        elapsed_ns: time since some instant, sleep included.
        awake_ns: the same without sleep.
    """

    def __init__(
        self,
        *,
        wall_ns: Clock = time.time_ns,
        elapsed_ns: Clock = ELAPSED_NS,
        awake_ns: Clock = time.monotonic_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._elapsed_ns = elapsed_ns
        self._awake_ns = awake_ns
        while (looked := self._look()) is None:
            pass
        offset_ns, self._asleep_ns = looked
        self._offset_ns = offset = [offset_ns]

        def now_ns() -> int:
            return offset[0] + elapsed_ns()

        self.now_ns: Clock = now_ns

    def take_correction(self) -> Correction | None:
        """Set the clock right if it has diverged or the machine has slept; return by how much."""
        looked = self._look()
        if looked is None:
            return None
        offset_ns, asleep_ns = looked
        found = Correction(
            step_ns=offset_ns - self._offset_ns[0], asleep_ns=asleep_ns - self._asleep_ns
        )
        if max(abs(found.step_ns), found.asleep_ns) <= DIVERGENCE_NS:
            return None
        self._offset_ns[0], self._asleep_ns = looked
        return found

    def _look(self) -> tuple[int, int] | None:
        """Return what to add to the elapsed time, and the sleep in it; None if held up."""
        began_ns = self._elapsed_ns()
        wall_ns, awake_ns = self._wall_ns(), self._awake_ns()
        ended_ns = self._elapsed_ns()
        if ended_ns - began_ns > READ_NS_MAX:
            return None
        return wall_ns - ended_ns, ended_ns - awake_ns


def make_clock(clock: SteadyClock | None = None) -> Clock:
    """Make the clock of a role that holds no ages: it is corrected whenever it is read."""
    steady = clock or SteadyClock()

    def now_ns() -> int:
        if (correction := steady.take_correction()) is not None:
            log.warning("the clock was corrected: %s", correction)
        return steady.now_ns()

    return now_ns
