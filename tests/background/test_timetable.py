"""When a task is due, who is next, and what a list of tasks must say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.background.line import LIFT_S, Line, Place
from engine.background.ports import Priority, Task
from engine.background.timetable import CRON_JITTER_S, JITTER_RATIO, Due, check_tasks, is_overdue
from engine.domain.errors import FatalError
from engine.domain.runs import Trigger
from tests.background.tasks import make_task

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@given(
    st.floats(1.0, 1e6),
    st.integers(0, 100),
    st.integers(-(10**9), 10**9).map(lambda s: NOON + timedelta(seconds=s)),
)
def test_each_interval_has_one_instant_that_is_the_same_for_all_who_ask(
    every_s: float, seed: int, now: datetime
) -> None:
    task = make_task(every_s=every_s)
    first = Due(task, seed=seed).after(now)
    second = Due(task, seed=seed).after(first)
    again = Due(task, seed=seed).after(now - timedelta(microseconds=1))

    assert now < first <= now + timedelta(seconds=every_s * (1 + JITTER_RATIO) + 1e-3)
    assert again in {first, now}
    gap_s = (second - first).total_seconds()
    assert (1 - JITTER_RATIO) * every_s - 1e-3 <= gap_s <= (1 + JITTER_RATIO) * every_s + 1e-3


def test_tasks_of_one_interval_are_due_at_instants_spread_over_it() -> None:
    due = [Due(make_task(f"t{number}", every_s=3_600.0), seed=1) for number in range(60)]
    at_s = [(one.after(NOON) - NOON).total_seconds() for one in due]

    assert min(at_s) < 600
    assert max(at_s) > 3_000


def test_a_clock_that_jumps_by_a_century_takes_one_step() -> None:
    due, now = Due(make_task(every_s=1.0), seed=1), NOON + timedelta(days=36_500)
    found = due.get_next_fire_time(NOON, now)

    assert found is not None
    assert now < found < now + timedelta(seconds=3)


def test_times_of_day_are_shifted_by_some_seconds_and_never_skipped() -> None:
    due, at, found = Due(make_task(cron="0 4 * * *"), seed=3), NOON, []
    for _ in range(30):
        at = due.after(at)
        found.append(at)

    assert [one.day for one in found[:3]] == [1, 2, 3]
    assert all(
        one.replace(hour=4, minute=0, second=0, microsecond=0)
        <= one
        <= one.replace(hour=4, minute=0, second=0, microsecond=0) + timedelta(seconds=CRON_JITTER_S)
        for one in found
    )
    assert len({one.second for one in found}) > 5


def test_an_instant_that_was_missed_is_overdue_once() -> None:
    due = Due(make_task(every_s=600.0), seed=1)
    now_ns = int(NOON.timestamp() * 1e9)

    def overdue(ago_s: float | None, *, is_cron: bool = False) -> bool:
        begun_at_ns = None if ago_s is None else int(now_ns - ago_s * 1e9)
        return is_overdue(due, begun_at_ns=begun_at_ns, now_ns=now_ns, is_cron=is_cron)

    assert overdue(None)
    assert not overdue(None, is_cron=True)
    assert overdue(700.0)
    assert overdue(86_400.0 * 365)
    assert not overdue(-3_600.0)  # the clock was set back


def place(name: str, priority: Priority, since_s: float, memory_mb: int = 10) -> Place:
    return Place(
        name=name, priority=priority, memory_mb=memory_mb, trigger=Trigger.DUE, since_s=since_s
    )


def test_however_many_urgent_ones_come_the_lowest_has_its_turn() -> None:
    line, now_s, served = Line(), 0.0, []
    line.put(place("low", Priority.LOW, 0.0))
    for number in range(1_000):
        now_s += 10.0
        line.put(place(f"critical{number}", Priority.CRITICAL, now_s))
        first = line.next(now_s, memory_mb_left=100, why_not=lambda _: "")
        assert first is not None
        served.append(first.name)
        line.leave(first.name)

    assert served.index("low") * 10.0 <= 3 * LIFT_S + 10.0


def test_one_that_cannot_begin_is_passed_and_one_that_waits_for_memory_is_not() -> None:
    line = Line()
    line.put(place("a", Priority.HIGH, 0.0, memory_mb=100))
    line.put(place("b", Priority.LOW, 0.0))

    def why_not(one: Place) -> str:
        return "x" if one.name == "a" and is_stuck else ""

    is_stuck = True
    found = line.next(1.0, memory_mb_left=50, why_not=why_not)
    assert found is not None
    assert found.name == "b"
    is_stuck = False
    assert line.next(1.0, memory_mb_left=50, why_not=why_not) is None


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ([make_task("a"), make_task("a")], "two background tasks are named a"),
        ([make_task("a", after=("b",))], "the background task a is after b, which is none"),
        (
            [make_task("a", after=("b",)), make_task("b", after=("c",)),
             make_task("c", after=("a",))],
            "background tasks wait for each other: a after b after c after a",
        ),
        ([make_task("a", after=("a",))], "background tasks wait for each other: a after a"),
        ([make_task("a", every_s=0.0)], "the background task a needs either every_s or cron"),
        ([make_task("a", every_s=float("nan"))], "the background task a is due every nan s"),
        ([make_task("a", every_s=-5.0)], "the background task a is due every -5.0 s"),
        ([make_task("a", memory_mb=201)],
         "the background task a may take 201 MB, all together 200"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_scheduled_is_refused_in_words(
    tasks: list[Task[Any]], why: str
) -> None:
    with pytest.raises(FatalError) as refused:
        check_tasks(tasks, memory_mb=200)
    assert str(refused.value) == why


def test_times_of_day_that_are_none_are_refused_in_words() -> None:
    with pytest.raises(FatalError, match="the times '61 \\* \\* \\* \\*' of the background task a"):
        check_tasks([make_task("a", cron="61 * * * *")], memory_mb=200)


def test_a_list_in_order_passes() -> None:
    tasks = [make_task("a"), make_task("b", after=("a",)), make_task("c", after=("a", "b"))]
    check_tasks([*tasks, make_task("d", cron="0 4 * * *")], memory_mb=200)
