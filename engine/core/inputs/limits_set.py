"""The operator set a limit, or the settings were read anew."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle


class LimitsSet(msgspec.Struct, frozen=True, kw_only=True):
    """All that the operator has set of limits, by name; what is not here is as the settings say.

    Attributes:
        by_settings: what the settings say of limits from now on; None for no change of them.
    """

    limits: dict[str, Decimal]
    by_settings: dict[str, Decimal] | None = None


def _take(core: Middle, given: Input[LimitsSet]) -> Answers:
    core.decider.take_limits(given.payload.limits, given.payload.by_settings)
    return NO_ANSWERS


LIMITS_SET: Final = Kind(number=11, name="limits_set", payload=LimitsSet, take=_take)
