"""Slow twin of constant product pools: only the rule that a pair keeps, and a search.

A pair takes any swap after which the product of its reserves, with the fee taken off the input, has
not fallen. What it gives is the most that the rule allows.
"""

from fractions import Fraction


def is_kept(
    reserve_in: int, reserve_out: int, fee: Fraction, amount_in: Fraction, amount_out: Fraction
) -> bool:
    """Tell whether the product does not fall."""
    return (reserve_in + amount_in * (1 - fee)) * (
        reserve_out - amount_out
    ) >= reserve_in * reserve_out


def most_out(reserve_in: int, reserve_out: int, fee: Fraction, amount_in: int) -> int:
    """Return the greatest whole output that keeps the product, by bisection."""
    low, high = 0, reserve_out
    while high - low > 1:
        middle = (low + high) // 2
        if is_kept(reserve_in, reserve_out, fee, Fraction(amount_in), Fraction(middle)):
            low = middle
        else:
            high = middle
    return low


def least_in(reserve_in: int, reserve_out: int, fee: Fraction, amount_out: int) -> int:
    """Return the least whole input that keeps the product, by doubling and bisection."""
    high = 1
    while not is_kept(reserve_in, reserve_out, fee, Fraction(high), Fraction(amount_out)):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if is_kept(reserve_in, reserve_out, fee, Fraction(middle), Fraction(amount_out)):
            high = middle
        else:
            low = middle
    return high


def real_out(
    reserve_in: Fraction, reserve_out: Fraction, fee: Fraction, amount_in: Fraction
) -> Fraction:
    """Return the output that keeps the product exactly, without rounding."""
    return reserve_out - reserve_in * reserve_out / (reserve_in + amount_in * (1 - fee))
