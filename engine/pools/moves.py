"""Moves: what an event says of a pool, and the pool's exact state after it.

Everything else of the pool stays as its last snapshot had it. A Whirlpool has no moves: whatever
changes it takes a new snapshot.
"""

from collections.abc import Sequence

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.balancer_stable import StableState
from engine.pools.balancer_weighted import WeightedState
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.curve import CurveState
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
    check_pair_liquidity,
)
from engine.pools.solidly import SolidlyState


class PairMove(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="move", tag="pair"):
    """New reserves of a constant product pair: its `Sync` event."""

    reserve0_raw: int
    reserve1_raw: int


class PriceMove(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="move", tag="price"):
    """New price, tick and liquidity in use of a concentrated pool: its `Swap` event."""

    sqrt_price_x96: int
    tick: int
    liquidity: int


class BalancesMove(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="move", tag="balances"
):
    """New balances of a Curve, Balancer or Solidly pool, in the order of its tokens."""

    balances_raw: tuple[int, ...]


class FlowsMove(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="move", tag="flows"):
    """What came into the balances of a Balancer pool, or went: of an event of its vault."""

    flows_raw: tuple[int, ...]


class PositionMove(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="move", tag="position"
):
    """Liquidity added to a range of ticks of a concentrated pool, or taken: `Mint` and `Burn`."""

    tick_low: int
    tick_high: int
    liquidity_delta: int


Move = PairMove | PriceMove | BalancesMove | FlowsMove | PositionMove


def moved(pool: Pool, row: AnyRow, state: PoolState, move: Move) -> tuple[AnyRow, PoolState]:
    """Return a pool as it is after a move: its row as far as the state does not say it, its state.

    Args:
        pool: which it is.
        row: what its last snapshot said; see `row_now`.
        state: its exact state.
        move: what changed.

    Raises:
        BadValueError: the move is none of such a pool, or no pool can be in the state after it; the
            text names the pool, the value and the rule.
    """
    try:
        return _moved(pool, row, state, move)
    except BadValueError as error:
        raise BadValueError(f"{pool}, {pool.pool_id}: {error}") from error


def undoing(state: PoolState, moves: Sequence[Move]) -> tuple[Move, ...]:
    """Return the moves that lead a pool back to a state from where these moves led it.

    Raises:
        BadValueError: it is a pool that does not move.
    """
    back: list[Move] = [
        msgspec.structs.replace(move, liquidity_delta=-move.liquidity_delta)
        for move in reversed(moves)
        if isinstance(move, PositionMove)
    ]
    if len(back) < len(moves):
        back.append(_move_to(state))
    return tuple(back)


def _move_to(state: PoolState) -> Move:
    match state:
        case ConstantProductState():
            return PairMove(reserve0_raw=state.reserve0_raw, reserve1_raw=state.reserve1_raw)
        case ConcentratedState():
            return PriceMove(
                sqrt_price_x96=state.sqrt_price_x96, tick=state.tick, liquidity=state.liquidity
            )
        case SolidlyState():
            return BalancesMove(balances_raw=tuple(state.reserves_raw))
        case CurveState() | StableState() | WeightedState():
            return BalancesMove(balances_raw=tuple(state.balances_raw))
    raise BadValueError(f"a {type(state).__name__} does not move")


def row_now(row: AnyRow, state: PoolState) -> AnyRow:
    """Return a pool's row as a snapshot of its state has it.

    Args:
        row: of a snapshot, or of `moved`, since which pairs and concentrated pools may have moved.
        state: the pool's exact state.
    """
    match row, state:
        case PairRow(), ConstantProductState():
            return PairRow(
                reserve0_raw=str(state.reserve0_raw),
                reserve1_raw=str(state.reserve1_raw),
                fees_e9=row.fees_e9,
            )
        case ConcentratedRow(), ConcentratedState():
            return _concentrated_now(row, state)
    return row


def _moved(pool: Pool, row: AnyRow, state: PoolState, move: Move) -> tuple[AnyRow, PoolState]:
    match move, state:
        case PairMove(), ConstantProductState():
            after = ConstantProductState(
                reserve0_raw=move.reserve0_raw,
                reserve1_raw=move.reserve1_raw,
                fee0_numerator=state.fee0_numerator,
                fee1_numerator=state.fee1_numerator,
                fee_denominator=state.fee_denominator,
            )
            check_pair_liquidity(after)
            return row, after
        case PriceMove(), ConcentratedState():
            return row, state.with_price(
                sqrt_price_x96=move.sqrt_price_x96, tick=move.tick, liquidity=move.liquidity
            )
        case PositionMove(), ConcentratedState():
            return row, state.with_position(move.tick_low, move.tick_high, move.liquidity_delta)
    if isinstance(move, BalancesMove) and isinstance(
        row, CurveRow | WeightedRow | StableRow | SolidlyRow
    ):
        moved_row = _with_balances(row, move.balances_raw, token_count=len(pool.tokens))
        return moved_row, moved_row.state(pool)
    if isinstance(move, FlowsMove) and isinstance(row, WeightedRow | StableRow):
        flowed_row = _with_flows(row, move.flows_raw, token_count=len(pool.tokens))
        return flowed_row, flowed_row.state(pool)
    raise BadValueError(f"a {type(move).__name__} is no move of a {pool.protocol} pool")


def _concentrated_now(row: ConcentratedRow, state: ConcentratedState) -> ConcentratedRow:
    table = state.table
    now = msgspec.structs.replace(
        row,
        sqrt_price_x96=str(state.sqrt_price_x96),
        tick=state.tick,
        liquidity=str(state.liquidity),
    )
    if table.grosses is None:  # no tick has changed since the row was read
        return now
    nets = zip(table.ticks, map(str, table.liquidity_nets), strict=True)
    return msgspec.structs.replace(now, ticks=tuple(nets), grosses=tuple(map(str, table.grosses)))


def _with_flows(
    row: WeightedRow | StableRow, flows_raw: tuple[int, ...], *, token_count: int
) -> WeightedRow | StableRow:
    if len(flows_raw) != token_count:
        raise BadValueError(f"{len(flows_raw)} flows of {token_count} tokens")
    sums = (
        int(balance) + check_whole(flow, what="flow", low=-UINT256_MAX, high=UINT256_MAX)
        for balance, flow in zip(row.balances_raw, flows_raw, strict=True)
    )
    balances_raw = tuple(
        str(check_whole(balance, what=f"balance {index}", low=0, high=UINT256_MAX))
        for index, balance in enumerate(sums)
    )
    return msgspec.structs.replace(row, balances_raw=balances_raw)


def _with_balances(
    row: CurveRow | WeightedRow | StableRow | SolidlyRow,
    balances_raw: tuple[int, ...],
    *,
    token_count: int,
) -> CurveRow | WeightedRow | StableRow | SolidlyRow:
    if len(balances_raw) != token_count:
        raise BadValueError(f"{len(balances_raw)} balances of {token_count} tokens")
    texts = tuple(
        str(check_whole(balance, what=f"balance {index}", low=0, high=UINT256_MAX))
        for index, balance in enumerate(balances_raw)
    )
    if isinstance(row, SolidlyRow):
        return msgspec.structs.replace(row, reserves_raw=texts)
    return msgspec.structs.replace(row, balances_raw=texts)
