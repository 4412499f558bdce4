"""A pool after a move, prepared from how it was before: what a swap's event costs the hot path.

What a move leaves alone (terms, ticks, sums of liquidity) was checked and packed when the pool was
prepared, and is kept. Pools of one or two reserves and of a thousand ticks are ready in some tens
of microseconds, curves in about a hundred.
"""

from engine.detect.pool_sides import PreparedPool, prepare_state
from engine.pools.impact import PriceImpact, impact_of_states
from engine.pools.moves import Move, moved


def move_pool(before: PreparedPool, move: Move, *, block: int | None = None) -> PreparedPool:
    """Return the pool as it is after a move: as if prepared from a snapshot with these values.

    Raises:
        BadValueError: the move is none of such a pool, or no pool can be in the state after it.
    """
    snapshot, state = moved(before.snapshot, before.state, move, block=block)
    return prepare_state(snapshot, state, None if before.packed is None else before.packed[1])


def impact_of(before: PreparedPool, after: PreparedPool) -> PriceImpact:
    """Return what a move did to the pool's price, exactly: for triggers by price impact.

    Raises:
        BadValueError: they are not the same pool.
    """
    return impact_of_states(before.state, after.state)
