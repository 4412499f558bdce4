"""What is made of times that `make bench-preemption` took."""

from typing import Any

import numpy as np

from benchmarks.preemption_figures import rows_of

NUMBERS = np.array([1_000] * 6 + [2_000_000, -1])


def measured(**other: object) -> dict[str, Any]:
    return {
        "last": NUMBERS,
        "called": np.abs(NUMBERS),
        "ran": np.abs(NUMBERS),
        "switched": np.zeros(8, np.bool_),
        "woken": np.array([True, True, False, True]),
        "heard_held": np.full(100, 30_000),
        "heard_full": np.full(100, 20_000),
        "heard_alone": np.full(100, 10_000),
        "failures": np.array([0, 2]),
        # Two pieces of a second each: three times away in the first, once in the second.
        "away": np.array([10**9, 0, 6_000, 7_000, 8_000, 10**9, 0, 9_000]),
        "paced.3_ms.alone": np.full(100, 100_000),
        "paced.3_ms.full": np.full(100, 150_000),
    } | other


def test_work_that_ran_on_or_was_not_seen_to_stop_is_no_success() -> None:
    rows = {one.name: one for one in rows_of(measured())}

    assert rows["preemption.success"].median == 75
    assert rows["preemption.not_stopped_in_2_ms"].median == 2
    assert rows["preemption.last_instruction.max"].median == 2_000
    assert rows["preemption.failures"].median == 2
    assert rows["preemption.ran_between"].median == 0.75
    assert rows["frame.to_handler.p99_held_over_alone"].median == 3
    assert rows["frame.to_handler.p99_full_over_alone"].median == 2
    assert rows["paced.3_ms.full.p99_over_alone"].median == 1.5
    assert rows["machine.away_per_s"].median == 2
    assert rows["machine.away.max"].median == 9


def test_each_late_stop_is_told_with_who_took_the_callers_core() -> None:
    late = np.array([1_000] * 4 + [3_000_000] * 4)
    ran = np.array([1_000] * 4 + [10_000, 10_000, 10_000, 3_000_000])
    switched = np.array([False] * 4 + [False, False, True, False])
    found = measured(last=late, called=late, ran=ran, switched=switched)

    rows = {one.name: one.median for one in rows_of(found)}

    assert rows["preemption.late.host_took_the_core"] == 2
    assert rows["preemption.late.guest_switched"] == 1
    assert rows["preemption.late.otherwise"] == 1
    assert rows["preemption.success_where_the_host_let"] == round(100 * 4 / 6, 3)


def test_it_is_told_how_many_the_machine_alone_would_have_made_late() -> None:
    # Away for longer than 2 ms twice in two seconds; eight calls of 0.1 s each.
    away = np.array([10**9, 0, 3_000_000, 10**9, 0, 6_000, 4_000_000])
    found = measured(called=np.full(8, 10**8), ran=np.full(8, 10**8), away=away)

    rows = {one.name: one.median for one in rows_of(found)}

    assert rows["preemption.late.machine_alone_expected"] == 0.8
