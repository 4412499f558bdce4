"""Splits, routes and routes with split legs are optima of the convex problem, solved otherwise."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.sizing.pieces import pieces_of_pair
from engine.detect.sizing.routes import RouteTerms, SideTables, size
from engine.detect.splitting.shares import merge, split
from tests.effort import examples
from tests.reference.convex import Optimum, Pool, best_route, best_split

AGREE_RATIO = 1e-8

# Uncompiled kernels warn where 0 times infinity is dealt with by what follows.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")


def random_pools(rng: random.Random, count: int, *, edge: float = 1.0) -> list[Pool]:
    pools = []
    for _ in range(count):
        depth = 10.0 ** rng.uniform(2.0, 4.0)
        keep = rng.choice((0.997, 0.9995, 0.99))
        pools.append((depth, depth * edge * rng.uniform(0.99, 1.01), keep))
    return pools


def add_pools(tables: SideTables, pools: list[Pool]) -> list[int]:
    return [
        tables.add_pieces(
            pieces_of_pair(reserve_in=reserve_in, reserve_out=reserve_out, keep_ratio=keep)
        )
        for reserve_in, reserve_out, keep in pools
    ]


def assert_top(value: float, optimum: Optimum) -> None:
    slack = AGREE_RATIO * optimum.value
    assert optimum.value - slack <= value <= optimum.value + optimum.gap + slack


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 8), magnitude=st.floats(0.0, 3.5))
def test_a_split_gives_what_the_convex_problem_gives_at_most(
    seed: int, count: int, magnitude: float
) -> None:
    pools, amount = random_pools(random.Random(seed), count), 10.0**magnitude
    tables = SideTables()
    members = add_pools(tables, pools)

    found = split(tables, members, amount)

    assert found is not None
    assert_top(found.output, best_split(pools, amount))


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(2, 4))
def test_a_cycle_gains_what_the_convex_problem_gains_at_most(seed: int, count: int) -> None:
    pools = random_pools(random.Random(seed), count, edge=1.03)
    tables = SideTables()

    found = size(tables, add_pools(tables, pools), RouteTerms())

    assert found is not None
    optimum = best_route([[pool] for pool in pools], scale=found.input)
    assert_top(found.profit, optimum)
    assert found.input == pytest.approx(optimum.paid[0][0], rel=1e-2)


@pytest.mark.parametrize("widths", [(3, 1), (1, 4), (2, 2, 2), (1, 5, 1)], ids=str)
def test_a_cycle_with_split_legs_gains_what_the_whole_convex_problem_gains(
    widths: tuple[int, ...],
) -> None:
    rng = random.Random(3)
    for _ in range(6):
        stages = [random_pools(rng, width, edge=1.03) for width in widths]
        tables = SideTables()
        members = [add_pools(tables, pools) for pools in stages]
        groups = [tables.add_group(rows) for rows in members]

        found = size(tables, groups, RouteTerms())

        assert found is not None
        optimum = best_route(stages, scale=found.input)
        assert_top(found.profit, optimum)
        merged = [merge(tables, rows) for rows in members]
        as_one = size(
            tables,
            [tables.add_pieces(pieces) for pieces in merged if pieces is not None],
            RouteTerms(),
        )
        assert as_one is not None
        assert_top(as_one.profit, optimum)
