"""The market graph: bad input is refused by name, and arrays hold what the edges say."""

import math
from typing import Any

import numpy as np
import pytest
from numba import njit

from engine.detect.graph.market_graph import MarketGraph
from engine.domain.errors import BadValueError
from engine.kernels import row_scan
from engine.kernels.graph import set_rates, take_all_raises
from engine.kernels.graph_layout import (
    ALIVE_MIN,
    EDGE,
    GRAPH_STATE,
    HUB,
    HUB_ENTRIES,
    HUB_PAIRS_MIN,
    HUBS_MAX,
    NONE,
    PAIR,
    PLANE,
    POTENTIALS,
    ROUNDING,
    TOKEN,
    WEIGHT_MIN,
)
from tests.detect.cycle_driver import ScanDriver
from tests.detect.cycle_worlds import Tally, World
from tests.reference.graph import best_rates, best_two_legs

plain_row_max: Any = row_scan.plain_row_max
plain_raise_row: Any = row_scan.plain_raise_row


@njit  # type: ignore[untyped-decorator, unused-ignore]
def row_max_compiled(*terms: Any) -> Any:
    return row_scan.row_max(*terms)


@njit  # type: ignore[untyped-decorator, unused-ignore]
def raise_row_compiled(*terms: Any) -> None:
    row_scan.raise_row(*terms)


def make_graph() -> MarketGraph:
    graph = MarketGraph(core_size=2, token_max=3, edge_max=4)
    graph.add_token("a")
    graph.add_token("b")
    return graph


def add(
    graph: MarketGraph, source: int, target: int, *, place: int = 1, log_rate: float = 0.0
) -> int:
    return graph.add_edge(source=source, target=target, place=place, log_rate=log_rate)


@pytest.mark.parametrize(
    ("ends", "terms", "words"),
    [
        ((0, 0), {}, "is a loop"),
        ((0, 5), {}, "no token has number 5"),
        ((-1, 0), {}, "no token has number -1"),
        ((0, 1), {"place": -1}, "place is -1"),
        ((0, 1), {"place": 2**31}, "place is"),
        ((0, 1), {"log_rate": math.nan}, "must be finite"),
        ((0, 1), {"log_rate": math.inf}, "must be finite"),
        ((0, 1), {"log_rate": -201.0}, "must be finite"),
    ],
)
def test_a_bad_edge_is_refused_by_name(
    ends: tuple[int, int], terms: dict[str, Any], words: str
) -> None:
    graph = make_graph()

    with pytest.raises(BadValueError, match=words):
        add(graph, *ends, **terms)

    assert add(graph, 0, 1) == 0


def test_an_edge_comes_once_per_place_and_direction() -> None:
    graph = make_graph()
    add(graph, 0, 1)

    with pytest.raises(BadValueError, match="there already"):
        add(graph, 0, 1)


def test_a_full_graph_refuses_and_takes_again_after_a_removal() -> None:
    graph = make_graph()
    for place in range(4):
        add(graph, 0, 1, place=place)

    with pytest.raises(BadValueError, match="no room for the edge"):
        add(graph, 1, 0, place=9)
    with pytest.raises(BadValueError, match="place 9 is unknown"):
        graph.edges_at(9)

    graph.remove_place(2)
    add(graph, 1, 0, place=9)
    assert len(graph.edges_at(9)) == 1


def test_tokens_are_known_once_and_leave_without_edges_only() -> None:
    graph = make_graph()
    add(graph, 0, 1)

    with pytest.raises(BadValueError, match="known already"):
        graph.add_token("a")
    with pytest.raises(BadValueError, match="without name"):
        graph.add_token("")
    with pytest.raises(BadValueError, match="still has edges"):
        graph.remove_token("a")
    with pytest.raises(BadValueError, match="'x' is unknown"):
        graph.remove_token("x")

    graph.remove_place(1)
    graph.remove_token("a")
    with pytest.raises(BadValueError, match="no token has number 0"):
        graph.name_of(0)
    assert graph.add_token("c") == 0


def test_tokens_beyond_the_core_go_to_the_tail_until_that_is_full() -> None:
    graph = MarketGraph(core_size=64, token_max=66, edge_max=1)
    numbers = [graph.add_token(f"t{n}") for n in range(66)]

    assert numbers == list(range(66))
    with pytest.raises(BadValueError, match="no room for token"):
        graph.add_token("more")


