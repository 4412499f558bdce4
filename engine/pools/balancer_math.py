"""Balancer's fixed-point arithmetic: eighteen decimals, roundings named, and powers by logarithms.

`pow_up` and `pow_down` widen the raw power by the error that the contract allows itself. Sources:
Balancer V2 `FixedPoint` and `LogExpMath`; the table holds e to powers of two as deployed.
"""

from collections.abc import Callable

from engine.domain.errors import BadValueError
from engine.pools.reverts import U256_MAX, overflow

ONE_E18 = 10**18
ONE_E20 = 10**20
ONE_E36 = 10**36
SHORTCUTS_E18 = (ONE_E18, 2 * ONE_E18, 4 * ONE_E18)
"""Exponents that later pools reach by multiplication, without the power's error."""
POWER_ERROR_E18 = 10_000
"""Greatest relative error that the contract assumes of `power`: 10**-14."""
EXPONENT_E18_MIN = -41 * ONE_E18
EXPONENT_E18_MAX = 130 * ONE_E18
_NEAR_ONE_LOW_E18 = ONE_E18 - 10**17
_NEAR_ONE_HIGH_E18 = ONE_E18 + 10**17
_MILD_EXPONENT = 2**254 // ONE_E20

_LARGE = (
    (128 * ONE_E18, 38877084059945950922200000000000000000000000000000000000),
    (64 * ONE_E18, 6235149080811616882910000000),
)
"""(x, e**x): x with eighteen decimals, the power a whole number."""

