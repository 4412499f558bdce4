"""Whether a block moves a price far: a quick look, before anybody is told of the block.

In floats, as all that comes of it is that other work makes way. Pools of two reserves and of ranges
are looked at, whose events say the new price; what others did is known when the block is taken.
"""

from collections.abc import Iterable, Mapping

from engine.chains.pending.stepping import Kept, Step
from engine.pools.blocks import PoolMoved
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.moves import Move, PairMove, PriceMove
from engine.pools.snapshot_rows import PoolState


def moves_far(steps: Iterable[Step], before: Mapping[str, Kept], ratio_min: float) -> bool:
    """Say whether an event of a block takes a price so far from where it was before the block.

    Args:
        steps: the block's events.
        before: the pools as they were, by address.
        ratio_min: of the price before.
    """
    for step in steps:
        if isinstance(step.change, PoolMoved):
            kept = before.get(step.address)
            if kept is not None and _change(kept.state, step.change.move) >= ratio_min:
                return True
    return False


def _change(state: PoolState, move: Move) -> float:
    """Return by which share of it a price changes, 0 if that cannot be told."""
    try:
        if isinstance(state, ConcentratedState) and isinstance(move, PriceMove):
            root = move.sqrt_price_x96 / state.sqrt_price_x96
            return abs(root * root - 1)
        if isinstance(state, ConstantProductState) and isinstance(move, PairMove):
            price = move.reserve1_raw / move.reserve0_raw
            return abs(price * state.reserve0_raw / state.reserve1_raw - 1)
    except (ZeroDivisionError, OverflowError):
        return 0.0
    return 0.0
