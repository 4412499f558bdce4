"""The stages of what holds one nonce, and which follows on which: the one table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """Where it is; `LIFE` has what follows on what.

    `RESERVED`: nothing is known to be signed. `SIGNED`: it may have left, even if nobody took it.
    `BROADCAST`: a node or relay took it. `PENDING`: a node shows it waiting. `DROPPED`: no node
    shows it any more. `MINED`: a block shows it. `CONFIRMED`: with enough blocks on top.
    `REORGANISED`: the block that showed it is gone. `TAKEN`: its nonce was used by what we never
    signed. Ends: `FINAL`, one of ours in a final block; `LOST`, taken in a final block; `VOID`,
    never signed, its nonce is free again; `ANEW`, the chain that it was for is gone.
    """

    RESERVED = "reserved"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    PENDING = "pending"
    DROPPED = "dropped"
    MINED = "mined"
    CONFIRMED = "confirmed"
    REORGANISED = "reorganised"
    TAKEN = "taken"
    FINAL = "final"
    LOST = "lost"
    VOID = "void"
    ANEW = "anew"


class Event(StrEnum):
    """What may be learned: of our own doing, or by a look at a node."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    LEFT = "left"
    WAITS = "waits"
    NOWHERE = "nowhere"
    MINED = "mined"
    DEEP = "deep"
    FINAL = "final"
    TAKEN = "taken"
    TAKEN_FOR_GOOD = "taken for good"


_SHOWN: Final = {
    Event.MINED: Stage.MINED,
    Event.DEEP: Stage.CONFIRMED,
    Event.FINAL: Stage.FINAL,
    Event.TAKEN: Stage.TAKEN,
    Event.TAKEN_FOR_GOOD: Stage.LOST,
}
_OUT: Final = {**_SHOWN, Event.WAITS: Stage.PENDING, Event.NOWHERE: Stage.DROPPED}
_GONE: Final = {**_SHOWN, Event.WAITS: Stage.REORGANISED, Event.NOWHERE: Stage.REORGANISED}

LIFE: Final[Mapping[Stage, Mapping[Event, Stage]]] = {
    Stage.RESERVED: {
        Event.SIGNED: Stage.SIGNED,
        Event.UNSIGNED: Stage.VOID,
        Event.TAKEN: Stage.TAKEN,
        Event.TAKEN_FOR_GOOD: Stage.LOST,
    },
    Stage.SIGNED: {**_SHOWN, Event.LEFT: Stage.BROADCAST, Event.WAITS: Stage.PENDING},
    Stage.BROADCAST: _OUT,
    Stage.PENDING: _OUT,
    Stage.DROPPED: {**_OUT, Event.LEFT: Stage.BROADCAST, Event.UNSIGNED: Stage.VOID},
    Stage.MINED: _GONE,
    Stage.CONFIRMED: _GONE,
    Stage.REORGANISED: {**_SHOWN, Event.LEFT: Stage.BROADCAST, Event.WAITS: Stage.PENDING},
    # A node that had lost sight of ours, or a reorganisation: the nonce is free again.
    Stage.TAKEN: {**_OUT, Event.UNSIGNED: Stage.VOID},
    Stage.FINAL: {},
    Stage.LOST: {},
    Stage.VOID: {},
    Stage.ANEW: {},
}
"""Stage, event and the stage after it; any other event leaves the stage as it is."""

ENDED: Final = frozenset({Stage.FINAL, Stage.LOST, Stage.VOID, Stage.ANEW})
SHOWN: Final = frozenset({Stage.MINED, Stage.CONFIRMED, Stage.FINAL, Stage.TAKEN, Stage.LOST})
"""In a block: nothing of ours is to be done."""
