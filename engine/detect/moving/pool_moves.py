"""A pool after moves, prepared from how it was before: what the events of a block cost.

What a move leaves alone (terms, most ticks) was checked and packed when the pool was prepared, and
is kept. Pools of one or two reserves and of a thousand ticks are ready in some tens of
microseconds, curves in about a hundred.
"""

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.pool_sides import PreparedPool, prepare_state
from engine.kernels.concentrated import pack_ticks
from engine.pools.concentrated import ConcentratedState
from engine.pools.impact import PriceImpact, impact_of_states
from engine.pools.moves import Move, PositionMove, moved
from engine.pools.tick_table import TickTable


class MovingPool:
    """A pool on its way through moves: each is checked at once, its directions are found at last.

    Attributes:
        pool, row, state: as of the last move.
        moves: since it was prepared.
    """

    def __init__(self, before: KnownPool) -> None:
        self.pool, self.row, self.state = before.pool, before.row, before.state
        self.moves: list[Move] = []
        self._before = before

    def move(self, move: Move) -> None:
        """Move it.

        Raises:
            BadValueError: the move is none of such a pool, or no pool can be in the state after it;
                the pool is as it was before the move.
        """
        self.row, self.state = moved(self.pool, self.row, self.state, move)
        self.moves.append(move)

    def prepared(self, *, block: int | None) -> PreparedPool:
        """Return the pool as it is now: as if prepared from a snapshot with these values.

        Raises:
            BadValueError: a direction gives nothing.
        """
        if self._before.packed is None:
            return prepare_state(self.pool, self.row, self.state, block=block)
        ticks = self._before.packed[1]
        touched = {
            tick
            for move in self.moves
            if isinstance(move, PositionMove)
            for tick in (move.tick_low, move.tick_high)
        }
        if touched:
            assert isinstance(self._before.state, ConcentratedState)
            assert isinstance(self.state, ConcentratedState)
            ticks = _pack_touched(ticks, self._before.state.table, self.state.table, touched)
        return prepare_state(self.pool, self.row, self.state, ticks, block=block)

    def prepared_at(self, count: int, *, block: int | None) -> KnownPool:
        """Return the pool as it was after the first of its moves.

        Raises:
            BadValueError: a direction gives nothing.
        """
        if not count and self._before.block == block:
            return self._before
        return move_pool(self._before, *self.moves[:count], block=block)


def move_pool(before: KnownPool, *moves: Move, block: int | None = None) -> PreparedPool:
    """Return the pool as it is after moves; see `MovingPool`.

    Raises:
        BadValueError: a move is none of such a pool, or no pool can be in the state after it.
    """
    moving = MovingPool(before)
    for move in moves:
        moving.move(move)
    return moving.prepared(block=block)


def _pack_touched(
    packed: NDArray[np.uint64], before: TickTable, after: TickTable, touched: Iterable[int]
) -> NDArray[np.uint64]:
    """Return the packed ticks of a table of which only the touched ticks differ from before."""
    parts, copied = [], 0
    for tick in sorted(touched):
        at = bisect_left(before.ticks, tick)
        parts.append(packed[copied:at])
        copied = at + (at < len(before.ticks) and before.ticks[at] == tick)
        at = bisect_left(after.ticks, tick)
        if at < len(after.ticks) and after.ticks[at] == tick:
            one = slice(at, at + 1)
            parts.append(
                pack_ticks(after.ticks[one], after.liquidity_nets[one], after.sqrt_ratios_x96[one])
            )
    return np.concatenate((*parts, packed[copied:]))


def impact_of(before: KnownPool, after: KnownPool) -> PriceImpact:
    """Return what a move did to the pool's price, exactly: for triggers by price impact.

    Raises:
        BadValueError: they are not the same pool.
    """
    return impact_of_states(before.state, after.state)
