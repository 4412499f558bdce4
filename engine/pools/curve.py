"""Exact Curve StableSwap pools of two to four coins, old and new.

`amount_out` is what `exchange` pays; `quoted_out` is what `get_dy` answers, which a few pools round
in another order. The contracts have no exact output, so `amount_in` searches for it.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.domain.errors import BadValueError
from engine.pools.curve_math import ProductForm, balance_after, invariant
from engine.pools.reverts import (
    DECIMALS_MAX,
    DECIMALS_MIN,
    U128_MAX,
    U256_MAX,
    check_same_count,
    check_swap,
    check_tokens,
    check_whole,
    overflow,
)
from engine.pools.search import least_amount_in

ONE_E18 = 10**18
FEE_ONE_E10 = 10**10
FEE_E10_MAX = FEE_ONE_E10 // 2
"""`MAX_FEE` of the contracts."""
AMP_MAX = 10**6
"""`MAX_A` of the contracts."""
OFFPEG_E10_MAX = FEE_E10_MAX * FEE_ONE_E10
"""At this multiplier a fee of one part in 10**10 rises to `MAX_FEE`, as high as any may rise."""
COINS_MAX = 4
PAIR = 2
RATE_E18_MAX = 10**40


class QuoteOrder(enum.Enum):
    """What `get_dy` does first with the raw output."""

    FEE_FIRST = "fee, then conversion"
    CONVERSION_FIRST = "conversion, then fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveState:
    """A pool as its contract holds it; `make_curve` checks one.

    `rates_e18` turn raw units into the common unit: 10**(36 - decimals) times the coin's own rate
    (virtual price, redemption price). `amp` is A*n^(n-1) times `amp_precision`, ramped to the
    moment asked for. `kept` is the unit that pools keep against rounding (1; 0 in the first ones).
    `offpeg_e10` is how many times the fee is far off the peg what it is at it, times 10**10; up to
    10**10 (once) the fee is the same everywhere.
    """

    balances_raw: tuple[int, ...]
    rates_e18: tuple[int, ...]
    amp: int
    amp_precision: int
    fee_e10: int
    form: ProductForm = ProductForm.LOOP
    quote_order: QuoteOrder = QuoteOrder.FEE_FIRST
    kept: int = 1
    offpeg_e10: int = 0


def make_curve(
    *,
    pool: str,
    tokens: Sequence[str],
    balances_raw: Sequence[int],
    decimals: Sequence[int],
    amp: int,
    amp_precision: int,
    fee_e10: int,
    coin_rates_e18: Sequence[int] | None = None,
    form: ProductForm = ProductForm.LOOP,
    quote_order: QuoteOrder = QuoteOrder.FEE_FIRST,
    offpeg_e10: int = 0,
) -> CurveState:
    """Check a pool's values and make its state.

    Raises:
        BadValueError: a value that no deployed pool can have; the text names it and the pool.
    """
    check_tokens(tokens, pool=pool, least=2, most=COINS_MAX)
    count = len(tokens)
    coin_rates_e18 = coin_rates_e18 or [ONE_E18] * count
    check_same_count(balances_raw, what="balances", pool=pool, count=count)
    check_same_count(decimals, what="decimals", pool=pool, count=count)
    check_same_count(coin_rates_e18, what="rates", pool=pool, count=count)
    for token, balance_raw, places, rate_e18 in zip(
        tokens, balances_raw, decimals, coin_rates_e18, strict=True
    ):
        what = f"balance of {token} in pool {pool}, in raw units,"
        check_whole(balance_raw, what=what, least=1, most=U128_MAX)
        check_whole(places, what=f"decimals of {token}", least=DECIMALS_MIN, most=DECIMALS_MAX)
        check_whole(rate_e18, what=f"rate of {token}", least=1, most=RATE_E18_MAX)
    if amp_precision not in (1, 100):
        raise BadValueError(f"amplification precision {amp_precision} of pool {pool}: 1 or 100")
    check_whole(
        amp, what=f"amplification of pool {pool}", least=amp_precision, most=AMP_MAX * amp_precision
    )
    check_whole(fee_e10, what=f"fee of pool {pool} times 10**10", least=0, most=FEE_E10_MAX)
    check_offpeg(offpeg_e10, fee_e10=fee_e10, pool=pool)
    if form is ProductForm.PAIR and count != PAIR:
        raise BadValueError(f"pool {pool} of {count} coins with the formula for a pair")
    state = CurveState(
        balances_raw=tuple(balances_raw),
        rates_e18=tuple(
            rate_e18 * 10 ** (18 - places)
            for rate_e18, places in zip(coin_rates_e18, decimals, strict=True)
        ),
        amp=amp,
        amp_precision=amp_precision,
        fee_e10=fee_e10,
        form=form,
        quote_order=quote_order,
        offpeg_e10=offpeg_e10,
    )
    try:
        invariant_of(state)
    except BadValueError as error:
        raise BadValueError(f"pool {pool} cannot trade: {error}") from error
    return state


def check_offpeg(offpeg_e10: int, *, fee_e10: int, pool: str) -> None:
    """Check by what a fee is multiplied off the peg: the contract lets none rise above `MAX_FEE`.

    Raises:
        BadValueError: it does not.
    """
    what = f"off-peg multiplier of the fee of pool {pool} times 10**10"
    check_whole(offpeg_e10, what=what, least=0, most=OFFPEG_E10_MAX)
    if offpeg_e10 > FEE_ONE_E10 and offpeg_e10 * fee_e10 > FEE_E10_MAX * FEE_ONE_E10:
        raise BadValueError(
            f"the fee of pool {pool} would rise off the peg to"
            f" {offpeg_e10 * fee_e10 // FEE_ONE_E10} of 10**10; at most {FEE_E10_MAX} may be"
        )


def fee_between(state: CurveState, first_e18: int, second_e18: int) -> int:
    """Return the fee times 10**10 at balances of the two coins in the common unit.

    As `_dynamic_fee`: it rises as they differ.

    Raises:
        BadValueError: the contract would revert.
    """
    if state.offpeg_e10 <= FEE_ONE_E10:
        return state.fee_e10
    near = (state.offpeg_e10 - FEE_ONE_E10) * 4 * first_e18 * second_e18
    square = (first_e18 + second_e18) ** 2
    if near > U256_MAX or square > U256_MAX:
        raise overflow("fee off the peg")
    return state.offpeg_e10 * state.fee_e10 // (near // square + FEE_ONE_E10)


def amount_out(state: CurveState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what `exchange` pays.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    added_e18 = _added(state, amount_in_raw, token_in=token_in, token_out=token_out)
    swap = _swap(_before(state), added_e18, token_in=token_in, token_out=token_out)
    return _paid(state, swap, token_out=token_out)


def quoted_out(state: CurveState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what `get_dy` answers: in some pools a unit more or less than `exchange` pays.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    if state.quote_order is QuoteOrder.FEE_FIRST:
        return amount_out(state, amount_in_raw, token_in=token_in, token_out=token_out)
    added_e18 = _added(state, amount_in_raw, token_in=token_in, token_out=token_out)
    swap = _swap(_before(state), added_e18, token_in=token_in, token_out=token_out)
    given_raw = swap.given_e18 * ONE_E18 // state.rates_e18[token_out]
    return given_raw - given_raw * swap.fee_e10 // FEE_ONE_E10


def amount_in(state: CurveState, amount_out_raw: int, *, token_in: int, token_out: int) -> int:
    """Return the least input for which `exchange` pays `amount_out_raw`, by search.

    Where the fee rises off the peg the output falls by single parts of 10**10 as the input rises:
    there it is an input that pays so much while one unit less does not.

    Raises:
        BadValueError: arguments that no contract takes, or more than the pool can pay.
    """
    check_swap(
        amount_out_raw, token_in=token_in, token_out=token_out, count=len(state.balances_raw)
    )
    if amount_out_raw >= state.balances_raw[token_out]:
        raise BadValueError(
            f"output {amount_out_raw} raw is not below the balance {state.balances_raw[token_out]}"
        )

    before = _before(state)

    def quote(tried_raw: int) -> int:
        added_e18 = tried_raw * state.rates_e18[token_in] // ONE_E18
        swap = _swap(before, added_e18, token_in=token_in, token_out=token_out)
        return _paid(state, swap, token_out=token_out)

    guess_raw = _guess_in(before, amount_out_raw, token_in=token_in, token_out=token_out)
    return least_amount_in(quote, amount_out_raw, guess_raw=guess_raw, most_raw=U128_MAX)


def scaled(state: CurveState) -> list[int]:
    """Return the balances in the common unit, as `_xp` rounds."""
    return [
        rate_e18 * balance_raw // ONE_E18
        for rate_e18, balance_raw in zip(state.rates_e18, state.balances_raw, strict=True)
    ]


def invariant_of(state: CurveState) -> int:
    """Return the pool's D.

    Raises:
        BadValueError: the contract would revert.
    """
    return invariant(
        scaled(state), amp=state.amp, amp_precision=state.amp_precision, form=state.form
    )


def given_for(state: CurveState, added_e18: int, *, token_in: int, token_out: int) -> int:
    """Return the gross output for an added input, both in the common unit.

    Raises:
        BadValueError: the contract would revert.
    """
    return _swap(_before(state), added_e18, token_in=token_in, token_out=token_out).given_e18


def as_row(state: CurveState) -> tuple[float, ...]:
    """Give the numbers that the float kernel reads: fees, A*n^n, D, balances, rates, multiplier."""
    padding = (0.0,) * (5 - len(state.balances_raw))
    return (
        float(len(state.balances_raw)),
        0.0,
        state.fee_e10 / FEE_ONE_E10,
        state.amp * len(state.balances_raw) / state.amp_precision,
        invariant_of(state) / ONE_E18,
        *(balance / ONE_E18 for balance in scaled(state)),
        *padding,
        *(rate_e18 / ONE_E18 / ONE_E18 for rate_e18 in state.rates_e18),
        *padding,
        state.offpeg_e10 / FEE_ONE_E10,
    )


class _Before(NamedTuple):
    """A pool and what swaps at it share: its balances in the common unit and its D."""

    state: CurveState
    balances_e18: list[int]
    d_e18: int


class _Swap(NamedTuple):
    """Gross output in the common unit, and the fee times 10**10 that is taken of it."""

    given_e18: int
    fee_e10: int


def _before(state: CurveState) -> _Before:
    return _Before(state, scaled(state), invariant_of(state))


def _added(state: CurveState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    check_swap(amount_in_raw, token_in=token_in, token_out=token_out, count=len(state.balances_raw))
    if amount_in_raw * state.rates_e18[token_in] > U256_MAX:
        raise overflow("input times rate")
    return amount_in_raw * state.rates_e18[token_in] // ONE_E18


def _swap(before: _Before, added_e18: int, *, token_in: int, token_out: int) -> _Swap:
    state, balances, d_e18 = before
    balance_in = balances[token_in] + added_e18
    left = balance_after(
        balances,
        token_in=token_in,
        token_out=token_out,
        balance_in=balance_in,
        amp=state.amp,
        amp_precision=state.amp_precision,
        d=d_e18,
    )
    given = balances[token_out] - left - state.kept
    if given < 0:
        raise BadValueError("the input is too small: the contract would pay less than nothing")
    averages = (balances[token_in] + balance_in) // 2, (balances[token_out] + left) // 2
    return _Swap(given, fee_between(state, *averages))


def _paid(state: CurveState, swap: _Swap, *, token_out: int) -> int:
    net_e18 = swap.given_e18 - swap.given_e18 * swap.fee_e10 // FEE_ONE_E10
    return net_e18 * ONE_E18 // state.rates_e18[token_out]


def _guess_in(before: _Before, amount_out_raw: int, *, token_in: int, token_out: int) -> int:
    """Solve the curve the other way round, which is symmetric, after adding the fee."""
    state, balances, d_e18 = before
    net_e18 = -(-amount_out_raw * state.rates_e18[token_out] // ONE_E18)
    fee_e10 = fee_between(state, balances[token_in], balances[token_out])
    given_e18 = net_e18 * FEE_ONE_E10 // (FEE_ONE_E10 - fee_e10)
    left = balances[token_out] - given_e18 - state.kept
    try:
        needed = balance_after(
            balances,
            token_in=token_out,
            token_out=token_in,
            balance_in=max(left, 1),
            amp=state.amp,
            amp_precision=state.amp_precision,
            d=d_e18,
        )
    except BadValueError:
        return 1  # too coarse to guess: the search starts at the bottom
    return max((needed - balances[token_in]) * ONE_E18 // state.rates_e18[token_in], 1)
