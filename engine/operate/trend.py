"""Whether a series grows: its slope with an interval, honest about samples that follow each other.

Memory wanders: neighbouring samples are alike, and a line through all of them would look surer than
it is. So they are averaged in `BLOCKS` pieces of time, and the line goes through those.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

BLOCKS: Final = 10
T_OF_8: Final = 2.306
"""Student's t for 95 % with eight degrees of freedom: ten blocks less the two of a line."""

SAMPLES_MIN: Final = 4 * BLOCKS


class Slope(NamedTuple):
    """A slope per hour, and an interval that holds the true one in 19 of 20 cases."""

    per_h: float
    low: float
    high: float


def slope_of(samples: Sequence[tuple[float, float]]) -> Slope | None:
    """Return the slope of values over seconds; None for too few of them, or no time."""
    samples = list(samples)  # a deque gives no slices
    if len(samples) < SAMPLES_MIN:
        return None
    first_s, last_s = samples[0][0], samples[-1][0]
    if not last_s > first_s:
        return None
    means = []
    for number in range(BLOCKS):
        start, end = (len(samples) * one // BLOCKS for one in (number, number + 1))
        block = samples[start:end]
        means.append(tuple(math.fsum(column) / len(block) for column in zip(*block, strict=True)))
    middle_s = math.fsum(at_s for at_s, _ in means) / BLOCKS
    middle = math.fsum(value for _, value in means) / BLOCKS
    spread = math.fsum((at_s - middle_s) ** 2 for at_s, _ in means)
    slope = math.fsum((at_s - middle_s) * (value - middle) for at_s, value in means) / spread
    rest = math.fsum((value - middle - slope * (at_s - middle_s)) ** 2 for at_s, value in means)
    half = T_OF_8 * math.sqrt(rest / (BLOCKS - 2) / spread)
    return Slope(*(3_600 * one for one in (slope, slope - half, slope + half)))
