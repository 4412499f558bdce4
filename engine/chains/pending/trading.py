"""A swap in one pool, exactly: what it takes and gives, and how it leaves the pool.

Only forms whose contract keeps what a swap pays are here; of the others the state after it does not
follow from the amounts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools import concentrated, constant_product, solidly
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState
from engine.pools.solidly import FEE_ONE_E6, SolidlyState

Answer = TypeVar("Answer")

_ONE_E9: Final = 1_000_000_000

_KEPT: Final = frozenset(
    {
        Protocol.UNISWAP_V2,
        Protocol.SUSHISWAP_V2,
        Protocol.PANCAKESWAP_V2,
        Protocol.QUICKSWAP_V2,
        Protocol.BASESWAP_V2,
        Protocol.BISWAP_V2,
        Protocol.UNISWAP_V3,
        Protocol.SUSHISWAP_V3,
        Protocol.PANCAKESWAP_V3,
        Protocol.AERODROME_SLIPSTREAM,
        Protocol.VELODROME_SLIPSTREAM,
        Protocol.UNISWAP_V4,
        Protocol.AERODROME_V2,
        Protocol.VELODROME_V2,
    }
)
"""Camelot pays a part of its fee out at each swap, Algebra changes its fee, Curve pays what its
state does not say."""


class RevertsError(Exception):
    """The contract would refuse: nothing of the call happens."""


class UnpredictedError(Exception):
    """What the contract would do cannot be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """A swap in a pool, and the pool after it."""

    amount_in_raw: int
    amount_out_raw: int
    after: PoolState


def sell(
    pool: Pool,
    state: PoolState,
    amount_raw: int,
    *,
    token_in: int,
    kept_e9: int = 0,
    limit_x96: int = 0,
) -> Traded:
    """Sell an amount to a pool.

    Args:
        pool: which it is.
        state: the pool before.
        amount_raw: of what is sold.
        token_in: its index in the pool.
        kept_e9: what the caller reckons a pair keeps of an input after its fee; 0: what it does.
        limit_x96: root of the price where a concentrated pool stops, 0 for none.

    Raises:
        RevertsError: the pool or its caller refuses.
        UnpredictedError: no exact answer is known for such a pool.
    """
    _check_kept(pool)
    match state:
        case ConstantProductState() | SolidlyState():
            given_raw = quote_out(state, amount_raw, token_in=token_in, kept_e9=kept_e9)
            return trade(pool, state, amount_raw, given_raw, token_in=token_in)
        case ConcentratedState():
            swap = _asked(
                state,
                lambda: concentrated.swap_exact_in(
                    state, amount_raw, token_in=token_in, sqrt_price_limit_x96=limit_x96 or None
                ),
            )
            return _traded(state, swap)
    raise UnpredictedError(f"{type(state).__name__} is not traded through a router")


def buy(
    pool: Pool, state: PoolState, amount_raw: int, *, token_in: int, limit_x96: int = 0
) -> Traded:
    """Buy an amount from a concentrated pool; otherwise as `sell`."""
    _check_kept(pool)
    if not isinstance(state, ConcentratedState):
        raise UnpredictedError(f"{type(state).__name__} gives no exact output by itself")
    swap = _asked(
        state,
        lambda: concentrated.swap_exact_out(
            state, amount_raw, token_in=token_in, sqrt_price_limit_x96=limit_x96 or None
        ),
    )
    return _traded(state, swap)


def quote_out(state: PoolState, amount_raw: int, *, token_in: int, kept_e9: int = 0) -> int:
    """Return what a router asks of a pair for an input.

    Raises:
        RevertsError: its library refuses.
        UnpredictedError: it is no pair.
    """
    match state:
        case ConstantProductState() if kept_e9:
            reserves = (state.reserve0_raw, state.reserve1_raw)
            kept = amount_raw * kept_e9
            return kept * reserves[1 - token_in] // (reserves[token_in] * _ONE_E9 + kept)
        case ConstantProductState():
            return _asked(
                state, lambda: constant_product.amount_out(state, amount_raw, token_in=token_in)
            )
        case SolidlyState():
            return _asked(
                state,
                lambda: solidly.amount_out(
                    state, amount_raw, token_in=token_in, token_out=1 - token_in
                ),
            )
    raise UnpredictedError(f"{type(state).__name__} is no pair")


def quote_in(state: PoolState, amount_out_raw: int, *, token_in: int) -> int:
    """Return what a router pays a pair for an output.

    Raises:
        RevertsError: its library refuses.
        UnpredictedError: it is no pair that knows an exact output.
    """
    if not isinstance(state, ConstantProductState):
        raise UnpredictedError(f"{type(state).__name__} knows no exact output")
    return _asked(
        state, lambda: constant_product.amount_in(state, amount_out_raw, token_in=token_in)
    )


def trade(
    pool: Pool, state: PoolState, amount_in_raw: int, amount_out_raw: int, *, token_in: int
) -> Traded:
    """Take an amount into a pair and another one out.

    Raises:
        RevertsError: the pair refuses.
        UnpredictedError: it is no pair.
    """
    _check_kept(pool)
    match state:
        case ConstantProductState():
            after: PoolState = _asked(
                state,
                lambda: constant_product.after_swap(
                    state,
                    amount_in_raw=amount_in_raw,
                    amount_out_raw=amount_out_raw,
                    token_in=token_in,
                ),
            )
        case SolidlyState():
            if not 0 < amount_out_raw < state.reserves_raw[1 - token_in]:
                raise RevertsError(f"{pool} gives no {amount_out_raw}")
            # The fee leaves the pool for those who are paid it.
            kept_raw = amount_in_raw - amount_in_raw * state.fee_e6 // FEE_ONE_E6
            reserves = list(state.reserves_raw)
            reserves[token_in] += kept_raw
            reserves[1 - token_in] -= amount_out_raw
            after = replace(state, reserves_raw=(reserves[0], reserves[1]))
        case _:
            raise UnpredictedError(f"{type(state).__name__} is no pair")
    return Traded(amount_in_raw=amount_in_raw, amount_out_raw=amount_out_raw, after=after)


def _check_kept(pool: Pool) -> None:
    if pool.protocol not in _KEPT:
        raise UnpredictedError(f"the state of {pool.protocol} after a swap does not follow from it")


def _traded(state: ConcentratedState, swap: concentrated.Swap) -> Traded:
    if swap.amount_in_raw == 0:
        raise RevertsError("a swap that takes nothing")
    return Traded(
        amount_in_raw=swap.amount_in_raw,
        amount_out_raw=swap.amount_out_raw,
        after=concentrated.state_after(state, swap),
    )


def _asked(state: PoolState, ask: Callable[[], Answer]) -> Answer:
    """Return an answer of an exact form; what it refuses the contract refuses too."""
    try:
        return ask()
    except BadValueError as error:
        if isinstance(state, ConcentratedState) and not state.table.is_whole:
            raise UnpredictedError(f"not all ticks of the pool are known: {error}") from error
        raise RevertsError(str(error)) from error
