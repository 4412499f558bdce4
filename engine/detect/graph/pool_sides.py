"""A pool's directions as sides of the market graph, in units of the assets as books have them."""

import math
from collections.abc import Sequence
from itertools import permutations
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.market_graph import RATE_MAX
from engine.detect.sizing.pieces import (
    Pieces,
    check_pieces,
    pieces_of_pair,
    pieces_of_ranges,
)
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.kernels import concentrated, solidly, stable_swap
from engine.kernels.graph_layout import LOG_MAX
from engine.kernels.sizing_layout import (
    AMOUNT_MAX,
    FORM_SOLIDLY,
    FORM_STABLE_SWAP,
    FORM_WEIGHTED,
    PIECE,
    PIECE_COLUMNS,
)
from engine.kernels.weighted import BALANCE_IN, BALANCE_OUT, weighted_quote
from engine.pools import balancer_stable, balancer_weighted, curve, whirlpool
from engine.pools import solidly as solidly_pool
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import PIPS
from engine.pools.moves import row_now
from engine.pools.snapshot_rows import AnyRow, PoolState
from engine.pools.snapshots import PoolSnapshot, state_of

NO_FORM = -1

PIECES_MAX: Final = 256
"""Of one direction of a concentrated pool. Liquidity behind them is left out, so that a direction
promises less than the pool gives, never more: 2.5 % of the price away where ticks are closest."""

GIVES_NOTHING: Final = -LOG_MAX
"""The lowest log rate of an edge: no route gains through it."""

RANGED: Final = (ConcentratedState, whirlpool.WhirlpoolState)
"""Forms that may have all of their liquidity on one side of the price."""

Packed = tuple[NDArray[np.uint64], NDArray[np.uint64]]


