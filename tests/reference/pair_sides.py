"""Slow twin of pairs as sides: a direction's rate and how it bends, by plain fractions."""

from fractions import Fraction
from typing import NamedTuple


class Direction(NamedTuple):
    """What one unit of the token that is sold buys, and how much less each further unit does."""

    rate: Fraction
    bend: Fraction


def directions(
    reserves_raw: tuple[int, int], units: tuple[int, int], keeps: tuple[Fraction, Fraction]
) -> tuple[Direction, Direction]:
    """Return both directions of a pair, by the token that is sold.

    Args:
        reserves_raw: of both tokens.
        units: raw units of one unit of each.
        keeps: what the fee leaves of an input of each.
    """
    first, second = (Fraction(raw, unit) for raw, unit in zip(reserves_raw, units, strict=True))
    return (
        Direction(rate=second / first * keeps[0], bend=keeps[0] / first),
        Direction(rate=first / second * keeps[1], bend=keeps[1] / second),
    )
