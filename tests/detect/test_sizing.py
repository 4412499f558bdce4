"""Routes are sized to their optimum, within their limits, and bad numbers gain nothing."""

import json
import math
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.detect.sizing.pieces import (
    pieces_of_asks,
    pieces_of_bids,
    pieces_of_pair,
)
from engine.detect.sizing.routes import RouteTerms, SideTables, size
from engine.domain.errors import BadValueError
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import AMOUNT_MAX, PIECE, PIECE_COLUMNS, SIZED, SIZED_COLUMNS
from tests.detect.sizing_random import MIXES, Problem, random_problem
from tests.effort import examples
from tests.patience import PATIENCE_S
from tests.reference import sizing as reference

LACK_RATIO_MAX = 1e-4
NOISE_RATIO = 1e-9  # of the input: gains below it are rounding


def two_pairs(*, edge: float = 1.05) -> tuple[SideTables, list[int]]:
    tables = SideTables()
    first = pieces_of_pair(reserve_in=1_000.0, reserve_out=2_000.0 * edge, keep_ratio=0.997)
    second = pieces_of_pair(reserve_in=2_000.0, reserve_out=1_000.0, keep_ratio=0.997)
    return tables, [tables.add_pieces(first), tables.add_pieces(second)]


def assert_optimal(problem: Problem, *, pays: float, most: float) -> None:
    found = size(
        problem.tables, problem.cycle, RouteTerms(flash_fee_ratio=pays - 1.0, input_max=most)
    )
    at, gain = reference.best(problem.legs, pays=pays, most=most, hint=problem.depth)
    if found is None:
        assert gain <= NOISE_RATIO * at
        return
    assert 0.0 < found.input <= most
    assert found.profit >= gain * (1.0 - LACK_RATIO_MAX)
    true_gain = reference.gain(problem.legs, found.input, pays)
    assert found.profit == pytest.approx(true_gain, rel=1e-6, abs=NOISE_RATIO * found.input)


@pytest.mark.parametrize("kinds", MIXES, ids="-".join)
def test_the_optimum_is_that_of_a_numeric_search(kinds: tuple[str, ...]) -> None:
    rng = random.Random(7)
    for _ in range(60):
        problem = random_problem(rng, kinds)
        most = rng.choice((math.inf, math.inf, problem.depth * 10.0 ** rng.uniform(-3, 0)))
        assert_optimal(problem, pays=1.0 + rng.choice((0.0, 0.0005)), most=most)


@settings(max_examples=examples(100), deadline=None)
@given(seed=st.integers(0, 2**32), kinds=st.sampled_from(MIXES))
def test_no_other_input_gains_more(seed: int, kinds: tuple[str, ...]) -> None:
    rng = random.Random(seed)
    problem = random_problem(rng, kinds)

    found = size(problem.tables, problem.cycle, RouteTerms())

    profit = 0.0 if found is None else found.profit
    around = problem.depth if found is None else found.input
    for factor in (0.01, 0.5, 0.9, 0.99, 1.01, 1.1, 2.0, 100.0):
        other = around * factor
        assert reference.gain(problem.legs, other, 1.0) <= profit * (1 + 1e-6) + 1e-9 * other


def test_two_equal_pools_have_the_optimum_of_the_textbook() -> None:
    tables, cycle = two_pairs()
    x, y, keep = 1_000.0, 2_100.0, 0.997
    # input = (sqrt(k1 k2 g^2 ...) - x r) / (g r + g^2 y), r the second pool's input reserve
    root = math.sqrt(keep * keep * x * y * 2_000.0 * 1_000.0)
    expected = (root - x * 2_000.0) / (keep * 2_000.0 + keep * keep * y)

    found = size(tables, cycle, RouteTerms())

    assert found is not None
    assert found.input == pytest.approx(expected, rel=1e-12)


def test_the_input_stays_within_the_routes_limit() -> None:
    tables, cycle = two_pairs()

    found = size(tables, cycle, RouteTerms(input_max=3.0))

    assert found is not None
    assert found.input == 3.0


@pytest.mark.parametrize("limited", [0, 1])
def test_no_leg_gets_more_than_its_own_limit(limited: int) -> None:
    tables = SideTables()
    limits = [math.inf, math.inf]
    limits[limited] = 5.0
    first = pieces_of_pair(reserve_in=1_000.0, reserve_out=2_100.0, keep_ratio=0.997)
    second = pieces_of_pair(reserve_in=2_000.0, reserve_out=1_000.0, keep_ratio=0.997)
    cycle = [
        tables.add_pieces(first, input_max=limits[0]),
        tables.add_pieces(second, input_max=limits[1]),
    ]

    found = size(tables, cycle, RouteTerms())

    assert found is not None
    middle = reference.pair(1_000.0, 2_100.0, 0.997)(found.input)
    assert [found.input, middle][limited] == pytest.approx(5.0, rel=1e-9)


