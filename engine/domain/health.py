"""How the components of an installation stand, and what an incident is. Values only."""

from enum import IntEnum, StrEnum
from typing import Final

import msgspec

NETWORK: Final = "network"
MACHINE: Final = "machine"
"""What many depend on and nobody can look at by itself: what they have in common when they fail."""


class Health(StrEnum):
    """How a component stands."""

    WELL = "well"
    DEGRADED = "degraded"
    """It works, and not as it should."""
    DOWN = "down"
    UNSEEN = "unseen"
    """Nobody can say: whoever looks at it is away, or it is still starting. No failure."""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """How one component was seen.

    Attributes:
        component: its kind and name: ``feed/gemini``, ``rpc/base/node-1``, ``disk``.
        why: what speaks against it; empty if it is well.
        since_ns: since when it stands so, as far as whoever looked knows; 0 from now on.
    """

    component: str
    health: Health
    why: str = ""
    since_ns: int = 0


class Weight(IntEnum):
    """How much an incident matters."""

    MINOR = 1
    """One component that the others do without."""
    MAJOR = 2
    """Several components."""
    CRITICAL = 3
    """What money or records depend on."""


class Said(StrEnum):
    """What a line of an incident's timeline tells."""

    SEEN = "seen"
    TRIED = "tried"


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a timeline: what was seen of a component, or tried for it."""

    at_ns: int
    component: str
    said: Said
    text: str


class Member(msgspec.Struct, kw_only=True):
    """A component of an incident.

    Attributes:
        failed_at_ns: of each of its failures in this incident, the oldest first; so many are kept
            as `incidents.FAILURES_MAX` says.
        failures: how often it failed.
        well_at_ns: since when it has been well; 0 while it is not.
    """

    failed_at_ns: list[int]
    failures: int = 1
    well_at_ns: int = 0


class Incident(msgspec.Struct, kw_only=True):
    """Failures of one cause, from the first of them until all is well and stays so.

    Attributes:
        number: by which it is called; later ones have higher numbers.
        ended_at_ns: when the last of its components became well; 0 while it is open.
        members: its components.
        lines: its timeline; `left_out` lines of its middle are not kept.
        is_told: a notice told of it.
    """

    number: int
    opened_at_ns: int
    cause: str
    weight: Weight
    members: dict[str, Member]
    lines: list[IncidentLine]
    ended_at_ns: int = 0
    left_out: int = 0
    is_told: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether it is not over."""
        return self.ended_at_ns == 0
