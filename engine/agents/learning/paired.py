"""Whether one of two kinds of trial comes more often than the other, looked at at any time.

Each trial of the one kind is paired with one of the other. Money is put on the shares that were
seen before, against one share for both; if there is but one, what is there does not grow on
average. Turner, Ly and Gruenwald, Generic E-variables for exact sequential k-sample tests, 2024.
"""

from typing import Final

import msgspec

WAITING_MAX: Final = 32


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a group of trials against all others.

    Attributes:
        evidence: what is there of 1: so many times likelier than without a difference.
        came, tried: of the group's, in pairs.
        others_came, others_tried: of the others', in pairs.
        waiting: others that came or not, not paired yet, oldest first.
    """

    evidence: float = 1.0
    came: int = 0
    tried: int = 0
    others_came: int = 0
    others_tried: int = 0
    waiting: tuple[bool, ...] = ()

    @property
    def share(self) -> float:
        """Return the group's share, drawn a little to a half."""
        return (self.came + 0.5) / (self.tried + 1)

    @property
    def others_share(self) -> float:
        """Return the others' share, likewise."""
        return (self.others_came + 0.5) / (self.others_tried + 1)

    def other(self, *, came: bool) -> "Paired":
        """Return what is known after a trial of the others."""
        return msgspec.structs.replace(self, waiting=(*self.waiting, came)[-WAITING_MAX:])

    def own(self, *, came: bool) -> "Paired":
        """Return what is known after a trial of the group; without another's it is left out."""
        if not self.waiting:
            return self
        *waiting, other = self.waiting
        both = (self.share + self.others_share) / 2
        won = _chance(self.share, came=came) * _chance(self.others_share, came=other)
        lost = _chance(both, came=came) * _chance(both, came=other)
        return Paired(
            evidence=self.evidence * won / lost,
            came=self.came + came,
            tried=self.tried + 1,
            others_came=self.others_came + other,
            others_tried=self.others_tried + 1,
            waiting=tuple(waiting),
        )


def _chance(share: float, *, came: bool) -> float:
    return share if came else 1 - share
