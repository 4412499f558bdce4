"""The operator set the mode or the pause."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.modes import Mode


class ControlState(msgspec.Struct, frozen=True, kw_only=True):
    """Mode and pause at one time."""

    mode: Mode
    is_paused: bool


def _take(core: Middle, given: Input[ControlState]) -> Answers:
    core.switches.mode = given.payload.mode
    core.switches.is_paused = given.payload.is_paused
    return NO_ANSWERS


SWITCHED: Final = Kind(number=7, name="switched", payload=ControlState, take=_take)
