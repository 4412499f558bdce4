"""Order latency in paper mode: how long an order takes to reach its venue.

Drawn from a lognormal distribution per venue, given by its median and 99th percentile. Each draw
has a generator of its own, keyed by the run's seed, the plan and the order, so that one plan's
draws never depend on another's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.units import NS_PER_MS

NORMAL_P99 = 2.3263478740408408
"""99th percentile of the standard normal distribution."""

LATENCY_MS_MAX = 60_000.0
"""A draw is cut here, so that every plan ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """One-way order latency of a venue."""

    median_ms: float
    p99_ms: float

    def __post_init__(self) -> None:
        if not 0 < self.median_ms <= self.p99_ms <= LATENCY_MS_MAX:
            raise BadValueError(
                f"latency median {self.median_ms} ms must be above 0 and at most its p99 "
                f"{self.p99_ms} ms, and this at most {LATENCY_MS_MAX} ms"
            )


class LatencyModel:
    """Draws latencies from a seed."""

    def __init__(self, by_venue: Mapping[VenueId, Latency], *, seed: int) -> None:
        if seed < 0:
            raise BadValueError(f"latency seed is {seed}; it must not be negative")
        self._by_venue = dict(by_venue)
        self._seed = seed

    def draw_ns(self, venue: VenueId, *, plan_number: int, order_number: int) -> int:
        """Return the latency of one order, in nanoseconds; at least 1.

        Raises:
            BadValueError: no latency is configured for the venue.
        """
        latency = self._by_venue.get(venue)
        if latency is None:
            raise BadValueError(f"no order latency is configured for venue {venue}; set it in ms")
        key = np.random.SeedSequence([self._seed, plan_number, order_number])
        deviation = float(np.random.Generator(np.random.PCG64(key)).standard_normal())
        spread = math.log(latency.p99_ms / latency.median_ms) / NORMAL_P99
        drawn_ms = min(latency.median_ms * math.exp(spread * deviation), LATENCY_MS_MAX)
        return max(round(drawn_ms * NS_PER_MS), 1)