_SMALL_E20 = (
    (32 * ONE_E20, 7896296018268069516100000000000000),
    (16 * ONE_E20, 888611052050787263676000000),
    (8 * ONE_E20, 298095798704172827474000),
    (4 * ONE_E20, 5459815003314423907810),
    (2 * ONE_E20, 738905609893065022723),
    (ONE_E20, 271828182845904523536),
    (ONE_E20 // 2, 164872127070012814685),
    (ONE_E20 // 4, 128402541668774148407),
    (ONE_E20 // 8, 113314845306682631683),
    (ONE_E20 // 16, 106449445891785942956),
)
"""(x, e**x), both with twenty decimals; `exp` stops at a quarter."""
_EXP_TERMS = _SMALL_E20[:8]


def mul_down(a: int, b: int) -> int:
    """Return a*b rounded down.

    Raises:
        BadValueError: the product does not fit 256 bits.
    """
    product = a * b
    if product > U256_MAX:
        raise overflow("product")
    return product // ONE_E18


def mul_up(a: int, b: int) -> int:
    """Return a*b rounded up.

    Raises:
        BadValueError: the product does not fit 256 bits.
    """
    product = a * b
    if product > U256_MAX:
        raise overflow("product")
    return -(-product // ONE_E18)


def div_down(a: int, b: int) -> int:
    """Return a/b rounded down.

    Raises:
        BadValueError: b is 0, or the dividend does not fit 256 bits.
    """
    _check_division(a, b)
    return a * ONE_E18 // b


def div_up(a: int, b: int) -> int:
    """Return a/b rounded up.

    Raises:
        BadValueError: b is 0, or the dividend does not fit 256 bits.
    """
    _check_division(a, b)
    return -(-a * ONE_E18 // b)


def complement(x: int) -> int:
    """Return 1 - x, or 0 if that is negative."""
    return ONE_E18 - x if x < ONE_E18 else 0


def pow_down(x: int, y: int, *, has_shortcuts: bool) -> int:
    """Return x**y, surely not above the true power.

    `has_shortcuts`: later pools multiply for the exponents 1, 2 and 4.

    Raises:
        BadValueError: outside what the contract can raise to a power.
    """
    if has_shortcuts and y in SHORTCUTS_E18:
        return x if y == ONE_E18 else _squared(x, mul_down, twice=y == 4 * ONE_E18)
    raw = power(x, y)
    return max(raw - mul_up(raw, POWER_ERROR_E18) - 1, 0)


def pow_up(x: int, y: int, *, has_shortcuts: bool) -> int:
    """Return x**y, surely not below the true power; see `pow_down`.

    Raises:
        BadValueError: outside what the contract can raise to a power.
    """
    if has_shortcuts and y in SHORTCUTS_E18:
        return x if y == ONE_E18 else _squared(x, mul_up, twice=y == 4 * ONE_E18)
    raw = power(x, y)
    return raw + mul_up(raw, POWER_ERROR_E18) + 1


def power(x: int, y: int) -> int:
    """Return x**y as `exp(y * ln(x))`.

    Raises:
        BadValueError: x or y beyond the signed range, or the power beyond e**-41 to e**130.
    """
    if y == 0:
        return ONE_E18
    if x == 0:
        return 0
    if not 0 < x < 2**255:
        raise overflow("base of the power")
    if not 0 < y < _MILD_EXPONENT:
        raise overflow("exponent of the power")
    product = _quotient(_quotient(ln_e36(x) * y, ONE_E18), ONE_E18)
    if not EXPONENT_E18_MIN <= product <= EXPONENT_E18_MAX:
        raise overflow("power")
    return exp(product)


def exp(x: int) -> int:
    """Return e**x.

    Raises:
        BadValueError: x is outside -41 to 130.
    """
    if not EXPONENT_E18_MIN <= x <= EXPONENT_E18_MAX:
        raise overflow("exponential")
    if x < 0:
        return ONE_E36 // exp(-x)
    first = 1
    for step, value in _LARGE:
        if x >= step:
            x -= step
            first = value
            break
    x *= 100
    product = ONE_E20
    for step, value in _EXP_TERMS:
        if x >= step:
            x -= step
            product = product * value // ONE_E20
    total = ONE_E20 + x
    term = x
    for n in range(2, 13):
        term = term * x // ONE_E20 // n
        total += term
    return product * total // ONE_E20 * first // 100


def ln(x: int) -> int:
    """Return the natural logarithm.

    Raises:
        BadValueError: x is not positive, or beyond the signed range.
    """
    return _quotient(ln_e36(x), ONE_E18)


def ln_e36(x: int) -> int:
    """Return the logarithm with 36 decimals: all of them sound near 1, eighteen elsewhere.

    Raises:
        BadValueError: x is not positive, or beyond the signed range.
    """
    if not 0 < x < 2**255:
        raise overflow("logarithm")
    if _NEAR_ONE_LOW_E18 < x < _NEAR_ONE_HIGH_E18:
        x_e36 = x * ONE_E18
        z = _quotient((x_e36 - ONE_E36) * ONE_E36, x_e36 + ONE_E36)
        return _arctanh_twice(z, one=ONE_E36, last=15)
    return _ln_far(x) * ONE_E18


def _ln_far(x: int) -> int:
    if x < ONE_E18:
        return -_ln_far(ONE_E36 // x)
    total = 0
    for step, value in _LARGE:
        if x >= value * ONE_E18:
            x //= value
            total += step
    total *= 100
    x *= 100
    for step, value in _SMALL_E20:
        if x >= value:
            x = x * ONE_E20 // value
            total += step
    z = (x - ONE_E20) * ONE_E20 // (x + ONE_E20)
    return (total + _arctanh_twice(z, one=ONE_E20, last=11)) // 100


def _arctanh_twice(z: int, *, one: int, last: int) -> int:
    """Sum 2 * (z + z^3/3 + ... + z^last/last), rounding each step towards 0."""
    squared = z * z // one
    term = total = z
    for n in range(3, last + 1, 2):
        term = _quotient(term * squared, one)
        total += _quotient(term, n)
    return total * 2


def _quotient(a: int, b: int) -> int:
    """Divide by a positive number towards 0, as signed words do."""
    return a // b if a >= 0 else -(-a // b)


def _check_division(a: int, b: int) -> None:
    if b == 0:
        raise BadValueError("division by 0: the contract would revert")
    if a * ONE_E18 > U256_MAX:
        raise overflow("dividend")


def _squared(x: int, multiply: Callable[[int, int], int], *, twice: bool) -> int:
    square = multiply(x, x)
    return multiply(square, square) if twice else square