@pytest.mark.parametrize(
    ("core", "tokens", "edges"), [(0, 4, 4), (5, 4, 4), (5_000, 9_000, 4), (4, 4, 0)]
)
def test_impossible_sizes_are_refused(core: int, tokens: int, edges: int) -> None:
    with pytest.raises(BadValueError):
        MarketGraph(core_size=core, token_max=tokens, edge_max=edges)


def test_changes_of_unknown_edges_and_rates_that_are_none_are_refused() -> None:
    graph = make_graph()
    edge = add(graph, 0, 1)
    scan = ScanDriver(graph)

    for bad_edge, rate in ((-1, 0.0), (3, 0.0), (99, 0.0), (edge, math.nan), (edge, 1e9)):
        assert scan.on_rate(bad_edge, rate) == NONE
        assert scan.on_rates(edge, 0.0, bad_edge if bad_edge >= 0 else 99, rate) == NONE
        edges = np.array([edge, bad_edge], np.int32)
        assert scan.on_batch(edges, np.array([0.5, rate])) == NONE
    for bad_edge in (-1, 3, 99):
        with pytest.raises(BadValueError, match="does not exist"):
            graph.close_edge(bad_edge)
    with pytest.raises(BadValueError):
        graph.set_potential(0, math.nan)
    assert graph.arrays[3][edge] == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_two_hop_bounds_cover_what_weights_may_become_unseen(seed: int) -> None:
    world = World(seed, tail_ratio=0.0)
    tally = Tally()
    dense, state = world.graph.arrays[0], world.graph.arrays[-1]
    for _ in range(100):
        world.event(tally)
        take_all_raises(world.graph.arrays)
        covered = dense[PLANE.COVERED].astype(np.float64)
        bounds = dense[PLANE.TWO_HOP] + ROUNDING * state[GRAPH_STATE.SCALE]
        alive = dense[PLANE.BEST_LOG] > ALIVE_MIN

        is_exact = dense[PLANE.BEST_LOG] > WEIGHT_MIN
        assert (dense[PLANE.BEST_LOG] <= covered)[is_exact].all()
        for middle in world.tokens:
            both = np.add.outer(covered[:, middle], covered[middle])
            is_route = np.logical_and.outer(alive[:, middle], alive[middle])
            np.fill_diagonal(is_route, val=False)
            assert (bounds >= both)[is_route].all()


@pytest.mark.parametrize("seed", range(20))
def test_weights_and_bounds_are_what_the_edges_say(seed: int) -> None:
    world = World(seed, tail_ratio=0.0)
    tally = Tally()
    for _ in range(60):
        world.event(tally)
    take_all_raises(world.graph.arrays)
    dense, pair_of, _, _, pairs, _, _, potentials, state = world.graph.arrays
    slack = ROUNDING * state[GRAPH_STATE.SCALE]
    best, two = best_rates(world.edges.values()), best_two_legs(world.edges.values())

    for a in range(64):
        for b in range(64):
            moved = potentials[POTENTIALS.OWN, a] - potentials[POTENTIALS.OWN, b]
            weight = dense[PLANE.BEST_LOG, a, b]
            assert weight == dense[PLANE.BEST_LOG_T, b, a]
            if (a, b) in best:
                exact = max(best[a, b] + moved, WEIGHT_MIN)
                assert weight == pytest.approx(exact, abs=slack)
                assert pairs[pair_of[a, b], PAIR.SOURCE] == a
            else:
                assert weight < ALIVE_MIN
            if a != b:
                bound = dense[PLANE.TWO_HOP, a, b] + slack
                assert bound >= two.get((a, b), -math.inf) + moved


