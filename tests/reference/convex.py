"""A slow convex solver for constant product pools: splits and routes as one problem, by barriers.

Nothing here knows marginal rates or Moebius maps. Every pool is paid x and lets out y, with
``log(1 + rate x) + log(1 - room y) >= 0``; what a stage pays is at most what the one before lets
out. Newton's method climbs the goal plus logarithms of all slacks, which weigh less each time; with
m slacks of weight 1/t the top is at most m/t above what was found (Boyd and Vandenberghe, 11.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pool = tuple[float, float, float]
"""Reserve in, reserve out, what is kept of an input after the fee."""

_SHARPEN = 8.0
_NEWTON_MAX = 60
_HALVINGS = 60
_GAP = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """The best found, no more than `gap` below the true top; what each pool is paid, by stage."""

    value: float
    gap: float
    paid: tuple[tuple[float, ...], ...]


class _Problem:
    """Variables are x and y of every pool, stage by stage; `linear` rows are slacks a v + b."""

    def __init__(self, stages: Sequence[Sequence[Pool]], amount: float | None) -> None:
        self.pools = np.array([pool for stage in stages for pool in stage])
        count = len(self.pools)
        self.rate = self.pools[:, 2] / self.pools[:, 0]
        self.room = 1.0 / self.pools[:, 1]
        ends = np.cumsum([0, *map(len, stages)])
        self.spans = [range(first, end) for first, end in pairwise(ends.tolist())]
        rows, constants = [*np.eye(2 * count)], [0.0] * (2 * count)
        for before, after in pairwise(self.spans):
            row = np.zeros(2 * count)
            row[[count + pool for pool in before]] = 1.0
            row[list(after)] = -1.0
            rows.append(row)
            constants.append(0.0)
        self.goal = np.zeros(2 * count)
        self.goal[[count + pool for pool in self.spans[-1]]] = 1.0
        paid = np.zeros(2 * count)
        paid[list(self.spans[0])] = 1.0
        if amount is None:
            self.goal -= paid
        else:
            rows.append(-paid)
            constants.append(amount)
        self.linear, self.constant = np.array(rows), np.array(constants)
        self.slack_count = len(rows) + count

    def start(self, amount: float) -> Floats:
        """Pay little of an amount, and let out half of what each pool could give."""
        count = len(self.pools)
        point = np.zeros(2 * count)
        left = amount
        for span in self.spans:
            pools = list(span)
            paid = 0.5 * left / len(pools)
            point[pools] = paid
            kept = paid * self.rate[pools]
            given = 0.5 * kept / (1.0 + kept) / self.room[pools]
            point[[count + pool for pool in pools]] = given
            left = float(given.sum())
        return point

    def slacks(self, point: Floats) -> tuple[Floats, Floats]:
        count = len(self.pools)
        with np.errstate(all="ignore"):
            curved = np.log1p(self.rate * point[:count]) + np.log1p(-self.room * point[count:])
        return self.linear @ point + self.constant, np.nan_to_num(curved, nan=-1.0)

    def height(self, point: Floats, weight: float) -> float:
        slacks = np.concatenate(self.slacks(point))
        if (slacks <= 0.0).any():
            return -np.inf
        return float(weight * (self.goal @ point) + np.log(slacks).sum())

    def slope(self, point: Floats, weight: float) -> tuple[Floats, Floats]:
        """Return the gradient and the negated Hessian of the height."""
        count = len(self.pools)
        linear, curved = self.slacks(point)
        up = self.rate / (1.0 + self.rate * point[:count])
        down = -self.room / (1.0 - self.room * point[count:])
        rows = np.zeros((count, 2 * count))
        rows[:, :count], rows[:, count:] = np.diag(up), np.diag(down)
        scaled = np.vstack([self.linear / linear[:, None], rows / curved[:, None]])
        bent = np.concatenate([up * up / curved, down * down / curved])
        return weight * self.goal + scaled.sum(axis=0), scaled.T @ scaled + np.diag(bent)


def _climb(problem: _Problem, point: Floats, weight: float) -> Floats:
    for _ in range(_NEWTON_MAX):
        gradient, curvature = problem.slope(point, weight)
        scale = 1.0 / np.sqrt(np.diag(curvature))
        move = scale * np.linalg.solve(curvature * np.outer(scale, scale), gradient * scale)
        expected = float(gradient @ move)
        if expected < 1e-12:
            break
        height, step = problem.height(point, weight), 1.0
        for _ in range(_HALVINGS):
            if problem.height(point + step * move, weight) > height + 0.1 * step * expected:
                break
            step *= 0.5
        else:
            break
        point = point + step * move
    return point


def _solve(problem: _Problem, scale: float) -> Optimum:
    point, weight = problem.start(scale), problem.slack_count / scale
    while problem.slack_count / weight > _GAP * scale:
        weight *= _SHARPEN
        point = _climb(problem, point, weight)
    return Optimum(
        value=float(problem.goal @ point),
        gap=problem.slack_count / weight,
        paid=tuple(tuple(float(point[pool]) for pool in span) for span in problem.spans),
    )


def best_split(pools: Sequence[Pool], amount: float) -> Optimum:
    """Return the most that pools in parallel give for an amount."""
    return _solve(_Problem([pools], amount), amount)


def best_route(stages: Sequence[Sequence[Pool]], *, scale: float) -> Optimum:
    """Return the greatest gain of a cycle, whose stages are pools in parallel.

    `scale` is an amount of the first token, about the size of the optimum.
    """
    return _solve(_Problem(stages, None), scale)
