"""What blocks make of pools, pool by pool: their moves in order, and how to undo them.

A pool is worked on in its exact form alone, and prepared once when all of its moves are made.
"""

from dataclasses import dataclass

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.moving.pool_moves import MovingPool
from engine.domain.faults import Fault
from engine.pools.moves import Move, undoing
from engine.pools.snapshot_rows import PoolState
from engine.pools.snapshots import PoolSnapshot


@dataclass(frozen=True, slots=True)
class MovesBack:
    """How a pool gets back to what it was: by moves, to its state of an earlier block."""

    moves: tuple[Move, ...]
    block: int | None


PoolUndo = MovesBack | KnownPool | None
"""How a pool was before a block; whole where no moves lead back, None if its state was not known.

Moves are some numbers; what a pool of a thousand ticks holds is a hundred kilobytes."""


class PoolWork:
    """A pool while blocks are undone and a new one is taken; nothing else sees it before the end.

    Attributes:
        fault: why its state is not known, None if it is.
        is_touched: whether anything was done to it.
    """

    def __init__(self, held: KnownPool | None) -> None:
        self.fault: Fault | None = None
        self.is_touched = False
        self._begin(held)

    def _begin(self, held: KnownPool | None) -> None:
        self._held = held
        self._moving = None if held is None else MovingPool(held)
        self._block = None if held is None else held.block

    @property
    def is_known(self) -> bool:
        """Whether its state is known."""
        return self._moving is not None

    def undo(self, back: PoolUndo) -> None:
        """Undo what one block did to it.

        Raises:
            BadValueError: the moves do not lead back.
        """
        self.is_touched = True
        if not isinstance(back, MovesBack):
            self._begin(back)
        elif self._moving is not None:
            for move in back.moves:
                self._moving.move(move)
            self._block = back.block

    def take(self, move: Move) -> None:
        """Move it, unless its state is not known.

        Raises:
            BadValueError: the move is none of such a pool, or no pool can be in the state after it.
        """
        if self._moving is not None:
            self.is_touched = True
            self._moving.move(move)

    def read(self, pool: PoolSnapshot) -> None:
        """Take its whole state.

        Raises:
            BadValueError: no pool can be in this state.
        """
        self.is_touched = True
        self._begin(prepare_pool(pool))
        self.fault = None

    def lose(self, fault: Fault) -> None:
        """Do without its state from here on."""
        self.is_touched = True
        self._begin(None)
        self.fault = fault

    def mark(self) -> "PoolMark":
        """Return where it is now, from where a block's moves are counted."""
        moving = self._moving
        if moving is None:
            return PoolMark(None, None, 0, None)
        return PoolMark(moving, moving.state, len(moving.moves), self._block)

    def back_to(self, mark: "PoolMark") -> PoolUndo:
        """Return how it gets back to where it was.

        Raises:
            BadValueError: it does not, as no pool is as it was there.
        """
        moving = mark.moving
        if moving is None or mark.state is None:
            return None
        if moving is self._moving:
            return MovesBack(undoing(mark.state, moving.moves[mark.count :]), mark.block)
        return moving.prepared_at(mark.count, block=mark.block)

    def prepared(self, *, block: int | None = None) -> KnownPool | None:
        """Return the pool, with its directions, as of a block; of that undone to if none is said.

        Raises:
            BadValueError: a direction gives nothing.
        """
        if self._moving is None:
            return None
        as_of = self._block if block is None else block
        if not self._moving.moves and self._held is not None and self._held.block == as_of:
            return self._held
        return self._moving.prepared(block=as_of)


@dataclass(frozen=True, slots=True)
class PoolMark:
    """Where a pool was among its moves; nothing if its state was not known."""

    moving: MovingPool | None
    state: PoolState | None
    count: int
    block: int | None
