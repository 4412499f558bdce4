"""Ways to make a score a probability, fitted on earlier cases: Platt's, and Venn and Abers'.

Platt (1999): a logistic curve of two parameters. Venn-Abers (Vovk and Petej 2014): two isotonic
fits, one with the new case as false and one as true; the probability lies between them.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from itertools import groupby

_STEPS = 60
_RIDGE = 1e-6
_REACH = 30.0

Tell = Callable[[float], float]


def platt(scores: Sequence[float], came: Sequence[bool]) -> Tell:
    """Fit a logistic curve by Newton's steps; it does not depend on where it begins."""
    shift, slope = 0.0, 1.0
    for _ in range(_STEPS):
        g0 = g1 = h01 = 0.0
        h00 = h11 = _RIDGE
        for score, is_so in zip(scores, came, strict=True):
            told = _logistic(shift + slope * score)
            weight = told * (1 - told)
            g0 += told - is_so
            g1 += (told - is_so) * score
            h00, h01, h11 = (
                h00 + weight,
                h01 + weight * score,
                h11 + weight * score * score,
            )
        det = h00 * h11 - h01 * h01
        shift -= (h11 * g0 - h01 * g1) / det
        slope -= (h00 * g1 - h01 * g0) / det
    return lambda score: _logistic(shift + slope * score)


def venn_abers(scores: Sequence[float], came: Sequence[bool]) -> Callable[[float], "Between"]:
    """Return what tells the two probabilities of a new case."""
    cases = sorted(zip(scores, map(float, came), strict=True))

    def tell(score: float) -> "Between":
        low, high = (_fitted_at([*cases, (score, label)], score) for label in (0.0, 1.0))
        return Between(low, high)

    return tell


class Between:
    """A probability as an interval, and as one number that loses least (log loss)."""

    __slots__ = ("high", "low")

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    @property
    def one(self) -> float:
        """Both as one."""
        return self.high / (1 - self.low + self.high)


def _fitted_at(cases: Sequence[tuple[float, float]], score: float) -> float:
    """Return the rising step function that fits best, at a score that is among the cases."""
    together = []
    for at, group in groupby(sorted(cases), key=lambda case: case[0]):
        labels = [label for _, label in group]
        together.append((at, sum(labels), len(labels)))
    blocks: list[tuple[float, float, int]] = []
    for at, total, n in together:
        block = (at, total, n)
        while blocks and blocks[-1][1] * block[2] >= block[1] * blocks[-1][2]:
            first, before, count = blocks.pop()
            block = (first, before + block[1], count + block[2])
        blocks.append(block)
    found = blocks[bisect.bisect_right([first for first, *_ in blocks], score) - 1]
    return found[1] / found[2]


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-_REACH, min(_REACH, x))))
