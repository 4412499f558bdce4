"""A webhook told a large swap of a block that no node has told yet: its pool waits for it."""

from typing import Final

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.pools.blocks import SwapTold


def _take(core: Middle, given: Input[SwapTold]) -> Answers:
    core.pools.foretell(given.payload, given.at_ns)
    return NO_ANSWERS


SWAP_TOLD: Final = Kind(
    number=47, name="swap told", payload=SwapTold, take=_take, after=Pipeline.after_block
)
