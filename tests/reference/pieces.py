"""Slow twin of pieces of sides: plain numbers, piece after piece, and fractions for the rule."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

MOST = 1e60
RISE = Fraction(1, 10**9)

Row = Sequence[float]


def are_concave(rows: Sequence[Row]) -> bool:
    """Tell whether the output never pays more for a later unit than for an earlier one."""
    if not rows or any(not (math.isfinite(x) and 0 <= x <= MOST) for row in rows for x in row):
        return False
    if rows[0][0] != 0 or rows[0][1] != 0:
        return False
    for before, row in pairwise(rows):
        start, _, rate, bend = (Fraction(x) for x in before)
        width = Fraction(row[0]) - start
        if width <= 0:
            return False
        slope_at_end = rate / (1 + bend * width) ** 2
        if Fraction(row[2]) > slope_at_end * (1 + RISE):
            return False
    return True


def quote(rows: Sequence[Row], amount: float) -> tuple[float, float, float]:
    """Return (output, rate, second derivative) of pieces at an input; zeros at their end."""
    held = [row for row in rows if row[0] <= amount]
    if not held or held[-1][2] == 0:
        return 0.0, 0.0, 0.0
    start, gained, rate, bend = held[-1]
    more = amount - start
    share = 1.0 / (1.0 + bend * more)
    return gained + rate * more * share, rate * share**2, -2.0 * bend * rate * share**3
