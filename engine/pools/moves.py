"""Moves: what the event of a swap says of a pool, and the pool's exact state after it.

Everything else of the pool stays as its last snapshot had it. Liquidity added or taken at ticks is
no move: that takes a new snapshot, off the hot path. So does a Whirlpool.
"""

from dataclasses import dataclass, replace

import msgspec

from engine.domain.errors import BadValueError
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import UINT256_MAX, check_whole
from engine.pools.snapshot_rows import (
    AnyRow,
    ConcentratedRow,
    CurveRow,
    PairRow,
    PoolState,
    SolidlyRow,
    StableRow,
    WeightedRow,
    check_has_liquidity,
    check_pair_liquidity,
)
from engine.pools.snapshots import PoolSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMove:
    """New reserves of a constant product pair: its `Sync` event."""

    reserve0_raw: int
    reserve1_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMove:
    """New price, tick and liquidity in use of a concentrated pool: its `Swap` event."""

    sqrt_price_x96: int
    tick: int
    liquidity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancesMove:
    """New balances of a Curve, Balancer or Solidly pool, in the order of its tokens."""

    balances_raw: tuple[int, ...]


Move = PairMove | PriceMove | BalancesMove


def moved(
    snapshot: PoolSnapshot, state: PoolState, move: Move, *, block: int | None
) -> tuple[PoolSnapshot, PoolState]:
    """Return a pool as it is after a move, and its exact state.

    Args:
        snapshot: the pool before.
        state: its exact state.
        move: what changed.
        block: where the move is from; none if its source does not say.

    Raises:
        BadValueError: the move is none of such a pool, or no pool can be in the state after it; the
            text names the pool, the value and the rule.
    """
    try:
        return _moved(snapshot, state, move, block)
    except BadValueError as error:
        pool = snapshot.pool
        raise BadValueError(f"{pool}, {pool.pool_id}: {error}") from error


def _moved(
    snapshot: PoolSnapshot, state: PoolState, move: Move, block: int | None
) -> tuple[PoolSnapshot, PoolState]:
    row = snapshot.row
    match move, state, row:
        case PairMove(), ConstantProductState(), PairRow():
            return _of_pair(snapshot, state, move, block)
        case PriceMove(), ConcentratedState(), ConcentratedRow():
            return _of_price(snapshot, row, state, move, block)
        case BalancesMove(), _, CurveRow() | WeightedRow() | StableRow() | SolidlyRow():
            return _of_balances(snapshot, row, move, block)
    raise BadValueError(f"a {type(move).__name__} is no move of a {snapshot.pool.protocol} pool")


def _of_pair(
    snapshot: PoolSnapshot, state: ConstantProductState, move: PairMove, block: int | None
) -> tuple[PoolSnapshot, PoolState]:
    reserve0, reserve1 = move.reserve0_raw, move.reserve1_raw
    after = replace(state, reserve0_raw=reserve0, reserve1_raw=reserve1)
    check_pair_liquidity(after)
    row = PairRow(reserve0_raw=str(reserve0), reserve1_raw=str(reserve1))
    return PoolSnapshot(pool=snapshot.pool, row=row, block=block), after


def _of_price(
    snapshot: PoolSnapshot,
    row: ConcentratedRow,
    state: ConcentratedState,
    move: PriceMove,
    block: int | None,
) -> tuple[PoolSnapshot, PoolState]:
    after = replace(
        state, sqrt_price_x96=move.sqrt_price_x96, tick=move.tick, liquidity=move.liquidity
    )
    check_has_liquidity(after)
    moved_row = msgspec.structs.replace(
        row,
        sqrt_price_x96=str(move.sqrt_price_x96),
        tick=move.tick,
        liquidity=str(move.liquidity),
    )
    return PoolSnapshot(pool=snapshot.pool, row=moved_row, block=block), after


def _of_balances(
    snapshot: PoolSnapshot,
    row: CurveRow | WeightedRow | StableRow | SolidlyRow,
    move: BalancesMove,
    block: int | None,
) -> tuple[PoolSnapshot, PoolState]:
    if len(move.balances_raw) != len(snapshot.pool.tokens):
        raise BadValueError(
            f"{len(move.balances_raw)} balances of {len(snapshot.pool.tokens)} tokens"
        )
    texts = tuple(
        str(check_whole(balance, what=f"balance {index}", low=0, high=UINT256_MAX))
        for index, balance in enumerate(move.balances_raw)
    )
    after = PoolSnapshot(pool=snapshot.pool, row=_with_balances(row, texts), block=block)
    return after, after.row.state(after.pool)


def _with_balances(
    row: CurveRow | WeightedRow | StableRow | SolidlyRow, texts: tuple[str, ...]
) -> AnyRow:
    if isinstance(row, SolidlyRow):
        return msgspec.structs.replace(row, reserves_raw=texts)
    return msgspec.structs.replace(row, balances_raw=texts)
