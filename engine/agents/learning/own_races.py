"""How our own races to a block end, against what is seen of others: ties, and what we misjudge.

What is seen in blocks says how probable it is that something is still there after each block. Who
takes it in the very block that ours is to land in was before us or after us: that is not seen, so
such ties count as lost. Our own transactions tell: one number from -1 to 1 is learned from them.
Above 0 it is the share of ties that we win; below 0, by how much less is there for us than is seen
of others. It is 0 until nine tenths of what is believed lie on one side, and then the tenth nearest
to 0 counts.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import msgspec
from msgspec.structs import replace

STEPS: Final = 20
"""Values on either side of 0."""

KEPT: Final = 0.995
"""What a race counts after each one: half after 140."""

AT_ZERO: Final = 0.5
"""What is believed of 0 before the first race; the rest is spread evenly."""

SURE: Final = 0.9
LEAST: Final = 0.01
"""No race is foretold as surer than this."""

_VALUES: Final = tuple(at / STEPS for at in range(-STEPS, STEPS + 1))
_BEFORE: Final = tuple(
    math.log(AT_ZERO if value == 0 else (1 - AT_ZERO) / (2 * STEPS)) for value in _VALUES
)


class OwnRaces(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of our own races on a chain.

    Attributes:
        upto_ns: when the last one ended that was looked at.
        logs: how likely the races were, by each value.
        weight, came: how many races that is, older ones as less, and how many of them we won.
        races, won: how many there were, and how many we came first in.
        foretold: sum of the chances that were advised of them, ties counted as lost.
    """

    upto_ns: int = 0
    logs: tuple[float, ...] = (0.0,) * len(_VALUES)
    weight: float = 0.0
    came: float = 0.0
    races: int = 0
    won: int = 0
    foretold: float = 0.0

    def learn(self, row: Sequence[float], blocks: int, *, came: bool, at_ns: int) -> "OwnRaces":
        """Return what is known after a race.

        Args:
            row: the shares that are still there after block 1, 2, .. as others are seen to take.
            blocks: in which of these ours landed; 1 is the first after the decision.
            came: we were first.
            at_ns: when it ended.
        """
        logs = []
        for value, log in zip(_VALUES, self.logs, strict=True):
            chance = min(1 - LEAST, max(LEAST, corrected(row, value)[_place(row, blocks)]))
            logs.append(KEPT * log + math.log(chance if came else 1 - chance))
        most = max(logs)
        return OwnRaces(
            upto_ns=max(self.upto_ns, at_ns),
            logs=tuple(log - most for log in logs),
            weight=KEPT * self.weight + 1,
            came=KEPT * self.came + came,
            races=self.races + 1,
            won=self.won + came,
            foretold=self.foretold + row[_place(row, blocks)],
        )

    def kept(self, share: float) -> "OwnRaces":
        """Return it as a share of what it is: who races no more comes to believe nothing again."""
        logs = tuple(share * log for log in self.logs)
        return replace(self, logs=logs, weight=share * self.weight, came=share * self.came)

    @property
    def share(self) -> float:
        """Return the share of our races that we win, whoever else there is."""
        return (self.came + 1) / (self.weight + 2)

    @property
    def value(self) -> float:
        """Return the number that counts."""
        logs = [before + log for before, log in zip(_BEFORE, self.logs, strict=True)]
        most = max(logs)
        below = list(accumulate(math.exp(log - most) for log in logs))
        low = _VALUES[bisect_left(below, (1 - SURE) * below[-1])]
        high = _VALUES[bisect_left(below, SURE * below[-1])]
        return max(low, 0.0) or min(high, 0.0)


def corrected(row: Sequence[float], value: float) -> tuple[float, ...]:
    """Return the chances that we come first in block 1, 2, .., by what our own races told."""
    if value <= 0:
        return tuple((1 + value) * share for share in row)
    before = (1.0, *row)
    return tuple(
        share + value * (earlier - share) for share, earlier in zip(row, before, strict=False)
    )


def _place(row: Sequence[float], blocks: int) -> int:
    return min(max(blocks, 1), len(row)) - 1
