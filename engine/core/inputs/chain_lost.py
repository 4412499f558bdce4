"""A chain of which nothing is sure any more: its source is gone, or says what cannot be."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.domain.faults import Fault


class ChainLost(msgspec.Struct, frozen=True, kw_only=True):
    """Which chain it is, and why."""

    chain: str
    fault: Fault


def _take(core: Middle, given: Input[ChainLost]) -> Answers:
    core.pools.lose(given.payload.chain, given.payload.fault, given.at_ns)
    return NO_ANSWERS


CHAIN_LOST: Final = Kind(
    number=23, name="chain lost", payload=ChainLost, take=_take, after=Pipeline.after_block
)
