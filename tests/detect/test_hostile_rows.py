"""Rows that should never pass the edge, fed straight into the kernels: they gain nothing."""

import itertools
import math
import random
from collections.abc import Iterator

import numpy as np
import pytest

from engine.detect.graph.market_graph import MarketGraph
from engine.detect.sizing.pieces import check_pieces
from engine.detect.sizing.routes import RouteTerms
from engine.domain.errors import BadValueError
from engine.kernels import (
    concentrated,
    solidly,
    stable_swap,
    weighted,
)
from engine.kernels import graph as graph_kernels
from engine.kernels.graph_layout import NONE
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import (
    CURVE_COLUMNS,
    FORM_PIECES,
    PIECE,
    PIECE_COLUMNS,
    SIZED,
    SIZED_COLUMNS,
    TERM,
    TERM_COLUMNS,
)
from engine.pools.tick_math import TICK_MAX, TICK_MIN, sqrt_ratio_at_tick
from tests.detect.cycle_driver import ScanDriver

NONE_OF_A_NUMBER = (math.nan, math.inf, -math.inf)
BAD = (*NONE_OF_A_NUMBER, -1.0, -1e300, 1e300, 2.0**256, 2.0**1023)
NO_CURVES = np.zeros((0, CURVE_COLUMNS))
GOOD_PIECE = [0.0, 0.0, 1.1, 1e-3]


def profit_of(
    pieces: list[list[float]], terms: list[float] | None = None, input_max: float = math.inf
) -> float:
    """Size a route of one good leg and one of these pieces; returns its profit."""
    rows = np.array([GOOD_PIECE, *pieces], np.float64)
    sides = np.array(
        [
            [FORM_PIECES, 0, 1, 0, 1, math.inf],
            [FORM_PIECES, 1, len(rows), 0, 1, input_max],
        ]
    )
    out = np.full(SIZED_COLUMNS, 7.0)
    row = np.array(terms or RouteTerms().as_row())
    cycle = np.array([0, 1], np.int64)
    has_gain = size_route(cycle, sides, rows, NO_CURVES, row, out)
    assert np.isfinite(out).all()
    assert has_gain == (out[SIZED.PROFIT] > 0.0)
    return float(out[SIZED.PROFIT])


def pair_piece(reserve_in: float, reserve_out: float, keep_ratio: float) -> list[float]:
    with np.errstate(all="ignore"):
        rate = np.float64(reserve_out) / np.float64(reserve_in) * np.float64(keep_ratio)
        bend = np.float64(keep_ratio) / np.float64(reserve_in)
    return [0.0, 0.0, float(rate), float(bend)]


def test_the_good_leg_alone_gains() -> None:
    assert profit_of([pair_piece(1e6, 1e6, 0.997)]) > 0.0


@pytest.mark.parametrize("number", [*NONE_OF_A_NUMBER, -1.0, 0.0])
@pytest.mark.parametrize("where", ["reserve_in", "reserve_out", "keep_ratio"])
def test_a_pair_of_numbers_that_are_none_gains_nothing(number: float, where: str) -> None:
    terms = {"reserve_in": 1e6, "reserve_out": 1e6, "keep_ratio": 0.997} | {where: number}
    assert profit_of([pair_piece(**terms)]) == 0.0


@pytest.mark.parametrize("number", BAD)
@pytest.mark.parametrize("column", range(PIECE_COLUMNS))
def test_a_piece_with_a_bad_number_gains_nothing(number: float, column: int) -> None:
    bad = pair_piece(1e6, 1e6, 0.997)
    bad[column] = number
    profit = profit_of([bad, [1e9, 1e6, 0.0, 0.0]])
    assert profit == 0.0 or (column == PIECE.BEND and number > 1.0)


@pytest.mark.parametrize("number", [*NONE_OF_A_NUMBER, -1.0])
@pytest.mark.parametrize("column", range(TERM_COLUMNS))
def test_bad_terms_gain_nothing(number: float, column: int) -> None:
    terms = RouteTerms().as_row()
    terms[column] = number
    if column == TERM.INPUT_MAX and number == math.inf:
        return  # no limit is sound
    assert profit_of([pair_piece(1e6, 1e6, 0.997)], terms) == 0.0


@pytest.mark.parametrize("limit", [0.0, -1.0, -math.inf, math.nan])
def test_a_side_that_takes_nothing_gains_nothing(limit: float) -> None:
    assert profit_of([pair_piece(1e6, 1e6, 0.997)], input_max=limit) == 0.0


@pytest.mark.parametrize("cycle", [[], [-1], [5], [0, 9], [2**40], [0] * 9])
def test_a_route_of_sides_that_are_not_there_is_none(cycle: list[int]) -> None:
    rows = np.array([GOOD_PIECE])
    sides = np.array([[FORM_PIECES, 0, 1, 0, 1, math.inf]])
    out = np.zeros(SIZED_COLUMNS)
    terms = np.array(RouteTerms().as_row())
    legs = np.array(cycle, np.int64)

    assert not size_route(legs, sides, rows, NO_CURVES, terms, out)
    assert not out[SIZED.PROFIT]


@pytest.mark.parametrize("span", [(-1, 1), (1, 1), (1, 0), (0, 9), (math.nan, 1), (0, math.nan)])
def test_pieces_that_are_not_there_gain_nothing(span: tuple[float, float]) -> None:
    rows = np.array([GOOD_PIECE])
    sides = np.array([[FORM_PIECES, *span, 0, 1, math.inf]])
    out = np.zeros(SIZED_COLUMNS)
    terms = np.array(RouteTerms().as_row())
    assert not size_route(np.array([0], np.int64), sides, rows, NO_CURVES, terms, out)
    assert not out[SIZED.PROFIT]


