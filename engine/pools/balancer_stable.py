"""Exact Balancer V2 stable pools (meta stable and composable), as `StableMath` rounds.

Swaps between the pool's tokens; its own share token (BPT) trades by joins and exits, which are not
modelled, and is left out of the balances. Amplification has three decimals.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.errors import BadValueError
from engine.pools.balancer_math import ONE_E18, div_down, div_up, mul_down, mul_up
from engine.pools.reverts import (
    DECIMALS_MAX,
    DECIMALS_MIN,
    U256_MAX,
    check_same_count,
    check_swap,
    check_tokens,
    check_whole,
    overflow,
)

AMP_PRECISION = 1_000
AMP_MAX = 5_000 * AMP_PRECISION
TOKENS_MAX = 5
STEPS_MAX = 255
BALANCE_RAW_MAX = (1 << 112) - 1
RATE_E18_MAX = 10**40


class InvariantForm(enum.Enum):
    """How a deployed `StableMath` finds D."""

    ROUND_DOWN = "D^(n+1) over the product, always down"  # composable pools
    ROUND_UP = "the product over D^(n-1), up for swaps"  # meta stable pools


@dataclass(frozen=True, slots=True, kw_only=True)
class StableState:
    """A pool as vault and contract hold it, without its share token; `make_stable` checks one.

    `factors_e18` turn raw units into the common unit: 10**(36 - decimals) times the token's rate.
    """

    balances_raw: tuple[int, ...]
    factors_e18: tuple[int, ...]
    amp: int
    fee_e18: int
    form: InvariantForm


def make_stable(
    *,
    pool: str,
    tokens: Sequence[str],
    balances_raw: Sequence[int],
    decimals: Sequence[int],
    rates_e18: Sequence[int],
    amp: int,
    fee_e18: int,
    form: InvariantForm,
) -> StableState:
    """Check a pool's values and make its state; leave the share token out of every list.

    Raises:
        BadValueError: a value that no deployed pool can have; the text names it and the pool.
    """
    check_tokens(tokens, pool=pool, least=2, most=TOKENS_MAX)
    for what, values in (("balances", balances_raw), ("decimals", decimals), ("rates", rates_e18)):
        check_same_count(values, what=what, pool=pool, count=len(tokens))
    for token, balance_raw, places, rate_e18 in zip(
        tokens, balances_raw, decimals, rates_e18, strict=True
    ):
        what = f"balance of {token} in pool {pool}, in raw units,"
        check_whole(balance_raw, what=what, least=1, most=BALANCE_RAW_MAX)
        check_whole(places, what=f"decimals of {token}", least=DECIMALS_MIN, most=DECIMALS_MAX)
        check_whole(rate_e18, what=f"rate of {token}", least=1, most=RATE_E18_MAX)
    what = f"amplification of pool {pool} times 1000"
    check_whole(amp, what=what, least=AMP_PRECISION, most=AMP_MAX)
    check_whole(fee_e18, what=f"fee of pool {pool} times 10**18", least=0, most=ONE_E18 - 1)
    state = StableState(
        balances_raw=tuple(balances_raw),
        factors_e18=tuple(
            rate_e18 * 10 ** (18 - places)
            for rate_e18, places in zip(rates_e18, decimals, strict=True)
        ),
        amp=amp,
        fee_e18=fee_e18,
        form=form,
    )
    try:
        invariant(amp, scaled(state), form=form)
    except BadValueError as error:
        raise BadValueError(f"pool {pool} cannot trade: {error}") from error
    return state


def amount_out(state: StableState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what a swap of exact input pays; 0 if that rounds to nothing.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    check_swap(amount_in_raw, token_in=token_in, token_out=token_out, count=len(state.balances_raw))
    net_raw = amount_in_raw - mul_up(amount_in_raw, state.fee_e18)
    balances = scaled(state)
    given = out_given_in(
        state.amp,
        balances,
        mul_down(net_raw, state.factors_e18[token_in]),
        token_in=token_in,
        token_out=token_out,
        d=invariant(state.amp, balances, form=state.form),
    )
    return div_down(given, state.factors_e18[token_out])


def amount_in(state: StableState, amount_out_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what a swap of exact output takes.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    check_swap(
        amount_out_raw, token_in=token_in, token_out=token_out, count=len(state.balances_raw)
    )
    balances = scaled(state)
    taken = in_given_out(
        state.amp,
        balances,
        mul_down(amount_out_raw, state.factors_e18[token_out]),
        token_in=token_in,
        token_out=token_out,
        d=invariant(state.amp, balances, form=state.form),
    )
    return div_up(div_up(taken, state.factors_e18[token_in]), ONE_E18 - state.fee_e18)


def scaled(state: StableState) -> list[int]:
    """Return the balances in the common unit, as the pool's `_upscaleArray` rounds."""
    return [
        mul_down(balance_raw, factor_e18)
        for balance_raw, factor_e18 in zip(state.balances_raw, state.factors_e18, strict=True)
    ]


