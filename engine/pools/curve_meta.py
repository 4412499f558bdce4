"""Curve's liquidity tokens, and metapools that trade one coin against a base pool's coins.

A metapool is a two-coin pool whose second coin is the base pool's liquidity token, rated at its
virtual price. `underlying_out` answers as the metapool's `get_dy_underlying`, which estimates the
deposit into the base pool; a swap for real deposits and withdraws with all fees.
"""

from dataclasses import dataclass, replace

from engine.domain.errors import BadValueError
from engine.pools.curve import (
    FEE_ONE_E10,
    ONE_E18,
    CurveState,
    given_for,
    invariant_of,
    quoted_out,
    scaled,
)
from engine.pools.curve_math import balance_at
from engine.pools.reverts import check_swap, check_whole

BASE_CACHE_S = 600
"""How long a metapool trusts its copy of the base pool's virtual price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaState:
    """A metapool (coin, base liquidity token) and its base pool."""

    pool: CurveState
    base: CurveState
    base_supply_raw: int

    def __post_init__(self) -> None:
        for state in (self.pool, self.base):
            _check_steady(state)


def virtual_price_e18(state: CurveState, *, supply_raw: int) -> int:
    """Return what one liquidity token is worth, as `get_virtual_price`.

    Raises:
        BadValueError: no supply, or the contract would revert.
    """
    check_whole(supply_raw, what="supply of the liquidity token", least=1, most=1 << 200)
    return invariant_of(state) * ONE_E18 // supply_raw


def cached_virtual_price_e18(
    *, cached_e18: int, cached_at_s: int, current_e18: int, at_s: int
) -> int:
    """Return the base price that a metapool uses: its copy for ten minutes, then the real one."""
    return current_e18 if at_s > cached_at_s + BASE_CACHE_S else cached_e18


def tokens_for_deposit(state: CurveState, amount_raw: int, *, token: int, supply_raw: int) -> int:
    """Return the liquidity tokens for a deposit of one coin, as `calc_token_amount`: without fees.

    Raises:
        BadValueError: the contract would revert.
    """
    before = invariant_of(state)
    balances = list(state.balances_raw)
    balances[token] += amount_raw
    after = invariant_of(replace(state, balances_raw=tuple(balances)))
    return (after - before) * supply_raw // before


def withdrawn(state: CurveState, tokens_raw: int, *, token: int, supply_raw: int) -> int:
    """Return the coins for liquidity tokens taken out as one coin, as `calc_withdraw_one_coin`.

    Raises:
        BadValueError: more tokens than there are, or the contract would revert.
    """
    _check_steady(state)
    check_whole(tokens_raw, what="liquidity tokens", least=1, most=supply_raw)
    count = len(state.balances_raw)
    fee_e10 = state.fee_e10 * count // (4 * (count - 1))
    balances = scaled(state)
    before = invariant_of(state)
    after = before - tokens_raw * before // supply_raw
    amp, precision = state.amp, state.amp_precision
    left = balance_at(balances, token=token, amp=amp, amp_precision=precision, d=after)
    reduced = []
    for index, balance in enumerate(balances):
        fair = balance * after // before
        moved = fair - left if index == token else balance - fair
        reduced.append(balance - fee_e10 * moved // FEE_ONE_E10)
    kept = balance_at(reduced, token=token, amp=amp, amp_precision=precision, d=after)
    gross = reduced[token] - kept - 1
    if gross < 0:
        raise BadValueError("too few liquidity tokens: the contract would pay less than nothing")
    return gross * ONE_E18 // state.rates_e18[token]


def underlying_out(state: MetaState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what `get_dy_underlying` answers; token 0 is the coin, 1 and up are the base's coins.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    count = 1 + len(state.base.balances_raw)
    check_swap(amount_in_raw, token_in=token_in, token_out=token_out, count=count)
    if token_in > 0 and token_out > 0:
        return quoted_out(state.base, amount_in_raw, token_in=token_in - 1, token_out=token_out - 1)
    rate_e18, price_e18 = state.pool.rates_e18
    if token_in == 0:
        added = amount_in_raw * rate_e18 // ONE_E18
        net = _less_fee(state.pool, given_for(state.pool, added, token_in=0, token_out=1))
        return withdrawn(
            state.base,
            net * ONE_E18 // price_e18,
            token=token_out - 1,
            supply_raw=state.base_supply_raw,
        )
    tokens = tokens_for_deposit(
        state.base, amount_in_raw, token=token_in - 1, supply_raw=state.base_supply_raw
    )
    worth = tokens * price_e18 // ONE_E18
    worth -= worth * state.base.fee_e10 // (2 * FEE_ONE_E10)  # the deposit's fee, roughly
    given = given_for(state.pool, worth, token_in=1, token_out=0)
    return _less_fee(state.pool, given) * ONE_E18 // rate_e18


def _less_fee(state: CurveState, given: int) -> int:
    return given - given * state.fee_e10 // FEE_ONE_E10


def _check_steady(state: CurveState) -> None:
    """Refuse pools whose fee rises off the peg: deposits and withdrawals pay it in another way."""
    if state.offpeg_e10 > FEE_ONE_E10:
        raise BadValueError("the fee of a metapool or its base rises off the peg: no form is known")
