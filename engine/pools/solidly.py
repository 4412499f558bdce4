"""Exact Solidly pools (Aerodrome, Velodrome, Camelot): volatile x*y and stable x^3*y + y^3*x.

Formulas and rounding are those of `getAmountOut` in the deployed pools. These have no exact output,
so `amount_in` searches for it. Sources: Aerodrome `Pool`, Camelot `CamelotPair`.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.domain.errors import BadValueError
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
FEE_ONE_E6 = 10**6
NEWTON_STEPS_MAX = 255
RESERVE_RAW_MAX = (1 << 112) - 1
"""More than any token's supply; Camelot stores reserves in as many bits."""


class SolidlyForm(enum.Enum):
    """Which curve a pool follows, and whose Newton iteration solves it."""

    VOLATILE = "volatile"
    STABLE = "stable"
    CAMELOT_STABLE = "camelot stable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolidlyState:
    """A pool as its contract holds it; `make_solidly` checks one.

    `scales` are 10**decimals of the two tokens; `fee_e6` is taken from the input.
    """

    form: SolidlyForm
    reserves_raw: tuple[int, int]
    scales: tuple[int, int]
    fee_e6: int


def make_solidly(
    *,
    pool: str,
    form: SolidlyForm,
    tokens: Sequence[str],
    reserves_raw: Sequence[int],
    decimals: Sequence[int],
    fee_e6: int,
) -> SolidlyState:
    """Check a pool's values and make its state.

    Raises:
        BadValueError: a value that no deployed pool can have; the text names it and the pool.
    """
    check_tokens(tokens, pool=pool, least=2, most=2)
    check_same_count(reserves_raw, what="reserves", pool=pool, count=2)
    check_same_count(decimals, what="decimals", pool=pool, count=2)
    for token, reserve_raw, places in zip(tokens, reserves_raw, decimals, strict=True):
        what = f"reserve of {token} in pool {pool}, in raw units,"
        check_whole(reserve_raw, what=what, least=1, most=RESERVE_RAW_MAX)
        check_whole(places, what=f"decimals of {token}", least=DECIMALS_MIN, most=DECIMALS_MAX)
    check_whole(fee_e6, what=f"fee of pool {pool} in millionths", least=0, most=FEE_ONE_E6 - 1)
    state = SolidlyState(
        form=form,
        reserves_raw=(reserves_raw[0], reserves_raw[1]),
        scales=(10 ** decimals[0], 10 ** decimals[1]),
        fee_e6=fee_e6,
    )
    if form is SolidlyForm.VOLATILE:
        return state
    try:
        is_too_small = invariant(state) == 0
    except BadValueError as error:
        raise BadValueError(f"pool {pool} cannot trade: {error}") from error
    if is_too_small:
        raise BadValueError(f"reserves of pool {pool} are too small: its invariant rounds to 0")
    return state


