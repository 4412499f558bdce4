"""One step of a swap in a concentrated pool: within one range of constant liquidity.

The amounts are those of Uniswap V3's and V4's SqrtPriceMath and SwapMath. The two differ in how
they split an input that does not reach the target into amount and fee, and not in its sum, the
output or the new price; a step returns the sum.
"""

from engine.pools.integers import PIPS, UINT256_MAX, divide_up
from engine.pools.tick_math import Q96


def amount0_between(low_x96: int, high_x96: int, liquidity: int, *, rounds_up: bool) -> int:
    """Token 0 that liquidity holds between two roots of prices, rounded in two divisions."""
    numerator = (liquidity << 96) * (high_x96 - low_x96)
    if rounds_up:
        return divide_up(divide_up(numerator, high_x96), low_x96)
    return numerator // high_x96 // low_x96


def amount1_between(low_x96: int, high_x96: int, liquidity: int, *, rounds_up: bool) -> int:
    """Token 1 that liquidity holds between two roots of prices."""
    numerator = liquidity * (high_x96 - low_x96)
    return divide_up(numerator, Q96) if rounds_up else numerator >> 96


def price_after_amount0_in(price_x96: int, liquidity: int, amount_raw: int) -> int:
    """Root of the price after token 0 came in: rounded up, so that it moves no farther than paid.

    The coarser form, where the product overflows 256 bits, is the contract's.
    """
    numerator = liquidity << 96
    product = amount_raw * price_x96
    denominator = numerator + product
    if product <= UINT256_MAX and denominator <= UINT256_MAX:
        return divide_up(numerator * price_x96, denominator)
    return divide_up(numerator, numerator // price_x96 + amount_raw)


def price_after_amount0_out(price_x96: int, liquidity: int, amount_raw: int) -> int:
    """Root of the price after token 0 went out, rounded up.

    The amount is below what liquidity holds up to the step's target, so that nothing overflows.
    """
    numerator = liquidity << 96
    return divide_up(numerator * price_x96, numerator - amount_raw * price_x96)


def price_after_amount1_in(price_x96: int, liquidity: int, amount_raw: int) -> int:
    """Root of the price after token 1 came in, rounded down."""
    return price_x96 + (amount_raw << 96) // liquidity


def price_after_amount1_out(price_x96: int, liquidity: int, amount_raw: int) -> int:
    """Root of the price after token 1 went out, rounded down."""
    return price_x96 - divide_up(amount_raw << 96, liquidity)


def step_exact_in(
    price_x96: int, target_x96: int, liquidity: int, left_raw: int, fee_pips: int
) -> tuple[int, int, int]:
    """Sell at most `left_raw`, fee included, towards a target price.

    Returns:
        The root of the price after the step, the input taken with its fee, and the output.
    """
    kept = left_raw * (PIPS - fee_pips) // PIPS
    if target_x96 <= price_x96:
        needed = amount0_between(target_x96, price_x96, liquidity, rounds_up=True)
        if kept >= needed:
            after, taken = target_x96, needed + _fee_on(needed, fee_pips)
        else:
            after, taken = price_after_amount0_in(price_x96, liquidity, kept), left_raw
        return after, taken, amount1_between(after, price_x96, liquidity, rounds_up=False)
    needed = amount1_between(price_x96, target_x96, liquidity, rounds_up=True)
    if kept >= needed:
        after, taken = target_x96, needed + _fee_on(needed, fee_pips)
    else:
        after, taken = price_after_amount1_in(price_x96, liquidity, kept), left_raw
    return after, taken, amount0_between(price_x96, after, liquidity, rounds_up=False)


def step_exact_out(
    price_x96: int, target_x96: int, liquidity: int, left_raw: int, fee_pips: int
) -> tuple[int, int, int]:
    """Buy at most `left_raw` towards a target price; returns as `step_exact_in` does."""
    if target_x96 <= price_x96:
        given = amount1_between(target_x96, price_x96, liquidity, rounds_up=False)
        if left_raw >= given:
            after = target_x96
        else:
            after, given = price_after_amount1_out(price_x96, liquidity, left_raw), left_raw
        needed = amount0_between(after, price_x96, liquidity, rounds_up=True)
    else:
        given = amount0_between(price_x96, target_x96, liquidity, rounds_up=False)
        if left_raw >= given:
            after = target_x96
        else:
            after, given = price_after_amount0_out(price_x96, liquidity, left_raw), left_raw
        needed = amount1_between(price_x96, after, liquidity, rounds_up=True)
    return after, needed + _fee_on(needed, fee_pips), given


def _fee_on(amount_raw: int, fee_pips: int) -> int:
    return divide_up(amount_raw * fee_pips, PIPS - fee_pips)
