"""Least squares that learn with each case and forget slowly; what they foretell comes before it.

Recursive least squares with a ridge at the start: Haykin, Adaptive Filter Theory, chapter 10.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

RIDGE: Final = 1.0
VARIANCE_MAX: Final = 1e6
"""Of a weight: where nothing moves, forgetting must not blow up what is not known."""


class Recursive(msgspec.Struct, frozen=True, kw_only=True):
    """Weights of features, and how uncertain they are.

    Attributes:
        weights: of the features.
        spread: their covariance, row by row, without the scale of the noise.
        keeps: share of what was known that each case leaves.
    """

    weights: tuple[float, ...]
    spread: tuple[float, ...]
    keeps: float = 0.999

    def foretell(self, features: Sequence[float]) -> float:
        """Return what is expected of a case."""
        return float(np.dot(self.weights, features))

    def learn(self, features: Sequence[float], came: float) -> "Recursive":
        """Return what is known after a case, whose outcome was `came`."""
        size = len(self.weights)
        case = np.asarray(features, dtype=np.float64)
        spread = np.asarray(self.spread).reshape(size, size)
        seen = spread @ case
        gain = seen / (self.keeps + float(case @ seen))
        weights = np.asarray(self.weights) + gain * (came - self.foretell(features))
        spread = (spread - np.outer(gain, seen)) / self.keeps
        spread = (spread + spread.T) / 2
        most = float(np.max(np.diag(spread)))
        if most > VARIANCE_MAX:
            spread *= VARIANCE_MAX / most
        return Recursive(
            weights=tuple(weights.tolist()), spread=tuple(spread.ravel().tolist()), keeps=self.keeps
        )


def unlearned(size: int, *, ridge: float = RIDGE, keeps: float = 0.999) -> Recursive:
    """Return weights of so many features of which nothing is known: zero, with a ridge."""
    return Recursive(
        weights=(0.0,) * size,
        spread=tuple((np.eye(size) / ridge).ravel().tolist()),
        keeps=keeps,
    )
