"""What is ours at a venue was read there, whether orders are taken on, and at which fee."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.domain.orders_told import VenueSeen


class VenueLooked(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen.

    Attributes:
        is_whole: whether its balances reckon with all that was told here, and with nothing else.
    """

    seen: VenueSeen
    is_whole: bool


def _take(core: Middle, given: Input[VenueLooked]) -> Answers:
    payload = given.payload
    core.pipeline.venue_seen(payload.seen, is_whole=payload.is_whole, at_ns=given.at_ns)
    return NO_ANSWERS


VENUE_SEEN: Final = Kind(
    number=38, name="venue seen", payload=VenueLooked, take=_take, after=Pipeline.after_seen
)
