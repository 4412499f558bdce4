"""Cycle scans on markets like real ones: a few hubs, many tokens, mispriced by less than fees.

`python -m benchmarks.cycles`.
"""

import functools
import random
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Row, measure, print_table, row, scalar, time_calls
from engine.detect.graph.market_graph import MarketGraph
from engine.kernels import graph as graph_kernels
from tests.detect.cycle_driver import ScanDriver

CALLS = 20_000
HUBS = 8
HUB_WEIGHTS = (45, 20, 12, 8, 5, 4, 3, 3)
FEES = (0.0001, 0.0005, 0.003, 0.01)
FEE_WEIGHTS = (10, 25, 50, 15)
MOVE = 1e-4
LOG_GAIN_MIN = 5e-4
BATCH = 200
GROWTH_CALLS = 10_000
GROWTH_TOKENS = (64, 128, 256, 512, 1_024, 2_048)
GROWTH_POOLS = (1_000, 2_000, 5_000, 10_000, 20_000)
GROWTH_LEGS = (2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Pool:
    ends: tuple[int, int]
    there: int
    back: int
    log_price: float
    fee: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthPoint:
    """One point of a growth curve; `along` names what varies: tokens, pools or legs."""

    along: str
    token_count: int
    pool_count: int
    legs_max: int
    latency_median_us: float
    latency_p99_us: float
    updates_per_s: float


class Market:
    """Pools between hubs and other tokens, the latter drawn towards the well connected."""

    def __init__(
        self, *, tokens: int, pools: int, core: int, noise: float = 2e-4, legs_max: int = 4
    ) -> None:
        rng = self.rng = random.Random(7)
        self.graph = MarketGraph(core_size=core, token_max=tokens, edge_max=2 * pools + 64)
        for number in range(tokens):
            self.graph.add_token(f"t{number}")
        self.values = [rng.gauss(0, 2) for _ in range(tokens)]
        self.pools = []
        for place in range(pools):
            a, b = self.ends_of_pool(tokens)
            log_price = self.values[a] - self.values[b] + rng.gauss(0, noise)
            fee = rng.choices(FEES, FEE_WEIGHTS)[0]
            self.pools.append(self.add(place, (a, b), log_price, fee))
        self.scan_up_to(legs_max)

    def scan_up_to(self, legs_max: int) -> None:
        self.scan = ScanDriver(self.graph, log_gain_min=LOG_GAIN_MIN, legs_max=legs_max)

    def add(self, place: int, ends: tuple[int, int], log_price: float, fee: float) -> Pool:
        there, back = (
            self.graph.add_edge(source=source, target=target, place=place, log_rate=rate)
            for (source, target), rate in (
                (ends, log_price - fee),
                ((ends[1], ends[0]), -log_price - fee),
            )
        )
        return Pool(ends, there, back, log_price, fee)

    def ends_of_pool(self, tokens: int) -> tuple[int, int]:
        rng = self.rng
        kind = rng.random()
        if kind < 0.02:
            a, b = rng.sample(range(HUBS), 2)
        elif kind < 0.8:
            a = rng.choices(range(HUBS), HUB_WEIGHTS)[0]
            b = HUBS + int((tokens - HUBS) * rng.random() ** 2.2)
        else:
            a, b = (HUBS + int((tokens - HUBS) * rng.random() ** 2.5) for _ in range(2))
        return (a, b) if a != b else (a, (b + 1) % tokens)

    def changes(self, count: int, *, is_hub_weighted: bool) -> list[tuple[int, float, int, float]]:
        """Prices wander about where they were; hubs' pools trade more often."""
        degree = np.zeros(self.graph.token_max)
        for pool in self.pools:
            degree[list(pool.ends)] += 1
        weights = [
            float(degree[pool.ends[0]] * degree[pool.ends[1]]) if is_hub_weighted else 1.0
            for pool in self.pools
        ]
        result = []
        for pool in self.rng.choices(self.pools, weights, k=count):
            price = pool.log_price + self.rng.gauss(0, MOVE)
            result.append((pool.there, price - pool.fee, pool.back, -price - pool.fee))
        return result


def _measure_scan(
    name: str, market: Market, *, is_hub_weighted: bool, call_count: int = CALLS
) -> Row:
    scan = market.scan
    changes = market.changes(call_count, is_hub_weighted=is_hub_weighted)
    hits = [0]

    def call(change: tuple[int, float, int, float]) -> None:
        hits[0] += scan.on_rates(*change) > 0

    taken = measure(name, [functools.partial(call, change) for change in changes])
    print(f"{name}: {hits[0] / len(changes):.3f} of events have a cycle")
    return taken


def _per_second(
    name: str, market: Market, call: Callable[..., object], *, call_count: int = CALLS * 5
) -> Row:
    changes = market.changes(call_count, is_hub_weighted=False)
    edges = np.array([change[0] for change in changes], np.int32)
    rates = np.array([change[1] for change in changes])
    durations = []
    for _ in range(3):
        started = time.perf_counter()
        call(edges, rates)
        durations.append(time.perf_counter() - started)
    return scalar(name, "1/s", len(edges) / min(durations))


def _in_blocks(market: Market) -> Callable[..., None]:
    def call(edges: np.ndarray, rates: np.ndarray) -> None:
        for begin in range(0, len(edges), BATCH):
            market.scan.on_batch(edges[begin : begin + BATCH], rates[begin : begin + BATCH])

    return call


def _measure_structure(name: str, market: Market) -> list[Row]:
    graph, rng = market.graph, market.rng
    places = iter(range(10**6, 10**7))
    held: list[int] = []

    def add() -> None:
        place = next(places)
        a, b = market.ends_of_pool(graph.token_max)
        log_price = market.values[a] - market.values[b]
        market.add(place, (a, b), log_price, 0.003)
        held.append(place)

    def remove() -> None:
        graph.remove_place(held.pop())

    def move() -> None:
        token = rng.randrange(graph.token_max)
        graph.set_potential(token, market.values[token] + rng.gauss(0, 1e-3))

    calls = CALLS // 10
    before = resource.getrusage(resource.RUSAGE_SELF)
    added = measure(f"{name}.add_pool", [add] * calls, between=remove)
    add()
    removed = row(f"{name}.remove_pool", time_calls([remove] * calls, between=add))
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{name}: adding and removing was preempted {after.ru_nivcsw - before.ru_nivcsw} times "
        f"and took {after.ru_minflt - before.ru_minflt} page faults"
    )
    return [added, removed, measure(f"{name}.set_potential", [move] * calls)]


