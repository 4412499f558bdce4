"""Numbers of ccxt as exact text: it hands out floats, made of text that it does not hand out.

A float of a number with 15 digits or fewer writes that number again (IEEE 754 double). Of a longer
one the last digits may be others: as a price it is refused. A size is cut down to the book's steps,
so that never more is shown than rests.
"""

import math
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Final

from engine.domain.errors import BadValueError

DIGITS_EXACT: Final = 15
NO_NUMBER: Final = "none"
"""Stands for what is no number, or not surely the venue's; a book refuses and counts it."""


def exact(number: object, *, what: str) -> Decimal:
    """Return a number of ccxt as the exchange wrote it.

    Raises:
        BadValueError: it is none, or too long to have come through a float unchanged.
    """
    text = repr(number) if isinstance(number, float) else str(number)
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise BadValueError(f"{what} is not a number: {text[:40]!r}") from error
    if not value.is_finite():
        raise BadValueError(f"{what} is not finite: {text[:40]!r}")
    if isinstance(number, float) and len(value.normalize().as_tuple().digits) > DIGITS_EXACT:
        raise BadValueError(f"{what} has more than {DIGITS_EXACT} digits: {text[:40]!r}")
    return value


def price_text(number: object) -> str:
    """Write a price with all its digits; `NO_NUMBER` for one that is not surely the venue's."""
    try:
        return f"{exact(number, what='price'):f}"
    except BadValueError:
        return NO_NUMBER


def size_text(number: object, decimals: int) -> str:
    """Write a size cut down to so many decimals; `NO_NUMBER` for what is none."""
    if not isinstance(number, int | float) or not math.isfinite(number):
        return NO_NUMBER
    value = Decimal(repr(number))
    step = Decimal(1).scaleb(-decimals)
    try:
        return f"{value.quantize(step, ROUND_DOWN):f}"
    except InvalidOperation:  # more digits than a book can hold
        return f"{value:f}"
