"""An interval for a mean that holds however often it is looked at.

The confidence sequence of a normal mixture (Robbins 1970; asymptotic version Waudby-Smith, Arbour,
Sinha, Kennedy and Ramdas 2021, "Time-uniform central limit theory"). With a fixed interval, who
looks each night until it excludes zero will see that happen; this one stays right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LAGS: Final = 3
"""Neighbours whose likeness is taken into account: what lies in one span goes on in the next."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and between which two values the true one lies."""

    mean: float
    low: float
    high: float


def mixture_interval(values: Sequence[float], *, alpha: float, best_at: int) -> Interval:
    """Return the interval of the mean of values in their order.

    Args:
        values: at least one.
        alpha: how often the true mean may lie outside at any time.
        best_at: number of values for which the interval is to be narrowest.
    """
    count = len(values)
    mean = math.fsum(values) / count
    off = half_width(long_variance(values), count, alpha=alpha, best_at=best_at)
    return Interval(mean, mean - off, mean + off)


def half_width(variance: float, count: int, *, alpha: float, best_at: int) -> float:
    """Return by how much the interval goes beyond the mean of so many values of such variance."""
    log = 2 * math.log(1 / alpha)
    rho2 = (log + math.log1p(log)) / best_at
    spread = count * rho2 + 1
    return math.sqrt(variance * spread / (count * count * rho2) * math.log(spread / alpha**2))


def long_variance(values: Sequence[float]) -> float:
    """Return the variance of one value such that that of the mean is it by their number.

    Neighbours that are alike add to it (Newey and West 1987); it is never below the variance of
    values that have nothing to do with each other.
    """
    count = len(values)
    if count < 2:  # noqa: PLR2004 - one value has no spread
        return 0.0
    mean = math.fsum(values) / count
    off = [value - mean for value in values]
    plain = math.fsum(one * one for one in off) / (count - 1)
    together = 0.0
    for lag in range(1, min(LAGS, count - 1) + 1):
        alike = math.fsum(a * b for a, b in zip(off, off[lag:], strict=False)) / (count - 1)
        together += 2 * (1 - lag / (LAGS + 1)) * alike
    return max(plain, plain + together)
