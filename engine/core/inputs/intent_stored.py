"""The ledger has an intent: what it is of may leave. Or it refuses it for good: nothing may."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle


class IntentStored(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders it is of, all of one intent."""

    client_order_ids: list[str]
    is_refused: bool = False


def _take(core: Middle, given: Input[IntentStored]) -> Answers:
    for client_order_id in given.payload.client_order_ids:
        if given.payload.is_refused:
            core.pipeline.withhold(client_order_id, given.at_ns)
        else:
            core.pipeline.intent_stored(client_order_id, given.at_ns)
    return NO_ANSWERS


INTENT_STORED: Final = Kind(number=24, name="intent stored", payload=IntentStored, take=_take)
