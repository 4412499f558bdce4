"""Slow twin of Solidly pools: the curve's equation solved by halving, in eighty digits."""

from collections.abc import Callable
from decimal import Decimal, localcontext

DIGITS = 80
HALVINGS = 270


def swap_out(reserves: tuple[Decimal, Decimal], net: Decimal, *, is_stable: bool) -> Decimal:
    """Return the output for an input net of fee; all in whole tokens, (in, out)."""
    with localcontext() as context:
        context.prec = DIGITS
        x, y = reserves
        if not is_stable:
            return y - x * y / (x + net)
        k = curve(x, y)
        return y - root(lambda left: curve(x + net, left) - k, Decimal(0), y)


def curve(x: Decimal, y: Decimal) -> Decimal:
    return x**3 * y + x * y**3


def root(rising: Callable[[Decimal], Decimal], low: Decimal, high: Decimal) -> Decimal:
    """Return where a rising function crosses zero."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return high


def derivatives(out_of: Callable[[Decimal], Decimal], amount: Decimal) -> tuple[Decimal, Decimal]:
    """Return the first and second derivative of an output by its input, by differences."""
    with localcontext() as context:
        context.prec = DIGITS
        step = amount / 10**12
        below, at, above = out_of(amount - step), out_of(amount), out_of(amount + step)
        return (above - below) / (2 * step), (above - 2 * at + below) / step**2