def amount_out(state: SolidlyState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what the pool's `getAmountOut` answers; 0 if that rounds to nothing.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    check_swap(amount_in_raw, token_in=token_in, token_out=token_out, count=2)
    if amount_in_raw * FEE_ONE_E6 > U256_MAX:
        raise overflow("input times fee")
    net_raw = amount_in_raw - amount_in_raw * state.fee_e6 // FEE_ONE_E6
    if state.form is SolidlyForm.VOLATILE:
        reserve_in, reserve_out = state.reserves_raw[token_in], state.reserves_raw[token_out]
        if net_raw * reserve_out > U256_MAX:
            raise overflow("input times reserve")
        return net_raw * reserve_out // (reserve_in + net_raw)
    x_e18, y_e18 = _scaled(state, token_in), _scaled(state, token_out)
    after_e18 = x_e18 + net_raw * ONE_E18 // state.scales[token_in]
    if state.form is SolidlyForm.STABLE:
        left_e18 = solve_y(after_e18, invariant(state), y_e18, scales=state.scales)
    else:
        left_e18 = solve_y_camelot(after_e18, invariant(state), y_e18)
    if left_e18 > y_e18:
        raise BadValueError("the curve is too coarse here: the pool would pay less than nothing")
    return (y_e18 - left_e18) * state.scales[token_out] // ONE_E18


def amount_in(state: SolidlyState, amount_out_raw: int, *, token_in: int, token_out: int) -> int:
    """Return the least input for which `amount_out` reaches `amount_out_raw`, by search.

    Raises:
        BadValueError: arguments that no contract takes, or more than the pool can pay.
    """
    check_swap(amount_out_raw, token_in=token_in, token_out=token_out, count=2)
    if amount_out_raw >= state.reserves_raw[token_out]:
        raise BadValueError(
            f"output {amount_out_raw} raw is not below the reserve {state.reserves_raw[token_out]}"
        )

    def quote(tried_raw: int) -> int:
        return amount_out(state, tried_raw, token_in=token_in, token_out=token_out)

    guess_raw = _guess_in(state, amount_out_raw, token_in=token_in, token_out=token_out)
    return least_amount_in(quote, amount_out_raw, guess_raw=guess_raw, most_raw=RESERVE_RAW_MAX)


def as_row(state: SolidlyState) -> tuple[float, ...]:
    """Give the numbers that the float kernel reads, in the order of its columns."""
    return (
        float(state.form is not SolidlyForm.VOLATILE),
        state.fee_e6 / FEE_ONE_E6,
        float(state.reserves_raw[0]),
        float(state.reserves_raw[1]),
        1.0 / state.scales[0],
        1.0 / state.scales[1],
    )


def invariant(state: SolidlyState) -> int:
    """Return the stable pool's k at eighteen decimals."""
    return curve_k(*state.reserves_raw, scales=state.scales)


def curve_k(balance0: int, balance1: int, *, scales: tuple[int, int]) -> int:
    """Return x^3*y + y^3*x of two balances, scaled to eighteen decimals, as the contract rounds."""
    return curve_f(balance0 * ONE_E18 // scales[0], balance1 * ONE_E18 // scales[1])


def curve_f(x_e18: int, y_e18: int) -> int:
    """Return x^3*y + y^3*x of two scaled balances.

    Raises:
        BadValueError: the product does not fit 256 bits.
    """
    if max(x_e18, y_e18) > U128_MAX:
        raise overflow("square of a reserve")
    product = x_e18 * y_e18 // ONE_E18
    product *= x_e18 * x_e18 // ONE_E18 + y_e18 * y_e18 // ONE_E18
    if product > U256_MAX:
        raise overflow("invariant of the reserves")
    return product // ONE_E18


def slope_e18(x_e18: int, y_e18: int) -> int:
    """Return the derivative of the curve by y, as the contract rounds.

    Raises:
        BadValueError: a product does not fit 256 bits.
    """
    first = 3 * x_e18 * (y_e18 * y_e18 // ONE_E18)
    if first > U256_MAX:
        raise overflow("slope of the curve")
    return first // ONE_E18 + _cube(x_e18)


def solve_y(x_e18: int, k_e18: int, y_e18: int, *, scales: tuple[int, int]) -> int:
    """Return the least y that keeps the invariant, by the contract's Newton iteration.

    Its test for the last unit scales already scaled balances once more; this is kept as deployed.

    Raises:
        BadValueError: no convergence or a slope of 0, where the contract reverts.
    """
    for _ in range(NEWTON_STEPS_MAX):
        now_e18 = curve_f(x_e18, y_e18)
        slope = slope_e18(x_e18, y_e18)
        if slope == 0:
            raise BadValueError("the curve's slope rounds to 0: the pool would revert")
        if now_e18 < k_e18:
            step = (k_e18 - now_e18) * ONE_E18 // slope
            if step == 0:
                if _exceeds(x_e18, y_e18 + 1, k_e18, scales=scales):
                    return y_e18 + 1
                step = 1
            y_e18 += step
        else:
            step = (now_e18 - k_e18) * ONE_E18 // slope
            if step == 0:
                if now_e18 == k_e18 or curve_f(x_e18, y_e18 - 1) < k_e18:
                    return y_e18
                step = 1
            y_e18 -= step
            if y_e18 < 0:
                raise overflow("a reserve below 0")
    raise BadValueError(f"the pool's curve did not converge in {NEWTON_STEPS_MAX} steps")


def _exceeds(x_e18: int, y_e18: int, k_e18: int, *, scales: tuple[int, int]) -> bool:
    """Tell whether the contract's own `_k` of two scaled balances exceeds k."""
    return curve_k(x_e18, y_e18, scales=scales) > k_e18


def curve_f_camelot(x_e18: int, y_e18: int) -> int:
    """Return the same curve with the order of roundings of Camelot's `_f`.

    Raises:
        BadValueError: a product does not fit 256 bits.
    """
    first, second = x_e18 * _cube(y_e18), _cube(x_e18) * y_e18
    if max(first, second) > U256_MAX:
        raise overflow("invariant of the reserves")
    return first // ONE_E18 + second // ONE_E18


def solve_y_camelot(x_e18: int, k_e18: int, y_e18: int) -> int:
    """Return y by Camelot's Newton iteration, which stops at a change of one unit.

    Raises:
        BadValueError: a slope of 0 or a reserve below 0, where the contract reverts.
    """
    for _ in range(NEWTON_STEPS_MAX):
        before_e18 = y_e18
        now_e18 = curve_f_camelot(x_e18, y_e18)
        slope = slope_e18(x_e18, y_e18)
        if slope == 0:
            raise BadValueError("the curve's slope rounds to 0: the pool would revert")
        if now_e18 < k_e18:
            y_e18 += (k_e18 - now_e18) * ONE_E18 // slope
        else:
            y_e18 -= (now_e18 - k_e18) * ONE_E18 // slope
        if y_e18 < 0:
            raise overflow("a reserve below 0")
        if abs(y_e18 - before_e18) <= 1:
            return y_e18
    return y_e18


def _cube(x_e18: int) -> int:
    product = x_e18 * x_e18 // ONE_E18 * x_e18
    if product > U256_MAX or x_e18 > U128_MAX:
        raise overflow("cube of a reserve")
    return product // ONE_E18


def _scaled(state: SolidlyState, token: int) -> int:
    return state.reserves_raw[token] * ONE_E18 // state.scales[token]


def _guess_in(state: SolidlyState, amount_out_raw: int, *, token_in: int, token_out: int) -> int:
    """Solve the curve the other way round, which is symmetric, and add the fee."""
    reserve_in, reserve_out = state.reserves_raw[token_in], state.reserves_raw[token_out]
    if state.form is SolidlyForm.VOLATILE:
        net_raw = reserve_in * amount_out_raw // (reserve_out - amount_out_raw) + 1
    else:
        x_e18, left = _scaled(state, token_in), reserve_out - amount_out_raw
        left_e18 = left * ONE_E18 // state.scales[token_out]
        net_raw = _try_inverse(
            lambda: solve_y(left_e18, invariant(state), x_e18, scales=state.scales) - x_e18
        )
        net_raw = net_raw * state.scales[token_in] // ONE_E18
    return net_raw * FEE_ONE_E6 // (FEE_ONE_E6 - state.fee_e6) + 1


def _try_inverse(solve: Callable[[], int]) -> int:
    try:
        return max(solve(), 1)
    except BadValueError:
        return 1  # too coarse to guess: the search starts at the bottom
