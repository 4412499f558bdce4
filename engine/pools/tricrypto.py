"""Exact quotes of Curve's first tricrypto pools: three coins of unlike value round a price scale.

Only `get_dy` of the views contract is modelled; there is no screening kernel. Source: Curve
`CurveCryptoMath3` and `CurveCryptoViews3`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from engine.domain.errors import BadValueError
from engine.pools.reverts import check_swap

ONE_E18 = 10**18
FEE_ONE_E10 = 10**10
COINS = 3
AMP_PRECISION = 100
STEPS_MAX = 255
_AMP_LEAST = COINS**COINS * AMP_PRECISION


@dataclass(frozen=True, slots=True, kw_only=True)
class TricryptoState:
    """A pool as its contract holds it; prices are those of coins 1 and 2 in coin 0."""

    balances_raw: tuple[int, int, int]
    scales: tuple[int, int, int]
    amp: int
    gamma_e18: int
    d_e18: int
    price_scale_e18: tuple[int, int]
    fee_gamma_e18: int
    mid_fee_e10: int
    out_fee_e10: int


def amount_out(state: TricryptoState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what `get_dy` answers.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    check_swap(amount_in_raw, token_in=token_in, token_out=token_out, count=COINS)
    balances = list(state.balances_raw)
    balances[token_in] += amount_in_raw
    prices_e18 = (ONE_E18, *state.price_scale_e18)
    values = [
        balance * scale * price_e18 // ONE_E18
        for balance, scale, price_e18 in zip(balances, state.scales, prices_e18, strict=True)
    ]
    left = solve_balance(
        values, token=token_out, amp=state.amp, gamma_e18=state.gamma_e18, d_e18=state.d_e18
    )
    given = values[token_out] - left - 1
    if given < 0:
        raise BadValueError("the input is too small: the contract would pay less than nothing")
    values[token_out] = left
    given = given * ONE_E18 // prices_e18[token_out] // state.scales[token_out]
    balance_e18 = evenness_e18(values, fee_gamma_e18=state.fee_gamma_e18)
    fee_e10 = (
        state.mid_fee_e10 * balance_e18 + state.out_fee_e10 * (ONE_E18 - balance_e18)
    ) // ONE_E18
    return given - fee_e10 * given // FEE_ONE_E10


def evenness_e18(values: Sequence[int], *, fee_gamma_e18: int) -> int:
    """Return 1 for a balanced pool, falling towards 0, which moves the fee from mid to out."""
    total = sum(values)
    product = reduce(lambda so_far, value: so_far * len(values) * value // total, values, ONE_E18)
    if fee_gamma_e18 > 0:
        return fee_gamma_e18 * ONE_E18 // (fee_gamma_e18 + ONE_E18 - product)
    return product


def solve_balance(
    values: Sequence[int], *, token: int, amp: int, gamma_e18: int, d_e18: int
) -> int:
    """Return one value from the others and the invariant, by the contract's Newton iteration.

    Raises:
        BadValueError: outside the bounds that the contract calls safe, or no convergence.
    """
    _check_safe(values, token=token, amp=amp, gamma_e18=gamma_e18, d_e18=d_e18)
    large, small = sorted(
        (value for index, value in enumerate(values) if index != token), reverse=True
    )
    y = d_e18 // COINS
    for value in (small, large):
        y = y * d_e18 // (value * COINS)
    ratio_e18 = ONE_E18
    for value in (large, small):
        ratio_e18 = ratio_e18 * value * COINS // d_e18
    limit = max(large // 10**14, d_e18 // 10**14, 100)
    for _ in range(STEPS_MAX):
        before = y
        y = _step(
            y, others=large + small, ratio_e18=ratio_e18, amp=amp, gamma_e18=gamma_e18, d_e18=d_e18
        )
        if abs(y - before) < max(limit, y // 10**14):
            _check_share(y, d_e18=d_e18)
            return y
    raise BadValueError(f"the balance did not converge in {STEPS_MAX} steps")


def _step(y: int, *, others: int, ratio_e18: int, amp: int, gamma_e18: int, d_e18: int) -> int:
    if y == 0:
        raise BadValueError("the balance reached 0: the contract would revert")
    k0 = ratio_e18 * y * COINS // d_e18
    total = others + y
    g1 = abs(gamma_e18 + ONE_E18 - k0) + 1
    mul1 = ONE_E18 * d_e18 // gamma_e18 * g1 // gamma_e18 * g1 * AMP_PRECISION // amp
    mul2 = ONE_E18 + 2 * ONE_E18 * k0 // g1
    value = ONE_E18 * y + total * mul2 + mul1
    if value < d_e18 * mul2:
        return y // 2
    value -= d_e18 * mul2
    slope = value // y
    minus = mul1 // slope
    plus = (value + ONE_E18 * d_e18) // slope + minus * ONE_E18 // k0
    minus += ONE_E18 * total // slope
    return y // 2 if plus < minus else plus - minus


def _check_safe(values: Sequence[int], *, token: int, amp: int, gamma_e18: int, d_e18: int) -> None:
    if not _AMP_LEAST <= amp <= 10_000 * _AMP_LEAST:
        raise BadValueError(f"amplification {amp} is outside {_AMP_LEAST} to {10_000 * _AMP_LEAST}")
    if not 10**10 <= gamma_e18 <= 10**16:
        raise BadValueError(f"gamma {gamma_e18} is outside 10**10 to 10**16")
    if not 10**17 <= d_e18 <= 10**33:
        raise BadValueError(f"invariant {d_e18} is outside 10**17 to 10**33")
    for index, value in enumerate(values):
        if index != token:
            _check_share(value, d_e18=d_e18)


def _check_share(value: int, *, d_e18: int) -> None:
    if not 10**16 <= value * ONE_E18 // d_e18 <= 10**20:
        raise BadValueError(f"balance {value} is too far from the invariant {d_e18}")
