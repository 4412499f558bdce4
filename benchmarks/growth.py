"""How a scan grows with tokens, pools and legs: one event from Python, and events in blocks.

Markets as in `cycles`: a few hubs, many tokens, prices that wander by less than fees. Rows go to
`benchmarks/latest-growth.json`; `pictures` draws them.
"""

import functools
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks import harness
from benchmarks.cycles import LOG_GAIN_MIN, Market
from benchmarks.page import GROWTH
from engine.kernels.graph_layout import LEGS_MAX
from tests.detect.cycle_driver import ScanDriver

CALLS = 20_000
BLOCK = 200
BLOCK_ROUNDS = 3
LEGS = 4  # along tokens and pools
TOKENS = (128, 256, 512, 1_024, 2_048)
POOLS_PER_TOKEN = 8
POOLS = (1_000, 2_000, 4_000, 8_000, 16_000)
TOKENS_OF_POOLS = 512
POOLS_OF_LEGS = 4_300


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One market and what an event costs there; times in us, rates in events per second."""

    along: str
    tokens: int
    pools: int
    legs: int
    median: float
    p99: float
    p999: float
    events_per_s: float
    events_in_blocks_per_s: float
    machine: str


def _measure(along: str, *, tokens: int, pools: int, legs: int) -> Point:
    market = Market(tokens=tokens, pools=pools, core=tokens)
    scan = ScanDriver(market.graph, log_gain_min=LOG_GAIN_MIN, legs_max=legs)
    changes = market.changes(CALLS + harness.WARM_UP_CALLS, is_hub_weighted=False)
    calls = [functools.partial(scan.on_rates, *change) for change in changes]
    durations = harness.time_calls(calls)[harness.WARM_UP_CALLS :]
    row = harness.row(along, durations)
    return Point(
        along=along,
        tokens=tokens,
        pools=pools,
        legs=legs,
        median=row.median,
        p99=row.p99,
        p999=row.p999,
        events_per_s=round(1e9 / float(durations.mean())),
        events_in_blocks_per_s=round(_in_blocks(market, scan)),
        machine=harness.machine(),
    )


def _in_blocks(market: Market, scan: ScanDriver) -> float:
    """Return the rate of single edges that change in blocks, the best of some rounds."""
    changes = market.changes(CALLS, is_hub_weighted=False)
    edges = np.array([change[0] for change in changes], np.int32)
    rates = np.array([change[1] for change in changes])
    seconds = []
    for _ in range(BLOCK_ROUNDS):
        started = time.perf_counter()
        for begin in range(0, len(edges), BLOCK):
            scan.on_batch(edges[begin : begin + BLOCK], rates[begin : begin + BLOCK])
        seconds.append(time.perf_counter() - started)
    return len(edges) / min(seconds)


def measure_all() -> list[Point]:
    """Measure every point."""
    points = [
        _measure("tokens", tokens=tokens, pools=POOLS_PER_TOKEN * tokens, legs=LEGS)
        for tokens in TOKENS
    ]
    points += [_measure("pools", tokens=TOKENS_OF_POOLS, pools=pools, legs=LEGS) for pools in POOLS]
    points += [
        _measure("legs", tokens=TOKENS_OF_POOLS, pools=POOLS_OF_LEGS, legs=legs)
        for legs in range(2, LEGS_MAX + 1)
    ]
    return points


def write(points: Sequence[Point]) -> None:
    """Store points as a JSON list of objects."""
    GROWTH.write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n")


def load() -> list[Point]:
    """Return the points stored last."""
    return [Point(**row) for row in json.loads(GROWTH.read_text())]
