"""What was found between a wall clock and the clock of a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A correction of the run's clock, which is right again.

    Attributes:
        step_ns: ours was set by this much; no time passed with it, as far as can be known.
        asleep_ns: time in which the machine slept, which our clock has counted.
    """

    step_ns: int
    asleep_ns: int

    @property
    def since_ns(self) -> int:
        """What the clock is ahead of where it stood before the step and the sleep."""
        return self.step_ns + self.asleep_ns
