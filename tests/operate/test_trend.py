"""Whether memory grows: told only where chance does not explain it."""

import random
from collections import deque

import pytest

from engine.operate.trend import SAMPLES_MIN, slope_of


def wandering(seed: int, *, count: int = 480, per_h: float = 0.0) -> list[tuple[float, float]]:
    """Return samples each 15 s of memory that wanders, as that of an allocator does."""
    chance, value, samples = random.Random(seed), 0.0, []
    for number in range(count):
        value = 0.9 * value + chance.gauss(0, 0.5)
        at_s = 15.0 * number
        samples.append((at_s, 100.0 + value + per_h * at_s / 3_600))
    return samples


def test_memory_that_only_wanders_is_rarely_called_growing() -> None:
    slopes = [slope_of(wandering(seed)) for seed in range(200)]

    wrong = sum(one is not None and not one.low <= 0.0 <= one.high for one in slopes)
    assert wrong <= 24  # 1 in 20 is promised; neighbours that are alike make it a few more


@pytest.mark.parametrize("per_h", [6.0, -6.0])
def test_memory_that_grows_or_shrinks_is_seen_through_its_wandering(per_h: float) -> None:
    for seed in range(20):
        slope = slope_of(wandering(seed, per_h=per_h))
        assert slope is not None
        assert slope.per_h == pytest.approx(per_h, abs=3.0)
        assert (slope.low > 0) == (per_h > 0)


def test_a_straight_line_has_its_slope() -> None:
    slope = slope_of([(float(at), 5.0 + at / 3_600) for at in range(100)])
    assert slope == pytest.approx((1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    "samples",
    [[], [(0.0, 1.0)] * 3, [(5.0, 1.0)] * 100, [(float(at), 1.0) for at in range(SAMPLES_MIN - 1)]],
)
def test_too_little_says_nothing(samples: list[tuple[float, float]]) -> None:
    assert slope_of(samples) is None


def test_samples_may_come_as_those_who_look_keep_them() -> None:
    samples = wandering(1, per_h=30.0)

    assert slope_of(deque(samples)) == slope_of(samples)
