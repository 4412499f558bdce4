"""A bound that holds for a wanted share of all cases, whatever they are like.

The bound rises a step after each case beyond it and falls a little after each within it, so that
the share of cases beyond it comes out as wanted for any sequence, a little above where all grows:
online quantile tracking, in Angelopoulos, Candes and Tibshirani, Conformal PID control for time
series prediction, 2023.
"""

from typing import Final

import msgspec

PACE: Final = 0.05
SLOW_PACE: Final = 0.005
"""For what hardly changes."""

_FIRST: Final = 2.0
"""The first steps are larger, by what is not known yet."""

_FAR: Final = 3.0
"""Times the usual: what is further away tells nothing of most cases."""


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A bound from above of what comes next, in units of what is usual.

    Attributes:
        beyond: wanted share of cases beyond it.
        pace: size of its steps, in units of what is usual.
        at: where it is.
        usual: about the usual size of a case, which its steps are measured by.
        cases, missed: how many there were, and how many were beyond it.
    """

    beyond: float
    pace: float = PACE
    at: float = 0.0
    usual: float = 0.0
    cases: int = 0
    missed: int = 0

    @property
    def covered(self) -> float:
        """Return the share of cases within it so far; 0 before any."""
        return 1 - self.missed / self.cases if self.cases else 0.0

    def loss(self, came: float) -> float:
        """Return the pinball loss of a case: what is least on average at the wanted share."""
        over = came - self.at
        return over * (1 - self.beyond) if over > 0 else -over * self.beyond

    def learn(self, came: float) -> "Bound":
        """Return the bound after a case."""
        cases = self.cases + 1
        usual = self.usual + (abs(came) - self.usual) / min(cases, 1 / self.pace)
        is_missed = came > self.at
        if cases * self.beyond < 1:  # too few to tell a share of them: about the most of them
            at = came if cases == 1 else max(self.at, min(came, _FAR * usual))
        else:
            pace = max(self.pace, min(1.0, _FIRST / cases))
            step = pace * max(self.usual, abs(self.at) * self.pace)
            at = self.at + step * (is_missed - self.beyond)
        return msgspec.structs.replace(
            self, at=at, usual=usual, cases=cases, missed=self.missed + is_missed
        )
