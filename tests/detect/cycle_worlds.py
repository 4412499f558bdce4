"""Random markets of many shapes, and the events that move them, for the cycle tests."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from engine.detect.graph.market_graph import MarketGraph
from engine.kernels.graph_layout import NONE
from tests.detect.cycle_driver import Cycle, ScanDriver
from tests.reference.cycles import Edge, Found, cycles_through

CLOSE = 1e-9
CYCLES_KEPT = 24

Couples = list[tuple[int, int]]


def star(rng: random.Random, tokens: int) -> Couples:
    return [(0, token) for token in range(1, tokens) for _ in range(rng.randint(1, 2))]


def chain(rng: random.Random, tokens: int) -> Couples:
    return [(token, token + 1) for token in range(tokens - 1) for _ in range(rng.randint(1, 2))]


def ring(rng: random.Random, tokens: int) -> Couples:
    return [(token, (token + 1) % tokens) for token in range(tokens)] * rng.randint(1, 2)


def clique(_rng: random.Random, tokens: int) -> Couples:
    few = min(tokens, 6)
    return [(a, b) for a in range(few) for b in range(a)]


def bipartite(rng: random.Random, tokens: int) -> Couples:
    return [
        (a, b) for a in range(tokens // 2) for b in range(tokens // 2, tokens) if rng.random() < 0.7
    ]


def parallel(rng: random.Random, tokens: int) -> Couples:
    few = min(tokens, 3)
    return [(a, b) for a in range(few) for b in range(a) for _ in range(rng.randint(1, 4))]


def hubs(rng: random.Random, tokens: int) -> Couples:
    return [(0, 1), *((hub, token) for token in range(2, tokens) for hub in (0, 1))] * rng.randint(
        1, 2
    )


def parts(rng: random.Random, tokens: int) -> Couples:
    half = tokens // 2
    return clique(rng, half) + [(a + half, b + half) for a, b in ring(rng, tokens - half)]


def one_pair(rng: random.Random, _tokens: int) -> Couples:
    return [(0, 1)] * rng.randint(1, 5)


def scattered(rng: random.Random, tokens: int) -> Couples:
    return [tuple(rng.sample(range(tokens), 2)) for _ in range(2 * tokens)]  # type: ignore[misc]


def fives(rng: random.Random, tokens: int) -> Couples:
    rings = [rng.sample(range(tokens), min(tokens, 5)) for _ in range(rng.randint(1, 4))]
    return [(few[n - 1], few[n]) for few in rings for n in range(len(few))]


SHAPES: tuple[Callable[[random.Random, int], Couples], ...] = (
    star, chain, ring, clique, bipartite, parallel, hubs, parts, one_pair, scattered, fives,
)  # fmt: skip


@dataclass
class Tally:
    """What a run of events has seen."""

    events: int = 0
    improved: int = 0
    with_cycles: int = 0
    with_overflow: int = 0
    cycles: int = 0
    by_legs: dict[int, int] = field(default_factory=dict)
    mismatches: list[str] = field(default_factory=list)


class World:
    """A market graph beside a plain list of its edges."""

    def __init__(self, seed: int, *, tail_ratio: float | None = None) -> None:
        rng = self.rng = random.Random(seed)
        self.shape = SHAPES[seed % len(SHAPES)]
        tokens = rng.randint(5 if self.shape is fives else 2, 9)
        self.noise = rng.choice((1e-4, 2e-3, 0.05, 3.0))
        self.graph = MarketGraph(core_size=64, token_max=128, edge_max=256)
        ratio = rng.choice((0.0, 0.5, 1.0)) if tail_ratio is None else tail_ratio
        self.tokens = [
            self.graph.add_token(f"t{number}", in_tail=rng.random() < ratio)
            for number in range(tokens)
        ]
        self.values = {token: rng.gauss(0, 8) for token in self.tokens}
        self.edges: dict[int, Edge] = {}
        self.places = 0
        for a, b in self.shape(rng, tokens):
            if a != b:
                self.add_pool(self.tokens[a], self.tokens[b])
        if rng.random() < 0.3 and tokens >= 3:
            self.add_place(rng.sample(self.tokens, 3))
        self.scan = ScanDriver(
            self.graph,
            log_gain_min=rng.choice((0.0, 0.0, 5e-4, -self.noise)),
            legs_max=5 if self.shape is fives else rng.choice((5, 5, 4, 4, 4, 3, 2)),
            cycle_max=rng.choice((1, 3, CYCLES_KEPT)),
            overflow_max=rng.choice((0, 2, 30, 1_000)),
        )
        self.log_gain_min, self.legs_max, self.overflow_max = self.scan.query

    def log_rate(self, source: int, target: int) -> float:
        fee = self.rng.choice((1e-4, 5e-4, 3e-3))
        return self.values[source] - self.values[target] + self.rng.gauss(0, self.noise) - fee

    def add_pool(self, a: int, b: int) -> None:
        self.add_place([a, b])

    def add_place(self, tokens: list[int]) -> None:
        self.places += 1
        for source in tokens:
            for target in tokens:
                if source != target:
                    self._add_edge(source, target)

    def _add_edge(self, source: int, target: int) -> None:
        log_rate = self.log_rate(source, target)
        number = self.graph.add_edge(
            source=source,
            target=target,
            place=self.places,
            log_rate=log_rate,
        )
        self.edges[number] = Edge(number, source, target, self.places, log_rate)

    def change_structure(self) -> None:
        rng = self.rng
        choice = rng.random()
        if choice < 0.35 and len(self.edges) < 60:
            self.add_pool(*rng.sample(self.tokens, 2))
        elif choice < 0.6 and len(self.edges) > 4:
            place = rng.choice(list(self.edges.values())).place
            self.graph.remove_place(place)
            self.edges = {n: edge for n, edge in self.edges.items() if edge.place != place}
        elif choice < 0.75:
            self.graph.set_potential(rng.choice(self.tokens), rng.gauss(0, 8))
        elif self.edges:
            number = rng.choice(list(self.edges))
            self.graph.close_edge(number)
            self.edges[number] = replace(self.edges[number], log_rate=-math.inf)

    def event(self, tally: Tally) -> None:
        rng = self.rng
        if rng.random() < 0.08:
            self.change_structure()
        if not self.edges:
            self.add_pool(*rng.sample(self.tokens, 2))
        tally.events += 1
        kind = rng.random()
        if kind < 0.9:
            self._change_place(tally)
        else:
            self._change_batch(tally)

    def _through(self, number: int) -> list[Found]:
        return cycles_through(
            self.edges.values(), number, log_gain_min=self.log_gain_min, legs_max=self.legs_max
        )

    def _set(self, number: int, log_rate: float) -> bool:
        before = self.edges[number]
        self.edges[number] = replace(before, log_rate=log_rate)
        return log_rate > before.log_rate

    def _change_place(self, tally: Tally) -> None:
        number = self.rng.choice(list(self.edges))
        edge = self.edges[number]
        other = next(
            (
                twin.number
                for twin in self.edges.values()
                if (twin.place, twin.source, twin.target) == (edge.place, edge.target, edge.source)
            ),
            NONE,
        )
        if self.rng.random() < 0.2:
            other = NONE
        rate = self.log_rate(edge.source, edge.target)
        other_rate = self.log_rate(edge.target, edge.source)
        improved = [number] if self._set(number, rate) else []
        if other != NONE and self._set(other, other_rate):
            improved.append(other)

        count = self.scan.on_rates(number, rate, other, other_rate)

        tally.improved += bool(improved)
        expected = sorted((found for n in improved for found in self._through(n)), reverse=True)
        self._compare(f"edge {number}", count, expected, tally)

    def _change_batch(self, tally: Tally) -> None:
        numbers = self.rng.choices(list(self.edges), k=self.rng.randint(1, 6))
        rates = [
            self.log_rate(self.edges[number].source, self.edges[number].target)
            for number in numbers
        ]
        before = {number: self.edges[number].log_rate for number in numbers}
        for number, rate in zip(numbers, rates, strict=True):
            self._set(number, rate)
        improved = [n for n in dict.fromkeys(numbers) if self.edges[n].log_rate > before[n]]

        count = self.scan.on_batch(np.array(numbers, np.int32), np.array(rates))

        tally.improved += bool(improved)
        expected = [
            found
            for position, number in enumerate(improved)
            for found in self._through(number)
            if not set(improved[:position]) & set(found.edges)
        ]
        self._compare(f"batch {numbers}", count, sorted(expected, reverse=True), tally)

    def _compare(self, named: str, count: int, expected: list[Found], tally: Tally) -> None:
        got: list[Cycle] = []
        is_right = True
        lost = 0
        for legs in range(2, self.legs_max + 1):
            same = [found for found in expected if len(found.edges) == legs]
            kept = self.scan.cycles(legs=legs)
            tally.by_legs[legs] = tally.by_legs.get(legs, 0) + len(kept)
            is_right &= self._is_best(kept, same)
            lost += len(same) - len(kept)
            got += kept
        overflow = self.scan.overflow
        is_right &= overflow == lost if lost < self.overflow_max else overflow <= lost
        is_right &= overflow >= min(lost, self.overflow_max) and count == len(got)
        tally.with_cycles += bool(expected)
        tally.with_overflow += bool(lost)
        tally.cycles += len(got)
        if not is_right:
            tally.mismatches.append(
                f"{self.shape.__name__}, {named}: found {got}, {overflow} without room; "
                f"expected {expected}"
            )

    def _is_best(self, got: tuple[Cycle, ...], expected: list[Found]) -> bool:
        by_edges = {found.edges: found.log_gain for found in expected}
        kept = expected[: self.scan.found[0].shape[1]]
        return (
            len(got) == len(kept)
            and len({cycle.edges for cycle in got}) == len(got)
            and all(
                abs(mine.log_gain - theirs.log_gain) < CLOSE
                and abs(by_edges.get(mine.edges, math.inf) - mine.log_gain) < CLOSE
                for mine, theirs in zip(got, kept, strict=True)
            )
        )
