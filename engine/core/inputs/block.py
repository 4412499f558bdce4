"""A block of a chain: what it changed of all pools, at once."""

from typing import Final

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.pools.blocks import Block


def _take(core: Middle, given: Input[Block]) -> Answers:
    core.pools.take(given.payload, given.at_ns)
    return NO_ANSWERS


BLOCK: Final = Kind(number=20, name="block", payload=Block, take=_take, after=Pipeline.after_block)
