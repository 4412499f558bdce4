"""A pool that is not followed any more."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.domain.pools import PoolId


class PoolRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """Which pool it is."""

    pool_id: PoolId


def _take(core: Middle, given: Input[PoolRemoved]) -> Answers:
    if core.pools.remove(given.payload.pool_id, given.at_ns):
        core.pipeline.pools_changed(given.at_ns, is_gone=True)
    return NO_ANSWERS


POOL_REMOVED: Final = Kind(
    number=22, name="pool removed", payload=PoolRemoved, take=_take, after=Pipeline.after_block
)
