"""What is said ahead of a pending transaction: its outcome, and each swap that it makes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.domain.pools import Pool
from engine.pools.snapshot_rows import PoolState


class Outcome(StrEnum):
    """What becomes of a transaction."""

    MOVES = "moves"
    REVERTS = "reverts"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A swap in a pool."""

    pool: Pool
    token_in: int
    amount_in_raw: int
    amount_out_raw: int
    before: PoolState
    after: PoolState


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a transaction does to pools, in its own order; nothing unless it moves any."""

    outcome: Outcome
    why: str = ""
    effects: tuple[Effect, ...] = ()

    def states(self) -> dict[str, PoolState]:
        """Return the pools that it moves as it leaves them, by address."""
        return {effect.pool.address: effect.after for effect in self.effects}


class Pools(Protocol):
    """Pools of a chain as they are now."""

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        """Return a pool by its address or id in lower case; nothing if it is not followed."""
        ...


class PoolsAfter:
    """Pools after what was predicted so far."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._after: dict[str, PoolState] = {}

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        """Return a pool as it will be."""
        found = self._pools.find(address)
        if found is None or address not in self._after:
            return found
        return found[0], self._after[address]

    def take(self, prediction: Prediction) -> None:
        """Let what was predicted be so."""
        self._after.update(prediction.states())
