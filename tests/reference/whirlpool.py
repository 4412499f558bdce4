"""Slow twin of Whirlpools: virtual reserves of each range in turn, in eighty digits."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

from tests.reference.solidly import DIGITS

Range = tuple[Decimal, Decimal, Decimal]
"""Lower and upper square root of price, liquidity."""


def sqrt_price(tick: int) -> Decimal:
    with localcontext() as context:
        context.prec = DIGITS
        return Decimal("1.0001") ** (Decimal(tick) / 2)


def swap_out(
    ranges: Sequence[Range], price: Decimal, net: Decimal, *, is_a_to_b: bool
) -> Decimal | None:
    """Return the output for an input net of fee; None beyond the known ranges.

    A range holds what x*y = L^2 would, moved so that it is empty at its ends.
    """
    with localcontext() as context:
        context.prec = DIGITS
        out = Decimal(0)
        for low, high, liquidity in reversed(ranges) if is_a_to_b else ranges:
            if low >= price if is_a_to_b else high <= price:
                continue
            a, b = liquidity / price, liquidity * price
            room = liquidity / low - a if is_a_to_b else liquidity * high - b
            used = min(net, room)
            if liquidity:
                product = liquidity**2
                out += b - product / (a + used) if is_a_to_b else a - product / (b + used)
            if net < room:
                return out
            net -= used
            price = low if is_a_to_b else high
        return None
