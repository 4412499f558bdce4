"""What a route is said to gain at most is never less than what sizing finds."""

import math
import random
from typing import Any

import numpy as np
import pytest
from numba import njit

from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import SIZED, SIZED_COLUMNS, SIZED_LEGS_MAX
from engine.kernels.weighing import most_gain
from tests.detect.sizing_random import MIXES, Problem, random_problem

PAYS = (1.0, 1.0001, 1.003)


@njit  # type: ignore[untyped-decorator, unused-ignore]
def weighed(route: Any, rates: Any, tables: Any, pays: Any, fixed: Any) -> Any:
    scratch = np.zeros((1, SIZED_LEGS_MAX))
    sides, pieces, curves = tables
    count = route.shape[1]
    return most_gain(route, count, rates, sides, pieces, curves, pays, fixed, scratch)


def rates_of(problem: Problem) -> np.ndarray[Any, Any]:
    """Log rates of the first units, asked of the sides themselves."""
    tables = problem.tables.arrays
    rates = np.zeros(len(tables[0]))
    for row, leg in zip(problem.cycle, problem.legs, strict=True):
        terms = np.array([1.0, 0.0, 0.0, math.inf, 1.0])
        out = np.zeros(SIZED_COLUMNS)
        size_route(np.array([row]), *tables, terms, out)
        rates[row] = math.log(max(out[SIZED.RATE], 1e-300))  # dead as in the graph
        assert leg(0.0) == 0.0
    return rates


def sized(problem: Problem, pays: float) -> float:
    terms = np.array([pays, 0.0, 0.0, math.inf, 1.0])
    out = np.zeros(SIZED_COLUMNS)
    size_route(np.array(problem.cycle), *problem.tables.arrays, terms, out)
    return float(out[SIZED.PROFIT])


@pytest.mark.parametrize("kinds", MIXES, ids=" ".join)
def test_no_route_gains_more_than_it_was_weighed_at(kinds: tuple[str, ...]) -> None:
    rng = random.Random(" ".join(kinds))
    gaining = 0
    for _ in range(150):
        problem, pays = random_problem(rng, kinds), rng.choice(PAYS)
        profit = sized(problem, pays)

        most, leg = weighed(
            np.array([problem.cycle]), rates_of(problem), problem.tables.arrays, pays, 0.0
        )

        gaining += profit > 0
        assert leg == -1 or most <= 0.0
        assert profit <= max(most, 0.0), (most, profit)
    assert gaining > 30


def test_constant_products_are_weighed_at_hardly_more_than_they_gain() -> None:
    rng = random.Random(8)
    ratios = []
    for _ in range(300):
        problem = random_problem(rng, ("v2", "v2"))
        profit = sized(problem, 1.0)
        if profit > 0:
            rates, tables = rates_of(problem), problem.tables.arrays
            most, _ = weighed(np.array([problem.cycle]), rates, tables, 1.0, 0.0)
            ratios.append(most / profit)

    assert len(ratios) > 100
    assert max(ratios) < 1.05


def test_the_leg_that_by_itself_is_too_shallow_is_named() -> None:
    problem = random_problem(random.Random(1), ("v2", "v2"))
    tables, rates = problem.tables.arrays, rates_of(problem)
    route = np.array([problem.cycle])

    most, leg = weighed(route, rates, tables, 1.0, 1e30)

    assert (most > 0) == (leg in (0, 1))
