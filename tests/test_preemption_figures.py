"""What is made of times that `make bench-preemption` took."""

import numpy as np

from benchmarks.preemption_figures import rows_of


def test_work_that_ran_on_or_was_not_seen_to_stop_is_no_success() -> None:
    numbers = np.array([1_000] * 6 + [2_000_000, -1])
    found = {
        "last": numbers,
        "called": np.abs(numbers),
        "woken": np.array([True, True, False, True]),
        "heard_held": np.full(100, 30_000),
        "heard_full": np.full(100, 20_000),
        "heard_alone": np.full(100, 10_000),
        "failures": np.array([0, 2]),
        # Two pieces of a second each: three times away in the first, once in the second.
        "away": np.array([10**9, 0, 6_000, 7_000, 8_000, 10**9, 0, 9_000]),
        "paced.3_ms.alone": np.full(100, 100_000),
        "paced.3_ms.full": np.full(100, 150_000),
    }

    rows = {one.name: one for one in rows_of(found)}

    assert rows["preemption.success"].median == 0.75
    assert rows["preemption.not_stopped_in_2_ms"].median == 2
    assert rows["preemption.last_instruction.max"].median == 2_000
    assert rows["preemption.failures"].median == 2
    assert rows["preemption.ran_between"].median == 0.75
    assert rows["frame.to_handler.p99_held_over_alone"].median == 3
    assert rows["frame.to_handler.p99_full_over_alone"].median == 2
    assert rows["paced.3_ms.full.p99_over_alone"].median == 1.5
    assert rows["machine.away_per_s"].median == 2
    assert rows["machine.away.max"].median == 9
