"""Whole numbers as the chain's virtual machine has them: their bounds, and division by rounding.

Python's integers have no bound, so that a product of two 256-bit words is exact before it is
divided; the makers of pool states and the entry points check the bounds that contracts check.
"""

from engine.domain.errors import BadValueError

UINT112_MAX = 2**112 - 1
UINT128_MAX = 2**128 - 1
INT128_MAX = 2**127 - 1
INT256_MAX = 2**255 - 1
UINT256_MAX = 2**256 - 1

PIPS = 1_000_000
"""A pip is a millionth: the unit of fees in concentrated pools."""

_SHOWN_BITS_MAX = 512


def check_whole(value: object, *, what: str, low: int, high: int) -> int:
    """Return the value if it is a whole number within the bounds, both included.

    Raises:
        BadValueError: it is no `int` (a float, NaN and a boolean are none), or out of bounds.
    """
    if type(value) is not int:
        raise BadValueError(f"{what} is no whole number: {value!r}")
    if not low <= value <= high:
        # Python refuses to write a number of thousands of digits, with an error of its own.
        shown = value if value.bit_length() <= _SHOWN_BITS_MAX else f"of {value.bit_length()} bits"
        raise BadValueError(f"{what} is {shown}; it must be from {low} to {high}")
    return value


def check_token(token: object) -> int:
    """Return the index of a token in a pool of two.

    Raises:
        BadValueError: it is neither 0 nor 1.
    """
    return check_whole(token, what="index of the token", low=0, high=1)


def divide_up(numerator: int, denominator: int) -> int:
    """Divide whole numbers that are not negative, rounding up."""
    return -(-numerator // denominator)