def _measure_noise(name: str, market: Market) -> Row:
    """Time calls that change and scan nothing: what calling and the machine alone take."""
    edge = market.pools[0].there
    rate = float(market.graph.arrays[3][edge])
    return measure(name, [functools.partial(market.scan.on_rate, edge, rate)] * CALLS)


def measure_all() -> list[Row]:
    """Measure all scans."""
    rows = []
    for tokens, pools in ((512, 4_300), (1_024, 10_000)):
        market = Market(tokens=tokens, pools=pools, core=tokens)
        name = f"cycles.{tokens}_tokens"
        rows.append(_measure_noise(f"{name}.nothing_changed", market))
        rows.append(_measure_scan(f"{name}.uniform", market, is_hub_weighted=False))
        rows.append(_measure_scan(f"{name}.hubs", market, is_hub_weighted=True))
        arrays = market.graph.arrays
        rows.append(
            _per_second(
                f"{name}.set_rates", market, functools.partial(graph_kernels.set_rates, arrays)
            )
        )
        rows.append(_per_second(f"{name}.on_batch_of_200", market, _in_blocks(market)))
        rows += _measure_structure(name, market)
        rows += _measure_five(name, market)
    rows += _measure_tail()
    return rows


def _measure_five(name: str, market: Market) -> list[Row]:
    market.scan_up_to(5)
    return [
        _measure_scan(f"{name}.5_legs.uniform", market, is_hub_weighted=False),
        _measure_scan(f"{name}.5_legs.hubs", market, is_hub_weighted=True),
    ]


def _measure_tail() -> list[Row]:
    market = Market(tokens=3_008, pools=10_000, core=512)
    name = "cycles.512_and_2496_in_tail"
    return [
        _measure_scan(f"{name}.walk.uniform", market, is_hub_weighted=False),
        _measure_scan(f"{name}.walk.hubs", market, is_hub_weighted=True),
    ]


def measure_growth() -> list[GrowthPoint]:
    """Measure how latency and throughput grow with tokens, pools and legs; takes under a minute.

    Events are weighted towards hubs for the latency of one call from Python, and come in batches
    for the throughput.
    """
    points = []
    for tokens in GROWTH_TOKENS:
        market = Market(tokens=tokens, pools=10 * tokens, core=tokens)
        points.append(_growth_point("tokens", market, legs_max=4))
    for pools in GROWTH_POOLS:
        market = Market(tokens=512, pools=pools, core=512)
        points.append(_growth_point("pools", market, legs_max=4))
    market = Market(tokens=512, pools=4_300, core=512)
    for legs_max in GROWTH_LEGS:
        market.scan_up_to(legs_max)
        points.append(_growth_point("legs", market, legs_max=legs_max))
    return points


def _growth_point(along: str, market: Market, *, legs_max: int) -> GrowthPoint:
    latency = _measure_scan(
        f"cycles.growth.{along}", market, is_hub_weighted=True, call_count=GROWTH_CALLS
    )
    rate = _per_second(along, market, _in_blocks(market), call_count=2 * GROWTH_CALLS)
    return GrowthPoint(
        along=along,
        token_count=market.graph.token_max,
        pool_count=len(market.pools),
        legs_max=legs_max,
        latency_median_us=latency.median,
        latency_p99_us=latency.p99,
        updates_per_s=rate.median,
    )


if __name__ == "__main__":
    print_table(measure_all())
