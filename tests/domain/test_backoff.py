import math

from engine.domain.backoff import Backoff, wait_after


def test_waits_double_up_to_the_longest_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(None, first_s=0.2, longest_s=1.0)

    waits = [backoff.next_s() for _ in range(5)]
    backoff.reset()

    assert waits == [0.2, 0.4, 0.8, 1.0, 1.0]
    assert backoff.next_s() == 0.2


def test_a_day_of_failures_does_not_leave_the_range_of_numbers() -> None:
    assert wait_after(100_000, first=0.2, longest=10.0) == 10.0
    assert wait_after(100_000, first=1_000_000_000, longest=64_000_000_000) == 64_000_000_000
    assert math.isfinite(wait_after(100_000, first=0.5, longest=math.inf))
