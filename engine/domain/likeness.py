"""How alike two things are that are told in words and figures: the cosine of their vectors.

A vector has a coordinate for each word, weighed by how few share it, and two for each figure: the
whole steps of its magnitude around it, so that figures that are nearly alike have nearly alike
coordinates.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

STEPS_PER_DOUBLING: Final = 2.0

Vector = dict[str, float]


def features_of(words: Iterable[str], figures: Mapping[str, float]) -> Vector:
    """Return the coordinates of a thing, not yet weighed."""
    vector: Vector = dict.fromkeys(words, 1.0)
    for name, value in figures.items():
        step = math.copysign(STEPS_PER_DOUBLING * math.log2(1.0 + abs(value)), value)
        below = math.floor(step)
        vector[f"{name}={below}"] = 1.0 - (step - below)
        vector[f"{name}={below + 1}"] = step - below
    return vector


def likenesses(wanted: Vector, others: Sequence[Vector]) -> list[float]:
    """Return how alike each of the others is, from 0 to 1."""
    shared = Counter(name for vector in (wanted, *others) for name in vector)
    count = 1 + len(others)
    weights = {name: math.log1p(count / shares) for name, shares in shared.items()}
    target = _weighed(wanted, weights)
    return [_cosine(target, _weighed(vector, weights)) for vector in others]


def _weighed(vector: Vector, weights: Mapping[str, float]) -> Vector:
    return {name: value * weights[name] for name, value in vector.items()}


def _cosine(one: Vector, other: Vector) -> float:
    product = sum(value * other.get(name, 0.0) for name, value in one.items())
    length = math.sqrt(_square(one) * _square(other))
    return min(1.0, product / length) if length else 0.0


def _square(vector: Vector) -> float:
    return sum(value * value for value in vector.values())
