"""A block, transaction by transaction: its pools between them, and the swaps in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.chains.pending.swap_logs import amounts_of
from engine.chains.pending.whales import Swapped
from engine.chains.ports import Log
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolChange, PoolMoved, PoolRead
from engine.pools.moves import moved
from engine.pools.snapshot_rows import AnyRow, PoolState


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An event of a followed pool.

    Attributes:
        change: what it says of the pool, None if nothing that counts.
    """

    address: str
    log: Log
    change: PoolChange | None


class Kept(Protocol):
    """A pool as it is kept: its row as far as the state does not say it, its state."""

    @property
    def pool(self) -> Pool:
        """Which it is."""
        ...

    @property
    def row(self) -> AnyRow:
        """See `moves.row_now`."""
        ...

    @property
    def state(self) -> PoolState:
        """Its exact state."""
        ...


class StepPools(Protocol):
    """Pools as they were at some block."""

    def kept(self, address: str) -> Kept | None:
        """Return a pool; nothing if its state is not known."""
        ...


class Stepping:
    """Pools on their way through a block."""

    def __init__(self, before: StepPools) -> None:
        self._before = before
        self._now: dict[str, tuple[Pool, AnyRow, PoolState] | None] = {}

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        """Return a pool as it is by now."""
        now = self._at(address)
        return None if now is None else (now[0], now[2])

    def state_of(self, address: str) -> PoolState | None:
        """Return a pool's state as it is by now."""
        now = self._at(address)
        return None if now is None else now[2]

    def take(self, steps: Sequence[Step]) -> list[Swapped]:
        """Go through the events of a transaction; return its swaps, of which all is known."""
        swaps = []
        for step in steps:
            was = self._at(step.address)
            if was is None or step.change is None:
                continue
            now = self._now[step.address] = _after(was, step.change)
            swap = None if now is None else _swap(step, was[2], now)
            if swap is not None:
                swaps.append(swap)
        return swaps

    def _at(self, address: str) -> tuple[Pool, AnyRow, PoolState] | None:
        if address not in self._now:
            kept = self._before.kept(address)
            self._now[address] = None if kept is None else (kept.pool, kept.row, kept.state)
        return self._now[address]


def _after(
    now: tuple[Pool, AnyRow, PoolState], change: PoolChange
) -> tuple[Pool, AnyRow, PoolState] | None:
    """Return a pool after a change; nothing if what it is then is not known."""
    pool, row, state = now
    try:
        if isinstance(change, PoolMoved):
            return pool, *moved(pool, row, state, change.move)
        if isinstance(change, PoolRead):
            return pool, change.row, change.row.state(pool)
    except BadValueError:
        return None
    return None


def _swap(step: Step, before: PoolState, now: tuple[Pool, AnyRow, PoolState]) -> Swapped | None:
    pool, _, after = now
    try:
        amounts = amounts_of(pool, step.log, before, after)
    except BadValueError:
        return None
    if amounts is None:
        return None
    return Swapped(
        pool=pool,
        token_in=amounts.token_in,
        token_out=amounts.token_out,
        amount_in_raw=amounts.amount_in_raw,
        amount_out_raw=amounts.amount_out_raw,
        before=before,
        after=after,
        log=step.log,
    )
