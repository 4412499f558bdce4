"""How much of the processor time that was there for background work was used for something.

Allowed is what the cores had left (idle time and what background work took) while nothing more
urgent held it. Available is the part of that in which work was due: at most a core for each run
that is ordered and not over yet, or that waits for room. While a run waits for others, for what it
wants or for what it found to be stored, it could make no use of a core. Useful is what tasks' own
code took in runs that came to a good end; the rest was lost, and to what is told.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple


class Lost(StrEnum):
    """What processor time went to that was of no use."""

    STARTING = "starting"
    """The process from which runs are forked."""
    AROUND = "around"
    """Beginning of runs, reading what they are given, keeping their states, telling their ends;
    and attempts that were cut off, of runs that came to a good end after all."""
    FAILED = "failed"
    """Runs that ended badly."""
    WAITING = "waiting"
    """Cores that were free while runs were ordered, or waited for room: for a core to wake up, for
    the disk, for memory that others had."""


class Look(NamedTuple):
    """What was read at an instant; all of them but the first two add up from a beginning.

    Attributes:
        steady_s: the instant.
        waiting: runs that could be under way if there were room.
        open_s: time in which runs were ordered and not over yet, summed over runs.
        idle_s: idle time of all cores that background work may use.
        cpu_s: processor time of background work.
        starting_s, around_s, failed_s: the parts of that which were no use, see `Lost`.
        held_s: time in which background work was held.
    """

    steady_s: float
    waiting: int
    open_s: float
    idle_s: float
    cpu_s: float
    starting_s: float
    around_s: float
    failed_s: float
    held_s: float


TICK_S: Final = 0.01
"""The system counts idle time in steps of this."""

TICKS_MIN: Final = 10
"""Of less nothing can be said."""


@dataclass(slots=True, kw_only=True)
class Efficiency:
    """Adds looks up.

    Attributes:
        allowed_s: processor time that was there, whether or not anything was due.
        available_s: the part of it while work was due.
        used_s: what of that background work took.
    """

    allowed_s: float = 0.0
    available_s: float = 0.0
    used_s: float = 0.0
    _lost_s: dict[Lost, float] = field(default_factory=dict)
    _last: Look | None = None

    def take(self, look: Look) -> None:
        """Take in a look."""
        last, self._last = self._last, look
        if last is None:
            return
        lasted_s = look.steady_s - last.steady_s
        if lasted_s <= 0:
            return
        used_s = max(look.cpu_s - last.cpu_s, 0.0)
        not_held = max(1.0 - max(look.held_s - last.held_s, 0.0) / lasted_s, 0.0)
        left_s = max(look.idle_s - last.idle_s, 0.0) * not_held
        wanted_s = max(look.open_s - last.open_s, 0.0) + last.waiting * lasted_s
        self.allowed_s += left_s + used_s
        self.available_s += max(min(wanted_s * not_held, left_s + used_s), used_s)
        self.used_s += used_s
        for cause, now_s, before_s in (
            (Lost.STARTING, look.starting_s, last.starting_s),
            (Lost.AROUND, look.around_s, last.around_s),
            (Lost.FAILED, look.failed_s, last.failed_s),
        ):
            self._lost_s[cause] = self._lost_s.get(cause, 0.0) + max(now_s - before_s, 0.0)

    @property
    def useful_s(self) -> float:
        """Return what was used for something."""
        return max(self.used_s - sum(self._lost_s.values()), 0.0)

    @property
    def nothing_s(self) -> float:
        """Return the processor time that was there while nothing was due."""
        return self.allowed_s - self.available_s

    def lost_s(self) -> dict[str, float]:
        """Return what the rest of what was available went to, by cause."""
        waiting = {Lost.WAITING: self.available_s - self.used_s}
        return {cause.value: lost_s for cause, lost_s in (self._lost_s | waiting).items()}

    @property
    def ratio(self) -> float | None:
        """Useful over available; None while nothing was due for long enough to say."""
        return None if self.available_s < TICKS_MIN * TICK_S else self.useful_s / self.available_s
