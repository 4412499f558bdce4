"""A pool's exact state as the blocks lead it on, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.chains.ports import PoolNow
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolChange, PoolMoved, PoolRead
from engine.pools.moves import Move, PositionMove, moved, row_now, undoing
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow, PoolState
from engine.pools.snapshots import PoolSnapshot, state_of


@dataclass(frozen=True, slots=True)
class Held:
    """A pool, its row as far as the state does not say it, and its state; see `row_now`."""

    pool: Pool
    row: AnyRow
    state: PoolState

    @classmethod
    def of(cls, now: PoolNow) -> "Held":
        """Take a pool as it was read.

        Raises:
            BadValueError: no pool can be in this state.
        """
        return cls(now.pool, now.row, state_of(PoolSnapshot(pool=now.pool, row=now.row)))

    def after(self, change: PoolChange) -> "Held":
        """Return it after a change.

        Raises:
            BadValueError: it is none of such a pool, or no pool can be in the state after it.
        """
        if change.address != self.pool.address:
            raise BadValueError(f"a change of {change.address} was made of {self.pool.pool_id}")
        if isinstance(change, PoolMoved):
            return self.moved((change.move,))
        if isinstance(change, PoolRead):
            return Held.of(PoolNow(pool=self.pool, row=change.row))
        raise BadValueError(f"{self.pool.pool_id} is lost: {change.fault}")

    def moved(self, moves: Sequence[Move]) -> "Held":
        """Return it after moves.

        Raises:
            BadValueError: one is none of such a pool, or no pool can be in the state after it.
        """
        row, state = self.row, self.state
        for move in moves:
            row, state = moved(self.pool, row, state, move)
        return Held(self.pool, row, state)

    def snapshot(self, block: int) -> PoolSnapshot:
        """Return it as of a block."""
        return PoolSnapshot(pool=self.pool, row=row_now(self.row, self.state), block=block)

    def is_same(self, other: "Held") -> bool:
        """Say whether the other one is the same pool in the same state, as far as both are known.

        Of a concentrated pool ticks around the price are read, and so others at another price.
        """
        if self.pool != other.pool:
            return False
        one, two = row_now(self.row, self.state), row_now(other.row, other.state)
        if isinstance(one, ConcentratedRow) and isinstance(two, ConcentratedRow):
            low = max(one.known_min, two.known_min)
            high = min(one.known_max, two.known_max)
            one, two = _within(one, low, high), _within(two, low, high)
        return one == two


def _within(row: ConcentratedRow, low: int, high: int) -> ConcentratedRow:
    kept = [at for at, (tick, _) in enumerate(row.ticks) if low <= tick <= high]
    return msgspec.structs.replace(
        row,
        ticks=tuple(row.ticks[at] for at in kept),
        grosses=tuple(row.grosses[at] for at in kept) if row.grosses else (),
        known_min=low,
        known_max=high,
    )


Back = tuple[Move, ...] | Held | None
"""How a pool was before a block: whole, or by moves where its ticks changed, which are a hundred
kilobytes of a deep pool; None if its state was not known."""


def back_of(before: Held, moves: Sequence[Move]) -> Back:
    """Return how a pool gets back to how it was before these moves.

    Whole, which is quickest, unless its ticks changed: otherwise both states share them.
    """
    if not any(isinstance(move, PositionMove) for move in moves):
        return before
    try:
        return undoing(before.state, moves)
    except BadValueError:
        return before


def led_back(held: Held | None, back: Back) -> Held | None:
    """Return a pool as it was before a block; None if that is not known."""
    if not isinstance(back, tuple):
        return back
    if held is None:
        return None
    try:
        return held.moved(back)
    except BadValueError:
        return None
