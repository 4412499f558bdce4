"""Fills that a venue tells late: a fault of the paper venues, off unless it is asked for.

A venue may say that an order has ended and tell some of its fills only later, when the plan has
ended too. So that this way is walked before a true venue does it, each order draws from the seed
whether it is such a one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.domain.errors import BadValueError
from engine.domain.units import NS_PER_MS

DELAY_MS: Final = (50, 5_000)
"""After the order's end; the plan may have ended by then, or not."""

_APART: Final = 1
"""Keeps these draws apart from those of latencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFills:
    """Which orders have fills that are told late.

    Attributes:
        ratio: of all orders, 0 to 1.
        seed: of the run.
    """

    ratio: float
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.ratio <= 1:
            raise BadValueError(f"a ratio of late fills is {self.ratio}; it must be 0 to 1")

    def draw(self, count: int, *, plan_number: int, order_number: int) -> tuple[int, int]:
        """Return how many of an order's last fills are told late, and by how many nanoseconds."""
        if not self.ratio or not count:
            return 0, 0
        key = np.random.SeedSequence([self.seed, plan_number, order_number, _APART])
        generator = np.random.Generator(np.random.PCG64(key))
        if generator.random() >= self.ratio:
            return 0, 0
        delay_ns = int(generator.integers(*DELAY_MS)) * NS_PER_MS
        return 1 + int(generator.integers(count)), delay_ns


NONE_LATE: Final = LateFills(ratio=0, seed=0)