def test_bounds_by_way_of_hubs_cover_all_two_legs_once_a_row_is_read() -> None:
    rng = np.random.default_rng(4)
    count = 2 * (HUB_PAIRS_MIN // 2 + HUBS_MAX)
    graph = MarketGraph(core_size=count, token_max=count, edge_max=16_384)
    for number in range(count):
        graph.add_token(f"t{number}")
    hubs, others = range(HUBS_MAX + 2), range(HUBS_MAX + 2, count)
    for place, (hub, other) in enumerate((one, two) for one in hubs for two in others):
        for ends in ((hub, other), (other, hub)):
            if rng.random() < 0.98:
                add(graph, *ends, place=place, log_rate=float(rng.normal(0, 0.01)))
    dense, tokens, state = graph.arrays[0], graph.arrays[6], graph.arrays[8]
    assert (tokens[list(hubs), TOKEN.PAIRS] >= HUB_PAIRS_MIN).all()

    for _ in range(4):
        edges = rng.choice(graph.edges_used, 300, replace=False).astype(np.int32)
        set_rates(graph.arrays, edges, rng.normal(0, 0.01, len(edges)))
        graph.set_potential(int(rng.integers(count)), float(rng.normal(0, 0.01)))
        take_all_raises(graph.arrays)
        covered, bounds = dense[PLANE.COVERED].astype(np.float64), dense[PLANE.TWO_HOP]
        for row in rng.choice(count, 30, replace=False):
            both = covered[row][:, None] + covered
            both[row], both[:, row] = -math.inf, -math.inf
            alive = dense[PLANE.BEST_LOG, row][:, None] > ALIVE_MIN
            best = np.where(alive & (dense[PLANE.BEST_LOG] > ALIVE_MIN), both, -math.inf).max(0)
            assert (bounds[row, :count] + ROUNDING * state[GRAPH_STATE.SCALE] >= best[:count]).all()

    assert state[GRAPH_STATE.HUBS + HUB_ENTRIES * (HUBS_MAX - 1) + HUB.RAISE] > 0


def test_a_cycle_by_way_of_a_hub_whose_pair_rose_before_is_found() -> None:
    count = HUB_PAIRS_MIN // 2 + 8
    graph = MarketGraph(core_size=count, token_max=count, edge_max=2 * count)
    for number in range(count):
        graph.add_token(f"t{number}")
    hub, first, second, third = range(4)
    for other in range(4, count):
        for ends in ((hub, other), (other, hub)):
            add(graph, *ends, place=other, log_rate=-0.1)
    leaving = add(graph, hub, second, place=count, log_rate=-0.1)
    add(graph, first, hub, place=count + 1, log_rate=-0.1)
    add(graph, second, third, place=count + 2, log_rate=-0.1)
    closing = add(graph, third, first, place=count + 3, log_rate=-0.3)
    scan = ScanDriver(graph)
    assert scan.on_rate(closing, -0.2) == 0  # the first token's bounds are read

    assert scan.on_rate(leaving, 0.3) == 0

    assert scan.on_rate(closing, -0.05) == 1
    assert scan.on_rate(leaving, 0.1) == 0
    assert scan.on_rate(closing, 0.3) == 1


def test_capacity_is_whole_again_after_everything_was_removed() -> None:
    world = World(25)
    tally = Tally()
    for _ in range(200):
        world.event(tally)
    for place in {edge.place for edge in world.edges.values()}:
        world.graph.remove_place(place)

    edges, pairs = world.graph.arrays[2], world.graph.arrays[4]
    state = world.graph.arrays[-1]
    for table, row, entry in (
        (edges, EDGE.NEXT, GRAPH_STATE.EDGE_FREE),
        (pairs, PAIR.OUT_NEXT, GRAPH_STATE.PAIR_FREE),
    ):
        seen, free = set(), int(state[entry])
        while free != NONE:
            seen.add(free)
            free = int(table[free, row])
        assert seen == set(range(world.graph.edge_max))
    for name in [f"t{n}" for n in range(len(world.tokens))]:
        world.graph.remove_token(name)


def test_vector_rows_equal_plain_rows_also_with_nan() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        first, second = rng.normal(0, 1, (2, 4, 192)).astype(np.float32)
        first[rng.random(first.shape) < 0.1] = np.nan
        second[rng.random(second.shape) < 0.1] = np.inf * rng.choice([-1, 1])
        begin, end = sorted(64 * int(n) for n in rng.integers(0, 4, 2))
        row, other = (int(n) for n in rng.integers(0, 4, 2))
        with np.errstate(invalid="ignore"):
            plain = plain_row_max(first, row, second, other, begin, end)
            expected = first.copy()
            plain_raise_row(expected, row, second, other, np.float32(0.25), end)

        assert row_max_compiled(first, row, second, other, begin, end) == plain
        raise_row_compiled(first, row, second, other, np.float32(0.25), end)
        np.testing.assert_array_equal(first, expected)
