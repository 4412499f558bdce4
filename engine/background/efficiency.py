"""How much of the processor time that was there for background work was used for something.

Available is, in each look, what the cores had left (idle time and what background work took), at
most a core for each run that is ordered and not over yet, or that waits for room, and only while
nothing more urgent holds them. While a run waits for others, for what it wants or for what it found
to be stored, it could make no use of a core. Useful is what tasks' own code took in runs that came
to a good end: what began runs, kept their states or ended badly was no use.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple


class Look(NamedTuple):
    """What was read at an instant; all of them but the first two add up from a beginning.

    Attributes:
        steady_s: the instant.
        waiting: runs that could be under way if there were room.
        open_s: time in which runs were ordered and not over yet, summed over runs.
        idle_s: idle time of all cores that background work may use.
        cpu_s: processor time of background work.
        lost_s: the part of that which was no use.
        held_s: time in which background work was held.
    """

    steady_s: float
    waiting: int
    open_s: float
    idle_s: float
    cpu_s: float
    lost_s: float
    held_s: float


TICK_S: Final = 0.01
"""The system counts idle time in steps of this."""

TICKS_MIN: Final = 10
"""Of less nothing can be said."""


@dataclass(slots=True, kw_only=True)
class Efficiency:
    """Adds looks up.

    Attributes:
        available_s: processor time that was there while work was due.
        useful_s: what of it was used for something.
    """

    available_s: float = 0.0
    useful_s: float = 0.0
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
        self.available_s += max(min(wanted_s * not_held, left_s + used_s), used_s)
        self.useful_s += used_s
        self.useful_s -= min(max(look.lost_s - last.lost_s, 0.0), self.useful_s)

    @property
    def ratio(self) -> float | None:
        """Useful over available; None while nothing was due for long enough to say."""
        return None if self.available_s < TICKS_MIN * TICK_S else self.useful_s / self.available_s
