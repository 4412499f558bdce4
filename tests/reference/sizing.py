"""Slow twin of sizing: legs are plain functions from input to output, walked without any algebra.

The optimum is searched for by golden section: the gain of a concave route has one top.
"""

import math
from collections.abc import Callable, Sequence

Leg = Callable[[float], float]

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_SECTIONS = 200
_DOUBLINGS = 400


def pair(reserve_in: float, reserve_out: float, keep_ratio: float) -> Leg:
    def give(amount: float) -> float:
        kept = amount * keep_ratio
        return reserve_out * kept / (reserve_in + kept)

    return give


def ranges(steps: Sequence[tuple[float, float]], sqrt_price: float, keep_ratio: float) -> Leg:
    """Sell token 0 down through (root of price at the end, liquidity) ranges."""

    def give(amount: float) -> float:
        left, price, out = amount * keep_ratio, sqrt_price, 0.0
        for end, liquidity in steps:
            room = liquidity * (1.0 / end - 1.0 / price)
            if left <= room:
                # liquidity * (price - price after it), without the digits that this would lose
                return out + left * price * price / (1.0 + left * price / liquidity)
            out += liquidity * (price - end)
            left -= room
            price = end
        return out

    return give


def levels(rows: Sequence[tuple[float, float]]) -> Leg:
    """Sell into (rate, room for input) levels, fees within the rate."""

    def give(amount: float) -> float:
        left, out = amount, 0.0
        for rate, room in rows:
            take = min(left, room)
            out += take * rate
            left -= take
            if left <= 0.0:
                break
        return out

    return give


def limited(leg: Leg, most: float) -> Leg:
    """Take no more than a limit: further input is lost."""
    return lambda amount: leg(min(amount, most))


def gain(legs: Sequence[Leg], amount: float, pays: float) -> float:
    out = amount
    for leg in legs:
        out = leg(out)
    return out - pays * amount


def best(legs: Sequence[Leg], *, pays: float, most: float, hint: float) -> tuple[float, float]:
    """Return (input, gain before fixed costs) at the top; (0, 0) if nothing is gained.

    `hint` is any positive input, from which a bracket is searched for.
    """
    high = min(hint, most)
    for _ in range(_DOUBLINGS):
        if high >= most or gain(legs, high, pays) <= gain(legs, high / 2, pays):
            break
        high = min(2.0 * high, most)
    for _ in range(_DOUBLINGS):
        if gain(legs, high / 2, pays) <= 0.0 and gain(legs, high / 4, pays) <= gain(
            legs, high / 8, pays
        ):
            high /= 2.0
        else:
            break
    low = 0.0
    for _ in range(_SECTIONS):
        width = (high - low) * _GOLDEN
        left, right = high - width, low + width
        if gain(legs, left, pays) < gain(legs, right, pays):
            low = left
        else:
            high = right
    tried = (gain(legs, x, pays) for x in (low, high))
    found, at = max(zip(tried, (low, high), strict=True))
    return (at, found) if found > 0.0 else (0.0, 0.0)