def test_a_least_input_is_used_if_it_still_gains() -> None:
    tables, cycle = two_pairs()
    best = size(tables, cycle, RouteTerms())
    assert best is not None

    more = size(tables, cycle, RouteTerms(input_min=best.input * 1.5))
    too_much = size(tables, cycle, RouteTerms(input_min=best.input * 3.0))

    assert more is not None
    assert more.input == best.input * 1.5
    assert more.profit < best.profit
    assert too_much is None


def test_gas_and_flash_fee_are_taken_off() -> None:
    tables, cycle = two_pairs()
    free = size(tables, cycle, RouteTerms())
    assert free is not None

    gas = size(tables, cycle, RouteTerms(fixed_cost=free.profit * 0.25))
    flash = size(tables, cycle, RouteTerms(flash_fee_ratio=0.0009))

    assert gas is not None
    assert flash is not None
    assert gas.profit == pytest.approx(free.profit * 0.75)
    assert gas.input == free.input
    assert flash.input < free.input
    assert flash.profit == pytest.approx(flash.output - 1.0009 * flash.input)
    assert size(tables, cycle, RouteTerms(fixed_cost=free.profit * 1.01)) is None


def test_levels_of_books_are_walked_to_the_last_one_that_gains() -> None:
    tables = SideTables()
    asks = pieces_of_asks([(100.0, 1.0), (101.0, 2.0), (103.0, 5.0)], fee_ratio=0.001)
    bids = pieces_of_bids([(104.0, 2.0), (102.0, 2.0)], fee_ratio=0.001)
    cycle = [tables.add_pieces(asks), tables.add_pieces(bids)]

    found = size(tables, cycle, RouteTerms())

    assert found is not None
    assert found.input == pytest.approx((100.0 + 2.0 * 101.0) * 1.001)
    assert found.output == pytest.approx((2.0 * 104.0 + 102.0) * 0.999)


BAD = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300, -1e300, 1e-300)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # uncompiled kernels warn where NaN arises
def test_a_bad_number_anywhere_never_makes_an_infinite_or_unreal_gain() -> None:
    tables, cycle = two_pairs()
    legs = np.array(cycle, np.int64)
    sound = [*tables.arrays[:2], np.array(RouteTerms(input_max=1e6).as_row())]
    for index, array in enumerate(sound):
        for at in np.ndindex(array.shape):
            for bad in BAD:
                spoiled = [one.copy() for one in sound]
                spoiled[index][at] = bad
                out = np.zeros(SIZED_COLUMNS)
                gains = size_route(legs, spoiled[0], spoiled[1], tables.arrays[2], spoiled[2], out)
                assert np.isfinite(out).all()
                assert gains == (out[SIZED.PROFIT] > 0.0)
                if not 0.0 < bad <= AMOUNT_MAX and array is sound[1]:
                    is_start = at[1] in {PIECE.CIN, PIECE.COUT, PIECE.BEND} and bad == 0.0
                    assert is_start or not gains


def test_routes_out_of_nothing_gain_nothing() -> None:
    tables, cycle = two_pairs()
    sides, pieces, curves = tables.arrays
    terms = np.array(RouteTerms().as_row())
    out = np.zeros(SIZED_COLUMNS)
    for legs in ([], [-1], [7, 8], [cycle[0], 99], [0] * 9):
        assert not size_route(np.array(legs, np.int64), sides, pieces, curves, terms, out)
    empty = np.zeros((0, PIECE_COLUMNS))
    assert not size_route(np.array(cycle), sides, empty, curves, terms, out)
    assert not size_route(np.array(cycle), sides, np.zeros((2, 4)), curves, terms, out)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[0.0, 0.0, math.nan, 0.0]], "no number"),
        ([[1.0, 0.0, 1.0, 0.0]], "starts at"),
        ([[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.5, 0.0]], "behind"),
        ([[0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.5, 0.0]], "pays more"),
    ],
)
def test_pieces_of_no_concave_function_are_refused_by_name(
    rows: list[list[float]], says: str
) -> None:
    with pytest.raises(BadValueError, match=says):
        SideTables().add_pieces(np.array(rows))


@pytest.mark.slow
def test_uncompiled_kernels_give_the_same() -> None:
    script = (
        "import json, random, sys\n"
        "from tests.detect.sizing_random import MIXES, random_problem\n"
        "from engine.detect.sizing.routes import RouteTerms, size\n"
        "rng = random.Random(3)\n"
        "problems = [random_problem(rng, MIXES[i % len(MIXES)]) for i in range(48)]\n"
        "found = [size(p.tables, p.cycle, RouteTerms()) for p in problems]\n"
        "print(json.dumps([one and [one.input, one.profit] for one in found]))\n"
    )
    answers = []
    for value in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": value}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        )  # fmt: skip
        answers.append(json.loads(done.stdout))
    for compiled, plain in zip(*answers, strict=True):
        if compiled is None or plain is None:
            assert compiled == plain
        else:
            assert compiled == pytest.approx(plain, rel=1e-6)
