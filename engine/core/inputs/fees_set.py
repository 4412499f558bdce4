"""The operator set a venue's fee."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId


class FeesSet(msgspec.Struct, frozen=True, kw_only=True):
    """All that the operator has set of fees; of a venue that is not here the settings' holds."""

    fees: dict[VenueId, FeeWord]


def _take(core: Middle, given: Input[FeesSet]) -> Answers:
    core.pipeline.set_fees(given.payload.fees)
    return NO_ANSWERS


FEES_SET: Final = Kind(
    number=31, name="fees_set", payload=FeesSet, take=_take, after=Pipeline.after_fees
)