class PoolSide(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a pool.

    Attributes:
        log_rate: log of target per source at the margin, after the fee; GIVES_NOTHING where all
            liquidity of the pool is on the other side of its price.
        pieces: None for a curve; see `kernels.sizing_layout` for these and for curves.
        form, row, token_in, token_out: the curve, if it is one.
    """

    source: AssetCode
    target: AssetCode
    log_rate: float
    pieces: Pieces | None
    form: int = NO_FORM
    row: tuple[float, ...] = ()
    token_in: int = 0
    token_out: int = 0


class PreparedPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool, checked, with its exact state and all of its directions.

    Attributes:
        row: what its last snapshot said of it; `snapshot` says what it is now.
        block: of the chain, whose state it is; None if its source does not say.
        packed: a pool with the fee of selling token 0, and its `ticks`, both of
            `kernels.concentrated`; None for a pool of another form.
    """

    pool: Pool
    row: AnyRow
    block: int | None
    state: PoolState
    sides: tuple[PoolSide, ...]
    packed: Packed | None = None

    @property
    def snapshot(self) -> PoolSnapshot:
        """The pool as a source would give it, were it read now."""
        row = row_now(self.row, self.state)
        return PoolSnapshot(pool=self.pool, row=row, block=self.block)

    @property
    def cut(self) -> tuple[str, ...]:
        """What of the pool's liquidity was left out as it does not fit, in words."""
        match self.state:
            case ConcentratedState():
                return self.state.table.cut
            case whirlpool.WhirlpoolState():
                return self.state.cut
            case _:
                return ()


def prepare_pool(snapshot: PoolSnapshot) -> PreparedPool:
    """Check a pool and find its directions: some milliseconds for one of a thousand ticks.

    Nothing here touches the market: it may run anywhere, so that what changes the market is short.

    Raises:
        BadValueError: no pool can be in this state, or a direction gives nothing.
    """
    state = state_of(snapshot)
    ticks = None
    if isinstance(state, ConcentratedState):
        table = state.table
        ticks = concentrated.pack_ticks(table.ticks, table.liquidity_nets, table.sqrt_ratios_x96)
    return prepare_state(snapshot.pool, snapshot.row, state, ticks, block=snapshot.block)


def prepare_state(
    pool: Pool,
    row: AnyRow,
    state: PoolState,
    ticks: NDArray[np.uint64] | None = None,
    *,
    block: int | None,
) -> PreparedPool:
    """Find the directions of a pool whose exact state is known.

    Args:
        pool: which it is.
        row: what its last snapshot said.
        state: its exact state.
        ticks: of `kernels.concentrated`, of a concentrated pool.
        block: whose state it is, if that is known.

    Raises:
        BadValueError: a direction gives nothing.
    """
    if isinstance(state, ConstantProductState) and (sides := sides_of_pair(pool, state)):
        return PreparedPool(pool=pool, row=row, block=block, state=state, sides=sides)
    packed = None
    if isinstance(state, ConcentratedState) and ticks is not None:
        packed = (pack(state, token_in=0), ticks)
    assets, units = pool.assets, [10.0**digits for _, digits in pool.tokens]
    found = []
    for token_in, token_out in permutations(range(len(assets)), 2):
        pieces = _pieces(state, packed, token_in, units)
        if pieces is None:
            form, curve_row, rate = _curve(state, token_in, token_out, units)
        else:
            form, curve_row, rate = NO_FORM, (), float(pieces[0, PIECE.RATE])
        gives_nothing = rate == 0.0 and isinstance(state, RANGED)
        if not (gives_nothing or 1 / RATE_MAX <= rate <= RATE_MAX):
            raise BadValueError(
                f"{pool}: the first unit from token {token_in} to {token_out} gives {rate}; it "
                f"must be within {1 / RATE_MAX:g} and {RATE_MAX:g}"
            )
        found.append(
            PoolSide(
                source=assets[token_in],
                target=assets[token_out],
                log_rate=GIVES_NOTHING if gives_nothing else math.log(rate),
                pieces=pieces,
                form=form,
                row=curve_row,
                token_in=token_in,
                token_out=token_out,
            )
        )
    return PreparedPool(
        pool=pool, row=row, block=block, state=state, sides=tuple(found), packed=packed
    )


def sides_of_pair(pool: Pool, state: ConstantProductState) -> tuple[PoolSide, ...]:
    """Return the directions of a pair in a quarter of the time; nothing if one has to be refused.

    `kernels.pair_sides` reckons the same, in the same order, for all pairs of a block.
    """
    (asset0, digits0), (asset1, digits1) = pool.tokens
    first, second = state.reserve0_raw / 10.0**digits0, state.reserve1_raw / 10.0**digits1
    keep0 = 1.0 - state.fee0_numerator / state.fee_denominator
    keep1 = 1.0 - state.fee1_numerator / state.fee_denominator
    rate0, rate1 = second / first * keep0, first / second * keep1
    bend0, bend1 = keep0 / first, keep1 / second
    if not (
        1 / RATE_MAX <= rate0 <= RATE_MAX
        and 1 / RATE_MAX <= rate1 <= RATE_MAX
        and max(first, second, bend0, bend1) <= AMOUNT_MAX
    ):
        return ()
    pieces = np.array(((0.0, 0.0, rate0, bend0), (0.0, 0.0, rate1, bend1)))
    return (
        PoolSide(
            source=asset0,
            target=asset1,
            log_rate=math.log(rate0),
            pieces=pieces[:1],
            token_out=1,
        ),
        PoolSide(
            source=asset1,
            target=asset0,
            log_rate=math.log(rate1),
            pieces=pieces[1:],
            token_in=1,
        ),
    )


def share_kept(pool: Pool, state: PoolState, token_in: int) -> float:
    """Return what the fee leaves of an input of a token."""
    if isinstance(state, ConcentratedState):
        return 1.0 - state.swap_fee_pips(token_in) / PIPS
    if isinstance(state, ConstantProductState):
        fee = (state.fee0_numerator, state.fee1_numerator)[token_in]
        return 1.0 - fee / state.fee_denominator
    return 1.0 - float(pool.fee_ratio)


def _pieces(
    state: PoolState, packed: Packed | None, token_in: int, units: Sequence[float]
) -> Pieces | None:
    """Return the pieces of a direction of a pool of two tokens, None for a curve."""
    unit_in, unit_out = units[token_in], units[1 - token_in]
    match state:
        case ConstantProductState():
            reserves = (state.reserve0_raw, state.reserve1_raw)
            fee = (state.fee0_numerator, state.fee1_numerator)[token_in] / state.fee_denominator
            return pieces_of_pair(
                reserve_in=reserves[token_in] / unit_in,
                reserve_out=reserves[1 - token_in] / unit_out,
                keep_ratio=1.0 - fee,
            )
        case ConcentratedState():
            assert packed is not None
            row, ticks = packed
            if token_in and state.protocol_fees_pips != (0, 0):
                row = pack(state, token_in=token_in)
            pieces = np.empty((min(len(ticks) + 2, PIECES_MAX), PIECE_COLUMNS))
            count = concentrated.fill_side(row, ticks, token_in, unit_in, unit_out, pieces)
            if count == 0:
                raise BadValueError("its ticks and its liquidity do not fit")
            return check_pieces(pieces[:count], what="a concentrated pool")
        case whirlpool.WhirlpoolState():
            sqrt_price, fee_ratio, index = whirlpool.as_row(state)
            pieces = pieces_of_ranges(
                whirlpool.as_ranges(state),
                sqrt_price=sqrt_price,
                range_index=int(index),
                fee_ratio=fee_ratio,
                token_in=token_in,
            )
            pieces[:, PIECE.CIN] /= unit_in
            pieces[:, PIECE.COUT] /= unit_out
            pieces[:, PIECE.RATE] *= unit_in / unit_out
            pieces[:, PIECE.BEND] *= unit_in
            return pieces
    return None


def _curve(
    state: PoolState, token_in: int, token_out: int, units: Sequence[float]
) -> tuple[int, tuple[float, ...], float]:
    """Return the form and the row of a direction of a curve, and the rate of its first unit."""
    match state:
        case solidly_pool.SolidlyState():
            form, row = FORM_SOLIDLY, np.array(solidly_pool.as_row(state))
            row[solidly.RESERVE : solidly.RESERVE + 2] /= units
            row[solidly.SCALE : solidly.SCALE + 2] *= units
            quote = solidly.solidly_quote(row, token_in, 0.0)
        case balancer_weighted.WeightedState():
            form = FORM_WEIGHTED
            row = np.array(balancer_weighted.as_row(state, token_in=token_in, token_out=token_out))
            row[BALANCE_IN] /= units[token_in]
            row[BALANCE_OUT] /= units[token_out]
            quote = weighted_quote(row, 0.0)
        case balancer_stable.StableState() | curve.CurveState():
            form = FORM_STABLE_SWAP
            if isinstance(state, curve.CurveState):
                row = np.array(curve.as_row(state))
            else:
                row = np.array(balancer_stable.as_row(state))
            row[stable_swap.RATE : stable_swap.RATE + len(units)] *= units
            quote = stable_swap.stable_swap_quote(row, token_in, token_out, 0.0)
        case _:
            raise BadValueError(f"a {type(state).__name__} is no curve")
    return form, tuple(row.tolist()), float(quote[1])


def pack(state: ConcentratedState, *, token_in: int) -> NDArray[np.uint64]:
    """Return the row of `kernels.concentrated`, with the fee of one direction."""
    row: NDArray[np.uint64] = concentrated.pack_pool(
        sqrt_price_x96=state.sqrt_price_x96,
        liquidity=state.liquidity,
        tick=state.tick,
        fee_pips=state.swap_fee_pips(token_in),
        known_x96=(state.table.known_min_x96, state.table.known_max_x96),
    )
    return row
