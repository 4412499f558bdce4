"""The operator switched a venue or a pair off, or on again."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.switched_off import Off


class PlacesOff(msgspec.Struct, frozen=True, kw_only=True):
    """All that is off; what is not here is on."""

    off: tuple[Off, ...]


def _take(core: Middle, given: Input[PlacesOff]) -> Answers:
    core.pipeline.switch_off(given.payload.off, given.at_ns)
    return NO_ANSWERS


PLACES_OFF: Final = Kind(number=28, name="places_off", payload=PlacesOff, take=_take)
