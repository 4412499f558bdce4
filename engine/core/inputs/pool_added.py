"""A pool that is new, or the whole state of one that is there."""

from typing import Final

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.pools.snapshots import PoolSnapshot


def _take(core: Middle, given: Input[PoolSnapshot]) -> Answers:
    if core.pools.add(given.payload, given.at_ns):
        core.pipeline.pools_changed(given.at_ns)
    return NO_ANSWERS


POOL_ADDED: Final = Kind(
    number=21, name="pool added", payload=PoolSnapshot, take=_take, after=Pipeline.after_block
)
