"""The operator set every place of the paper inventory back to its capital."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline


class InventoryReset(msgspec.Struct, frozen=True, kw_only=True):
    """It holds nothing: what each place is to start with is known."""


def _take(core: Middle, given: Input[InventoryReset]) -> Answers:
    del given
    core.inventory.reset()
    return NO_ANSWERS


INVENTORY_RESET: Final = Kind(
    number=10,
    name="inventory_reset",
    payload=InventoryReset,
    take=_take,
    after=Pipeline.after_reset,
)