def out_given_in(
    amp: int, balances: Sequence[int], amount: int, *, token_in: int, token_out: int, d: int
) -> int:
    """Return the output for an input, both in the common unit.

    Raises:
        BadValueError: the contract would revert.
    """
    after = list(balances)
    after[token_in] += amount
    given = balances[token_out] - balance_at(amp, after, token=token_out, d=d) - 1
    if given < 0:
        raise BadValueError("the input is too small: the contract would pay less than nothing")
    return given


def in_given_out(
    amp: int, balances: Sequence[int], amount: int, *, token_in: int, token_out: int, d: int
) -> int:
    """Return the input for an output, both in the common unit.

    Raises:
        BadValueError: more than the balance, or the contract would revert.
    """
    if amount >= balances[token_out]:
        raise BadValueError(f"output {amount} is not below the balance {balances[token_out]}")
    after = list(balances)
    after[token_out] -= amount
    taken = balance_at(amp, after, token=token_in, d=d) - balances[token_in] + 1
    if taken < 0:
        raise BadValueError("the output is too small: the contract would take less than nothing")
    return taken


def invariant(amp: int, balances: Sequence[int], *, form: InvariantForm) -> int:
    """Return D as swaps of the given kind of pool see it.

    Raises:
        BadValueError: a word too wide, a balance of 0, or no convergence: the contract reverts.
    """
    if form is InvariantForm.ROUND_UP:
        return invariant_rounded(amp, balances, is_up=True)
    total = d = sum(balances)
    if total == 0:
        return 0
    if 0 in balances:
        raise BadValueError("one balance is 0 and another is not: the invariant divides by it")
    count = len(balances)
    ann = amp * count
    weighted = ann * total // AMP_PRECISION
    for _ in range(STEPS_MAX):
        product = before = d
        for balance in balances:
            product = product * d // (balance * count)
        top = (weighted + product * count) * d
        if top > U256_MAX or product * d > U256_MAX:
            raise overflow("invariant of the balances")
        d = top // ((ann - AMP_PRECISION) * d // AMP_PRECISION + (count + 1) * product)
        if -1 <= d - before <= 1:
            return d
    raise BadValueError(f"the invariant did not converge in {STEPS_MAX} steps")


def invariant_rounded(amp: int, balances: Sequence[int], *, is_up: bool) -> int:
    """Return D by the meta stable pools' formula, rounded up for swaps and down for joins.

    Raises:
        BadValueError: a word too wide, or no convergence: the contract reverts.
    """
    total = d = sum(balances)
    if total == 0:
        return 0
    count = len(balances)
    ann = amp * count
    divide, divide_other_way = (_div_up, _div_down) if is_up else (_div_down, _div_up)
    for _ in range(STEPS_MAX):
        before = d
        product = balances[0] * count
        for balance in balances[1:]:
            product = divide(product * balance * count, d)
        top = count * d * d + divide(ann * total * product, AMP_PRECISION)
        if ann * total * product > U256_MAX or top > U256_MAX:
            raise overflow("invariant of the balances")
        bottom = (count + 1) * d + divide_other_way((ann - AMP_PRECISION) * product, AMP_PRECISION)
        d = divide(top, bottom)
        if -1 <= d - before <= 1:
            return d
    raise BadValueError(f"the invariant did not converge in {STEPS_MAX} steps")


def balance_at(amp: int, balances: Sequence[int], *, token: int, d: int) -> int:
    """Return the balance of one token from all others and the invariant, rounded up.

    Raises:
        BadValueError: a word too wide, or no convergence: the contract reverts.
    """
    count = len(balances)
    ann = amp * count
    product = balances[0] * count
    for balance in balances[1:]:
        product = product * balance * count // d
    squared = d * d
    c = _div_up(squared, ann * product) * AMP_PRECISION * balances[token]
    b = sum(balances) - balances[token] + d // ann * AMP_PRECISION
    if c > U256_MAX or squared + c > U256_MAX:
        raise overflow("square of the invariant")
    found = _div_up(squared + c, d + b)
    for _ in range(STEPS_MAX):
        before = found
        top = found * found + c
        bottom = 2 * found + b - d
        if top > U256_MAX or bottom <= 0:
            raise overflow("balance after the swap")
        found = _div_up(top, bottom)
        if -1 <= found - before <= 1:
            return found
    raise BadValueError(f"the balance did not converge in {STEPS_MAX} steps")


def as_row(state: StableState) -> tuple[float, ...]:
    """Give the numbers that the float kernel reads: fees, A*n^n, D, balances, factors."""
    count = len(state.balances_raw)
    balances = scaled(state)
    padding = (0.0,) * (TOKENS_MAX - count)
    return (
        float(count),
        state.fee_e18 / ONE_E18,
        0.0,
        state.amp * count / AMP_PRECISION,
        invariant(state.amp, balances, form=state.form) / ONE_E18,
        *(balance / ONE_E18 for balance in balances),
        *padding,
        *(factor_e18 / ONE_E18 / ONE_E18 for factor_e18 in state.factors_e18),
        *padding,
        0.0,
    )


def _div_up(a: int, b: int) -> int:
    if b == 0:
        raise BadValueError("division by 0: the contract would revert")
    return -(-a // b)


def _div_down(a: int, b: int) -> int:
    if b == 0:
        raise BadValueError("division by 0: the contract would revert")
    return a // b
