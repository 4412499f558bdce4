"""What is due runs in its order, as much at once as there is room for, and its end is noted."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.background.history import History
from engine.background.ports import Discovery, Priority, Task
from engine.background.runs import Ended
from engine.background.schedule import WANT_RETRY_S, Schedule
from engine.background.task_words import TaskWords, Word
from engine.domain.errors import BadValueError
from engine.domain.runs import How, RunLine, Trigger
from tests.background.tasks import HandRunner, Left, Shelf, make_task
from tests.patience import PATIENCE_S


@dataclass
class Stage:
    schedule: Schedule
    runner: HandRunner
    machine: Left
    shelf: Shelf
    history: History
    words: TaskWords
    taken: list[str] = field(default_factory=list)
    refuses: str = ""
    steady_s: float = 0.0
    is_taking: bool = False
    is_storing: asyncio.Event | None = None

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await asyncio.sleep(0)

    def runs(self, name: str) -> bool:
        return name in self.runner.running

    def has_runs(self, name: str, count: int) -> bool:
        return len(self.history.runs(name)) == count

    async def looked(self) -> None:
        """Let the schedule look twice: what may begin has begun."""
        for _ in range(2):
            self.schedule._changed.set()
            await self.until(lambda: not self.schedule._changed.is_set())
        for _ in range(5):
            await asyncio.sleep(0)

    def end(self, name: str, how: How = How.DONE) -> None:
        self.runner.running[name].set_result(how)


@asynccontextmanager
async def staged(
    tmp_path: Path,
    *tasks: Task[Any],
    memory_mb: int = 200,
    first_s: float = 0.0,
    is_fresh: bool = False,
    held: frozenset[str] = frozenset(),
) -> AsyncIterator[Stage]:
    """Without `is_fresh` every task ran just now, so that none is due for an hour."""
    history = History(tmp_path / "runs", [task.name for task in tasks])
    if not is_fresh:
        for task in tasks:
            now_ns = time.time_ns()
            history.note(task.name, RunLine(begun_at_ns=now_ns, ended_at_ns=now_ns, how=How.DONE))
    words, shelf = TaskWords(tmp_path / "words.json"), Shelf()
    runner, machine = HandRunner(held=set(held)), Left()

    async def take(task: Task[Any], _ended: Ended) -> None:
        assert task.name in runner.held
        stage.is_taking = True
        if stage.is_storing is not None:
            await stage.is_storing.wait()
        if stage.refuses:
            raise BadValueError(stage.refuses)
        stage.taken.append(task.name)

    schedule = Schedule(
        tasks=tasks,
        runner=runner,
        fetch=shelf,
        take=take,
        history=history,
        words=words,
        machine=machine,
        clock=time.time_ns,
        steady=lambda: stage.steady_s,
        seed=1,
        memory_mb=memory_mb,
        first_s=first_s,
    )
    stage = Stage(schedule, runner, machine, shelf, history, words)
    running = asyncio.create_task(schedule.run())
    try:
        await stage.looked()
        yield stage
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_task_that_never_ran_runs_soon_and_its_end_is_noted(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one"), is_fresh=True) as stage:
        await stage.until(lambda: "one" in stage.runner.running)
        stage.end("one")
        await stage.until(lambda: stage.history.last("one") is not None)

        line = stage.history.last("one")

    assert line is not None
    assert (line.how, line.trigger, line.cpu_s) == (How.DONE, Trigger.DUE, 1.5)
    assert stage.taken == ["one"]


@pytest.mark.parametrize(("how", "useful_s"), [(How.DONE, 1.0), (How.CRASHED, 0.0)])
async def test_of_what_a_run_took_its_own_code_was_of_use_if_it_ended_well(
    tmp_path: Path, how: How, useful_s: float
) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.schedule.ask_for("one")
        await stage.until(lambda: stage.runs("one"))
        stage.runner.used_s += 1.5
        stage.steady_s += 10.0
        stage.end("one", how)
        await stage.until(partial(stage.has_runs, "one", 2))
        stage.steady_s += 10.0
        await stage.looked()
        efficiency = stage.schedule.efficiency

    assert (efficiency.available_s, efficiency.useful_s) == (1.5, useful_s)


async def test_a_run_is_settled_only_once_what_it_found_is_stored(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.is_storing = asyncio.Event()
        stage.runner.settled_early = {"one"}
        stage.schedule.ask_for("one")
        await stage.looked()
        stage.end("one")
        await stage.until(lambda: stage.is_taking)
        await stage.looked()
        assert stage.runner.held == {"one"}

        stage.runner.settled_early = set()
        stage.is_storing.set()
        await stage.until(lambda: not stage.runner.held)


async def test_a_task_is_due_again_and_again(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one", every_s=1.0), is_fresh=True) as stage:
        for count in (1, 2):
            await stage.until(lambda: "one" in stage.runner.running)
            stage.steady_s += 1.0
            stage.end("one")
            await stage.until(partial(stage.has_runs, "one", count))


async def test_a_task_that_ran_lately_waits_for_its_time(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one", every_s=86_400.0)) as stage:
        assert stage.runner.begun == []
        assert stage.schedule.next_at_ns("one") > time.time_ns()


async def test_no_more_run_at_once_than_there_is_room_for(tmp_path: Path) -> None:
    names = [f"t{number}" for number in range(7)]
    async with staged(tmp_path, *map(make_task, names)) as stage:
        for name in names:
            stage.schedule.ask_for(name)
        await stage.looked()
        assert len(stage.runner.running) == 5

        stage.end("t0")
        await stage.until(lambda: "t5" in stage.runner.running)

        assert len(stage.runner.running) == 5
        assert "t6" not in stage.runner.running


async def test_the_higher_priority_is_first_in_line(tmp_path: Path) -> None:
    tasks = [make_task(one.name.lower(), priority=one) for one in Priority]
    async with staged(tmp_path, make_task("x"), *tasks) as stage:
        stage.machine.runs = 1
        stage.schedule.ask_for("x")
        await stage.looked()
        for task in tasks:
            stage.schedule._put(task.name, Trigger.DUE)
        for name in ("x", "critical", "high", "medium", "low"):
            await stage.until(partial(stage.runs, name))
            stage.end(name)

    assert stage.runner.begun == ["x", "critical", "high", "medium", "low"]


async def test_a_task_that_runs_or_stands_in_line_is_due_in_vain(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one"), make_task("two")) as stage:
        stage.machine.runs = 1
        stage.schedule.ask_for("one")
        await stage.looked()
        for _ in range(1_000):
            await stage.schedule._is_due("one")
            await stage.schedule._is_due("two")
        assert stage.schedule.ask_for("one") == "one runs already"
        stage.end("one")
        await stage.until(lambda: "two" in stage.runner.running)
        stage.end("two")
        await stage.until(lambda: len(stage.history.runs("two")) == 2)
        await stage.looked()

    assert stage.runner.begun == ["one", "two"]


async def test_a_clock_that_jumps_begins_no_task_twice_within_half_of_its_interval(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, make_task("one", every_s=100.0)) as stage:
        stage.schedule.ask_for("one")
        await stage.looked()
        stage.end("one")
        await stage.until(lambda: not stage.runner.running)

        stage.steady_s = 49.0
        await stage.schedule._is_due("one")
        await stage.looked()
        assert (stage.runner.begun, stage.schedule.early) == (["one"], 1)

        stage.steady_s = 51.0
        await stage.schedule._is_due("one")
        await stage.until(lambda: "one" in stage.runner.running)


async def test_a_clock_set_back_by_a_day_leaves_no_task_waiting_for_a_day(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one", every_s=60.0)) as stage:
        now_ns = time.time_ns()
        stage.schedule.clock = lambda: now_ns - 86_400 * 10**9

        stage.schedule.bring_forward()

        wait_s = (stage.schedule.next_at_ns("one") - stage.schedule.clock()) / 1e9
    assert 0 < wait_s <= 60.0 * 1.1


async def test_what_a_run_wants_and_cannot_have_is_said_and_tried_again(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.shelf.lacks["one"] = "the role chains is away"
        stage.schedule.ask_for("one")
        await stage.until(lambda: stage.schedule.waits_for("one") == "the role chains is away")
        assert stage.runner.begun == []

        del stage.shelf.lacks["one"]
        stage.steady_s += WANT_RETRY_S
        await stage.looked()

        assert stage.runner.begun == ["one"]


async def test_a_task_begins_only_after_those_it_is_after(tmp_path: Path) -> None:
    first, second = make_task("first"), make_task("second", after=("first",))
    async with staged(tmp_path, first, second, is_fresh=True) as stage:
        await stage.until(lambda: "first" in stage.runner.running)
        await stage.looked()
        assert stage.schedule.waits_for("second") == "first to end once"
        stage.end("first", How.RAISED)
        await stage.until(lambda: not stage.runner.running)
        await stage.looked()
        assert "second" not in stage.runner.begun

        stage.schedule.ask_for("first")
        await stage.looked()
        stage.end("first")

        await stage.until(lambda: "second" in stage.runner.running)


async def test_nothing_begins_while_all_is_held(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.machine.holds = True
        stage.schedule.ask_for("one")
        await stage.looked()
        assert stage.runner.begun == []
        assert stage.schedule.waits_for("one") == "what is more urgent"

        stage.machine.holds = False
        await stage.looked()
        assert stage.runner.begun == ["one"]


async def test_with_little_memory_left_the_least_urgent_stops_and_goes_on_later(
    tmp_path: Path,
) -> None:
    low, high = make_task("low", priority=Priority.LOW), make_task("high", priority=Priority.HIGH)
    async with staged(tmp_path, low, high) as stage:
        stage.schedule.ask_for("low")
        stage.schedule.ask_for("high")
        await stage.looked()
        stage.machine.runs, stage.machine.is_yielding = 0, True
        stage.schedule._changed.set()
        await stage.until(lambda: stage.runner.stopped == ["low"])

        stage.machine.runs, stage.machine.is_yielding = 5, False
        await stage.looked()

        assert "low" in stage.runner.running
        assert stage.runner.begun.count("low") == 2


async def test_an_interrupted_run_goes_on_first_after_a_restart(tmp_path: Path) -> None:
    tasks = [make_task("one"), make_task("two")]
    async with staged(tmp_path, *tasks, held=frozenset({"two", "gone"})) as stage:
        await stage.until(lambda: "two" in stage.runner.running)
        stage.end("two")
        await stage.until(lambda: not stage.runner.running)

        line = stage.history.last("two")

    assert line is not None
    assert line.trigger is Trigger.RESUMED


async def test_a_task_that_is_switched_off_stops_and_is_due_in_vain(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.schedule.ask_for("one")
        await stage.looked()
        stage.words.set("one", Word(is_on=False, by="me", asked_at_ns=1))
        stage.schedule.stop("one")
        await stage.until(lambda: stage.runner.stopped == ["one"])
        stage.steady_s = 10_000.0
        await stage.schedule._is_due("one")
        await stage.looked()

        assert stage.runner.begun == ["one"]
        assert stage.schedule.waits_for("one") is None


async def test_a_failed_run_is_tried_again_only_while_its_runner_backs_off(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.schedule.ask_for("one")
        await stage.looked()
        stage.runner.back_off["one"] = "back-off for 1 s"
        stage.end("one", How.CRASHED)
        await stage.until(lambda: stage.schedule.waits_for("one") == "back-off for 1 s")

        stage.runner.back_off.clear()
        await stage.looked()
        assert stage.runner.begun == ["one", "one"]
        stage.end("one", How.CRASHED)
        await stage.until(lambda: not stage.runner.running)
        await stage.looked()
        assert stage.schedule.waits_for("one") is None


async def test_a_discovery_that_is_refused_fails_its_run_and_nothing_loops(tmp_path: Path) -> None:
    discovery = Discovery(kind="x", subject="y", says="z", figures={}, score=2.0, holds_s=1.0)
    async with staged(tmp_path, make_task("one")) as stage:
        stage.runner.found, stage.refuses = (discovery,), "a score of 2"
        stage.schedule.ask_for("one")
        await stage.looked()
        stage.end("one")
        await stage.until(lambda: not stage.runner.running)
        await stage.looked()

        line = stage.history.last("one")

    assert line is not None
    assert (line.how, line.why) == (How.RAISED, "what it found is refused: a score of 2")
    assert stage.runner.begun == ["one"]


async def test_a_quarantined_task_is_due_in_vain_until_a_person_asks(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.runner.bad["one"] = "crashed five times"
        stage.steady_s = 10_000.0
        await stage.schedule._is_due("one")
        await stage.looked()
        assert stage.runner.begun == []

        stage.schedule.ask_for("one")
        await stage.looked()
        assert stage.runner.begun == ["one"]


async def test_the_first_in_line_that_waits_for_memory_is_not_passed(tmp_path: Path) -> None:
    big = make_task("big", memory_mb=150, priority=Priority.HIGH)
    small = make_task("small", memory_mb=10, priority=Priority.LOW)
    async with staged(tmp_path, make_task("x", memory_mb=100), big, small) as stage:
        stage.schedule.ask_for("x")
        await stage.looked()
        stage.schedule._put("big", Trigger.DUE)
        stage.schedule._put("small", Trigger.DUE)
        await stage.looked()
        assert stage.runner.begun == ["x"]

        stage.end("x")
        await stage.until(lambda: "small" in stage.runner.running)
        assert stage.runner.begun == ["x", "big", "small"]


@pytest.mark.parametrize("count", [1, 5])
async def test_closing_stops_what_runs(tmp_path: Path, count: int) -> None:
    names = [f"t{number}" for number in range(count)]
    async with staged(tmp_path, *map(make_task, names)) as stage:
        for name in names:
            stage.schedule.ask_for(name)
        await stage.looked()

    assert sorted(stage.runner.stopped) == names


async def test_a_task_with_more_to_do_goes_on_at_once_after_all_that_is_due(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one"), make_task("two")) as stage:
        stage.machine.runs = 1
        stage.runner.has_more = True
        stage.schedule.ask_for("one")
        await stage.looked()
        stage.schedule._put("two", Trigger.DUE)
        stage.end("one")
        await stage.until(partial(stage.runs, "two"))
        stage.runner.has_more = False
        stage.end("two")
        await stage.until(partial(stage.runs, "one"))
        stage.end("one")
        await stage.until(lambda: not stage.runner.running)
        await stage.looked()

        triggers = [line.trigger for line in stage.history.runs("one")[1:]]

    assert triggers == [Trigger.ASKED, Trigger.MORE]
    assert stage.runner.begun == ["one", "two", "one"]


async def test_what_only_has_more_to_do_keeps_to_its_share_until_it_is_due(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one", every_s=1_000.0)) as stage:
        stage.runner.has_more = True
        stage.schedule.ask_for("one")
        for count in (2, 3):  # what is asked for is not of the share; what went on took 1.5 s of it
            await stage.until(partial(stage.runs, "one"))
            stage.end("one")
            await stage.until(partial(stage.has_runs, "one", count))
        await stage.looked()
        assert stage.schedule.waits_for("one") == "its share of the processor"

        stage.steady_s = 1.0
        await stage.looked()
        assert len(stage.runner.begun) == 2
        stage.steady_s = 1.5
        await stage.until(partial(stage.runs, "one"))
        stage.end("one")
        await stage.until(partial(stage.has_runs, "one", 4))
        await stage.looked()
        assert len(stage.runner.begun) == 3

        stage.schedule._put("one", Trigger.DUE)
        await stage.until(partial(stage.runs, "one"))


async def test_a_failed_run_has_no_more_to_do(tmp_path: Path) -> None:
    async with staged(tmp_path, make_task("one")) as stage:
        stage.runner.has_more, stage.refuses = True, "nobody wants it"
        stage.schedule.ask_for("one")
        await stage.looked()
        stage.end("one")
        await stage.until(lambda: not stage.runner.running)
        await stage.looked()

    assert stage.runner.begun == ["one"]
