"""Cycle scans against brute force, over random events in markets of many shapes."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from engine.detect.graph.market_graph import MarketGraph
from engine.kernels import cycles as kernels
from engine.kernels import graph as graph_kernels
from engine.kernels.graph_layout import CYCLE, NONE
from tests.detect.cycle_campaign import run
from tests.detect.cycle_driver import Cycle, ScanDriver
from tests.detect.cycle_worlds import SHAPES, Tally, World
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


@njit  # type: ignore[untyped-decorator, unused-ignore]
def scan_from_a_kernel(graph: Any, query: Any, edge: int, found: Any) -> Any:
    kept = kernels.on_rates(graph, query, (edge, 0.1, -1, 0.0), found)
    return kept, found[0][0, 0, CYCLE.GAIN], found[1][2]


class Market:
    """Tokens a, b, c, ... and places, for written examples."""

    def __init__(self, tokens: str, *, tail: str = "", edge_max: int = 64) -> None:
        self.graph = MarketGraph(core_size=64, token_max=128, edge_max=edge_max)
        self.token = {
            name: self.graph.add_token(name, in_tail=name in tail) for name in tokens + tail
        }

    def edge(self, ends: str, place: int, log_rate: float) -> int:
        return self.graph.add_edge(
            source=self.token[ends[0]],
            target=self.token[ends[1]],
            place=place,
            log_rate=log_rate,
        )


@pytest.mark.parametrize("seed", [11, 12])
def test_no_cycle_is_missed_invented_or_ranked_wrongly(seed: int) -> None:
    tally = run(events=2_500, seed=seed)

    assert tally.mismatches == []
    assert tally.with_cycles > 500
    assert tally.with_overflow > 100
    assert min(tally.by_legs[legs] for legs in (2, 3, 4, 5)) > 50


def test_the_interpreted_scan_agrees_too() -> None:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}

    ended = subprocess.run(
        [sys.executable, "-m", "tests.detect.cycle_campaign", "--events", "800", "--seed", "21"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )

    assert json.loads(ended.stdout)["mismatches"] == 0


@pytest.mark.parametrize("tail_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_every_shape_agrees_in_core_and_tail(shape: int, tail_ratio: float) -> None:
    tally = Tally()
    for number in range(2):
        world = World(shape + len(SHAPES) * number, tail_ratio=tail_ratio)
        for _ in range(40):
            world.event(tally)

    assert tally.mismatches == []


def test_a_cycle_never_uses_one_place_twice() -> None:
    market = Market("ab")
    there = market.edge("ab", place=1, log_rate=0.0)
    market.edge("ba", place=1, log_rate=0.5)
    scan = ScanDriver(market.graph)

    assert scan.on_rate(there, 0.1) == 0

    back = market.edge("ba", place=2, log_rate=0.2)
    assert scan.on_rate(there, 0.15) == 1
    assert scan.cycles() == (Cycle(edges=(there, back), log_gain=0.15 + 0.2),)


def test_a_worse_parallel_edge_closes_where_the_best_is_the_changed_place() -> None:
    market = Market("abc")
    first = market.edge("ab", place=1, log_rate=0.0)
    market.edge("bc", place=1, log_rate=0.3)
    second = market.edge("bc", place=2, log_rate=0.1)
    third = market.edge("ca", place=3, log_rate=0.0)
    scan = ScanDriver(market.graph)

    scan.on_rate(first, 0.05)

    assert scan.cycles() == (Cycle(edges=(first, second, third), log_gain=0.05 + 0.1),)


def test_a_rate_that_falls_finds_nothing() -> None:
    market = Market("ab")
    there = market.edge("ab", place=1, log_rate=0.3)
    market.edge("ba", place=2, log_rate=0.3)
    scan = ScanDriver(market.graph)

    assert scan.on_rate(there, 0.2) == 0
    assert scan.on_rate(there, 0.3) == 1


def test_the_gain_must_exceed_the_least() -> None:
    market = Market("ab")
    there = market.edge("ab", place=1, log_rate=0.0)
    market.edge("ba", place=2, log_rate=0.25)
    scan = ScanDriver(market.graph, log_gain_min=0.5)

    assert scan.on_rate(there, 0.25) == 0
    assert scan.on_rate(there, 0.25 + 1e-12) == 1


def test_precision_holds_between_tokens_of_very_different_worth() -> None:
    market = Market("abc")
    first = market.edge("ab", place=1, log_rate=80.0)
    market.edge("bc", place=2, log_rate=-41.0)
    market.edge("ca", place=3, log_rate=-39.0)
    scan = ScanDriver(market.graph)

    assert scan.on_rate(first, 80.0 + 1e-11) == 1
    assert scan.cycles()[0].log_gain == pytest.approx(1e-11, rel=0.01)
    assert scan.on_rate(first, 80.0 - 1e-11) == 0


def test_rounding_of_large_weights_hides_no_cycle() -> None:
    market = Market("abc")
    hub = [market.edge(ends, place=n, log_rate=0.0) for n, ends in enumerate(("ab", "bc", "ca"))]
    scan = ScanDriver(market.graph, log_gain_min=1e-7)
    rng = np.random.default_rng(5)

    missed = 0
    for _ in range(300):
        first, second = rng.normal(0, 40, 2)
        scan.on_batch(np.array(hub[1:], np.int32), np.array([second, -first - second]))
        scan.on_rate(hub[0], first - 1.0)
        missed += scan.on_rate(hub[0], first + 1.1e-7) != 1
    assert missed == 0


def test_rates_that_are_none_reach_the_kernels_and_find_nothing() -> None:
    market = Market("ab")
    there = market.edge("ab", place=1, log_rate=0.0)
    market.edge("ba", place=2, log_rate=0.5)
    scan = ScanDriver(market.graph)

    for bad in (math.nan, math.inf, -math.inf, 1e9):
        for edge in (there, -1, 10**6, 7):
            changes = (edge, bad, edge, bad)
            arrays = (market.graph.arrays, scan.query)
            assert kernels.on_rates(*arrays, changes, scan.found) == NONE
            many, rates = np.full(3, edge, np.int32), np.full(3, bad)
            assert kernels.on_batch(*arrays, many, rates, scan.found) == NONE
            assert graph_kernels.set_rates(market.graph.arrays, many, rates) == 0
    assert np.isfinite(market.graph.arrays[0]).all()

    assert scan.on_rate(there, 0.1) == 1


@pytest.mark.parametrize("legs", [2, 3, 4, 5])
def test_a_ring_is_found_wherever_its_tokens_are_in_the_tail(legs: int) -> None:
    names = "abcde"[:legs]
    rng = np.random.default_rng(legs)
    for chosen in range(2**legs):
        tail = "".join(name for n, name in enumerate(names) if chosen >> n & 1)
        market = Market("".join(name for name in names if name not in tail), tail=f"{tail}z")
        market.edge("az", place=9, log_rate=9.0)
        rates = rng.normal(0, 1, legs)
        rates -= (rates.sum() + 0.05) / legs
        ring = [
            market.edge(names[n] + names[(n + 1) % legs], place=n, log_rate=float(rates[n]))
            for n in range(legs)
        ]
        for token in market.token.values():
            market.graph.set_potential(token, rng.normal(0, 1))
        scan = ScanDriver(market.graph, legs_max=legs)
        for n, edge in enumerate(ring):
            assert scan.on_rate(edge, rates[n] + 0.1) == 1, f"{tail} in the tail, leg {n} of {legs}"
            assert scan.cycles()[0].edges == tuple(ring[n:] + ring[:n])
            assert scan.on_rate(edge, rates[n]) == 0


@pytest.mark.campaign
def test_another_kernel_may_call_the_scan() -> None:
    market = Market("ab")
    there = market.edge("ab", place=1, log_rate=0.0)
    market.edge("ba", place=2, log_rate=0.2)
    scan = ScanDriver(market.graph)

    asked = market.graph.arrays, scan.query, there, scan.found
    assert scan_from_a_kernel(*asked) == (1, 0.1 + 0.2, 1)


def test_a_batch_names_each_cycle_once() -> None:
    market = Market("ab")
    there = market.edge("ab", place=1, log_rate=-1.0)
    back = market.edge("ba", place=2, log_rate=-1.0)
    scan = ScanDriver(market.graph)

    assert scan.on_batch(np.array([there, back], np.int32), np.array([0.1, 0.1])) == 1

    assert scan.cycles() == (Cycle(edges=(there, back), log_gain=0.1 + 0.1),)


def test_the_best_cycles_are_kept_when_there_is_no_room_for_all() -> None:
    market = Market("ab")
    there = market.edge("ab", place=0, log_rate=-9.0)
    backs = [market.edge("ba", place=n, log_rate=n / 100) for n in range(1, 30)]
    scan = ScanDriver(market.graph, cycle_max=4, overflow_max=100)

    assert scan.on_rate(there, 0.0) == 4

    assert [cycle.edges[1] for cycle in scan.cycles(legs=2)] == backs[:-5:-1]
    assert scan.overflow == 25


def test_cycles_of_many_legs_leave_room_for_those_of_few() -> None:
    market = Market("abc")
    there = market.edge("ab", place=0, log_rate=-9.0)
    back = market.edge("ba", place=1, log_rate=0.01)
    market.edge("bc", place=2, log_rate=0.5)
    for place in range(3, 20):
        market.edge("ca", place=place, log_rate=place / 100)
    scan = ScanDriver(market.graph, cycle_max=2, overflow_max=100)

    assert scan.on_rate(there, 0.0) == 3

    assert scan.cycles(legs=2) == (Cycle(edges=(there, back), log_gain=0.01),)
    assert [cycle.log_gain for cycle in scan.cycles(legs=3)] == pytest.approx([0.69, 0.68])
    assert [len(cycle.edges) for cycle in scan.cycles()] == [3, 3, 2]
    assert scan.overflow == 15


@pytest.mark.parametrize("tail", ["", "c", "bc", "abcd"])
def test_good_cycles_of_few_legs_leave_room_for_worse_ones_of_many(tail: str) -> None:
    market = Market("".join(name for name in "abcd" if name not in tail), tail=tail)
    there = market.edge("ab", place=0, log_rate=-9.0)
    for place, ends in enumerate(("ba", "ba", "ba", "bc", "ca", "cd", "da"), start=1):
        market.edge(ends, place=place, log_rate=0.5 if ends == "ba" else 0.01)
    scan = ScanDriver(market.graph, cycle_max=1, overflow_max=0)

    assert scan.on_rate(there, 0.0) == 3
    assert [len(cycle.edges) for cycle in scan.cycles()] == [2, 4, 3]


def test_overflow_is_at_least_its_limit_when_more_had_no_room() -> None:
    market = Market("ab")
    there = market.edge("ab", place=0, log_rate=-9.0)
    for place in range(1, 30):
        market.edge("ba", place=place, log_rate=place / 100)
    scan = ScanDriver(market.graph, cycle_max=4, overflow_max=6)

    assert scan.on_rate(there, 0.0) == 4
    assert 6 <= scan.overflow <= 25
    assert scan.on_rate(there, -0.295) == 0
    assert scan.on_rate(there, -0.285) == 1
    assert scan.overflow == 0