def test_pieces_out_of_order_never_crash_nor_give_a_number_that_is_none() -> None:
    rng = random.Random(4)
    for _ in range(3_000):
        pieces = [[rng.choice((0.0, *BAD, 1.0, 5.0, 100.0)) for _ in range(4)] for _ in range(6)]
        assert math.isfinite(profit_of(pieces))


def bad_rows(good: list[float]) -> Iterator[np.ndarray]:
    for column, number in itertools.product(range(len(good)), (*BAD, 0.0)):
        row = np.array(good)
        row[column] = number
        yield row


def stable_row() -> list[float]:
    row = np.zeros(stable_swap.COLUMNS)
    row[stable_swap.COUNT] = 2
    row[stable_swap.ANN] = 400.0
    row[stable_swap.BALANCE : stable_swap.BALANCE + 2] = 1e6
    row[stable_swap.RATE : stable_swap.RATE + 2] = 1.0
    row[stable_swap.D] = 2e6
    return [float(number) for number in row]


@pytest.mark.parametrize("form", ["solidly", "stable", "weighted"])
def test_curves_with_a_bad_number_answer_without_one(form: str) -> None:
    rows = {
        "solidly": [1.0, 0.0005, 1e6, 1e6, 1.0, 1.0],
        "stable": stable_row(),
        "weighted": [1e6, 1e6, 1.0, 0.003, 0.0],
    }
    for row in bad_rows(rows[form]):
        for amount in (1.0, *BAD, 0.0):
            if form == "solidly":
                found = solidly.solidly_quote(row, 0, amount)
            elif form == "stable":
                found = stable_swap.stable_swap_quote(row, 0, 1, amount)
            else:
                found = weighted.weighted_quote(row, amount)
            assert not any(math.isnan(number) for number in found), (row, amount, found)


def packed_ticks(
    ticks: list[int], nets: list[int], *, tick: int, liquidity: int, fee_pips: int = 3_000
) -> tuple[np.ndarray, np.ndarray]:
    rows = concentrated.pack_ticks(ticks, nets, [sqrt_ratio_at_tick(at) for at in ticks])
    pool = concentrated.pack_pool(
        sqrt_price_x96=sqrt_ratio_at_tick(tick) + 1,
        liquidity=liquidity,
        tick=tick,
        fee_pips=fee_pips,
        known_x96=(sqrt_ratio_at_tick(TICK_MIN), sqrt_ratio_at_tick(TICK_MAX)),
    )
    return pool, rows


@pytest.mark.parametrize(
    ("ticks", "nets", "liquidity"),
    [
        ([60, -60], [10**18, -(10**18)], 10**18),  # out of order
        ([-60, -60], [10**18, -(10**18)], 10**18),  # one tick twice
        ([-60, 60], [10**18, 10**18], 10**18),  # nets that do not sum to zero
        ([-60, 60], [10**18, -(10**20)], 10**18),  # liquidity below zero
        ([-60, 60], [10**18, -(10**18)], 2**128 - 1),  # absurd liquidity
        ([-60, 60], [10**18, -(10**18)], 0),  # none
        ([], [], 10**18),  # liquidity without an end
    ],
)
@pytest.mark.parametrize("token_in", [0, 1])
def test_ticks_that_no_pool_has_become_no_pieces_or_sound_ones(
    ticks: list[int], nets: list[int], liquidity: int, token_in: int
) -> None:
    pool, rows = packed_ticks(ticks, nets, tick=7, liquidity=liquidity)
    pieces = np.zeros((16, PIECE_COLUMNS))

    count = concentrated.fill_side(pool, rows, token_in, 1.0, 1.0, pieces)

    assert np.isfinite(pieces[:count]).all()
    if count:
        check_pieces(pieces[:count], what="a pool")


def graph_of_three() -> tuple[MarketGraph, ScanDriver, list[int]]:
    graph = MarketGraph(core_size=16, token_max=16, edge_max=32)
    tokens = [graph.add_token(name) for name in "abc"]
    edges = [
        graph.add_edge(
            source=tokens[k],
            target=tokens[(k + 1) % 3],
            place=k,
            log_rate=-0.01,
        )
        for k in range(3)
    ]
    return graph, ScanDriver(graph), edges


@pytest.mark.parametrize("rate", [*NONE_OF_A_NUMBER, 1e300, -1e300])
def test_a_scan_refuses_a_rate_that_is_none_and_the_kernel_finds_no_cycle(rate: float) -> None:
    graph, scan, edges = graph_of_three()
    assert scan.on_rate(edges[0], rate) == NONE

    changed = np.array([edges[0]], np.int32)
    improved = graph_kernels.set_rates(graph.arrays, changed, np.array([rate]))

    assert improved == 0
    assert not np.isnan(scan.found[0]).any()
    assert scan.on_rate(edges[1], 5.0) == 0  # its cycle is dead
    assert scan.on_rate(edges[0], 0.5) == 1  # and lives again with a rate that is one


@pytest.mark.parametrize("edge", [-1, 31, 32, 2**31 - 1])
def test_an_edge_that_is_not_there_changes_nothing(edge: int) -> None:
    graph, scan, _ = graph_of_three()
    assert scan.on_rate(edge, 0.5) == NONE
    before = graph.arrays[3].copy()
    graph_kernels.set_rates(graph.arrays, np.array([edge], np.int32), np.array([0.5]))
    assert (graph.arrays[3] == before).all()


def test_a_loop_is_refused_by_name() -> None:
    graph, _, _ = graph_of_three()
    token = graph.token("a")
    with pytest.raises(BadValueError, match="is a loop; a place must not hold a token twice"):
        graph.add_edge(source=token, target=token, place=9, log_rate=1.0)
    assert NONE < 0
