"""Where a series goes next, by what is seen before: against "it stays where it is".

All is in units of the usual size of a change, so that dear and cheap assets learn alike.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.agents.learning.recursive import Recursive
from engine.agents.learning.wager import Wager

SLOW: Final = 0.02
FIRST: Final = 20
"""Changes until it is known what is usual."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a series.

    Attributes:
        weights: of what is seen.
        tells: whether they beat "it stays".
        changes: how many there were.
        squares: about the usual square of a change.
        seen: what the next change is foretold from, in units of the usual.
        unit: the usual size of a change when that was seen; 0 before any.
    """

    weights: Recursive
    tells: Wager
    changes: int = 0
    squares: float = 0.0
    seen: tuple[float, ...] = ()
    unit: float = 0.0

    @property
    def foretold(self) -> float:
        """Return the foretold change in usual ones, whether or not it is to be believed."""
        return self.weights.foretell(self.seen) if self.unit else 0.0

    def changed(self, change: float) -> "Drift":
        """Return what is known after a change: what was foretold of it is judged first."""
        changes = self.changes + 1
        squares = self.squares + (change**2 - self.squares) * max(SLOW, 1 / changes)
        known = msgspec.structs.replace(self, changes=changes, squares=squares)
        if not self.unit:
            return known
        came = change / self.unit
        return msgspec.structs.replace(
            known,
            tells=self.tells.judge(model_loss=(came - self.foretold) ** 2, naive_loss=came**2),
            weights=self.weights.learn(self.seen, came),
        )

    def sees(self, changes: Sequence[float], others: Sequence[float]) -> "Drift":
        """Return the drift with what is seen now: changes to be scaled, and what has no unit."""
        unit = math.sqrt(self.squares)
        if not unit or self.changes < FIRST:
            return self.broken()
        seen = (*(change / unit for change in changes), *others)
        return msgspec.structs.replace(self, seen=seen, unit=unit)

    def broken(self) -> "Drift":
        """Return the drift after a gap: nothing is foretold of what comes next."""
        return msgspec.structs.replace(self, seen=(), unit=0.0)
