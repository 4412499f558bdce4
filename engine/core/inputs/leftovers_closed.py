"""A person said yes to closing what is left over."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.plans import LeggedPlan


class LeftoversClosed(msgspec.Struct, frozen=True, kw_only=True):
    """What was said yes to, and by whom.

    Attributes:
        closings: their terms, as they were shown.
    """

    closings: tuple[LeggedPlan, ...]
    by: str


def _take(core: Middle, given: Input[LeftoversClosed]) -> Answers:
    core.pipeline.close_leftovers(given.payload.closings, given.at_ns)
    return NO_ANSWERS


LEFTOVERS_CLOSED: Final = Kind(
    number=41, name="leftovers closed", payload=LeftoversClosed, take=_take
)
