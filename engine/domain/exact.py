"""Exact arithmetic on money: sums and products of decimals that never round."""

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact

DIGITS_MAX = 300
"""More than any sum or product of stored amounts has."""

_EXACT = Context(prec=DIGITS_MAX, traps=[Inexact])


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add up amounts without rounding.

    Raises:
        decimal.Inexact: the sum has more than `DIGITS_MAX` digits.
    """
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def exact_product(one: Decimal, other: Decimal) -> Decimal:
    """Multiply two amounts without rounding."""
    return _EXACT.multiply(one, other)
