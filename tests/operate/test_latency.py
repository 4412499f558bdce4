"""Latencies are summed up exactly and without holding the loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.operate.latency import SAMPLES, LatencyRing


def test_before_the_first_sample_all_is_zero() -> None:
    assert LatencyRing().summary_us() == {"p50": 0.0, "p99": 0.0, "p999": 0.0}


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=2_000))
def test_each_figure_is_a_sample_with_its_part_of_all_below(durations_ns: list[int]) -> None:
    ring = LatencyRing()
    for duration_ns in durations_ns:
        ring.add(duration_ns)

    found = ring.summary_us()

    for name, percent in (("p50", 50), ("p99", 99), ("p999", 99.9)):
        expected_ns = np.percentile(durations_ns, percent, method="lower")
        assert found[name] == pytest.approx(float(expected_ns) / 1_000, abs=0.006)


def test_only_the_newest_samples_count() -> None:
    ring = LatencyRing()
    for _ in range(SAMPLES):
        ring.add(9_000)
    for _ in range(SAMPLES):
        ring.add(1_000)

    assert ring.summary_us() == {"p50": 1.0, "p99": 1.0, "p999": 1.0}
