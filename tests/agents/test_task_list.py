"""What holds for every task of the list."""

import re
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.agents.task_list import TASKS
from engine.background.ports import STATE_BYTES_MAX, Discovery, Given, Outcome, Task
from engine.background.wants import Blocks
from engine.domain.discoveries import refusal_of
from engine.domain.discovery_kinds import KINDS_BY_NAME
from engine.settings.schema import Settings
from engine.wiring.work_list import tasks_of
from engine.wiring.workers_role import OWN_MB
from tests.agents.samples import sample_given
from tests.agents.worlds import end

RUNS = 3
each = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def test_names_are_given_once_and_are_names() -> None:
    names = [task.name for task in TASKS]

    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalnum() and name.islower() for name in names)


@pytest.mark.parametrize("memory_mb", [Settings().workers.memory_mb, 500])
def test_there_is_room_for_any_task_beside_the_two_that_play_recordings(memory_mb: int) -> None:
    runs_mb = memory_mb - OWN_MB
    tasks = tasks_of(measures_effects=True, runs_mb=runs_mb)
    first, second, *others = sorted((task.bounds.memory_mb for task in tasks), key=lambda mb: -mb)

    assert first == second >= 95
    assert runs_mb - 1 <= first + second + others[0] <= runs_mb


@each
def test_a_task_says_when_it_runs_and_what_it_wants(task: Task[Any]) -> None:
    assert (task.every_s > 0) != bool(task.cron)
    assert task.wants
    assert set(task.after) <= {one.name for one in TASKS}
    for want in task.wants:
        msgspec.msgpack.Decoder(want.answer_type)
    msgspec.msgpack.Decoder(task.state)


def _again(task: Task[Any], state: Any) -> Any:
    """Return a state as it comes back from where it was kept."""
    kept = msgspec.msgpack.encode(state)
    assert len(kept) < STATE_BYTES_MAX
    return msgspec.msgpack.decode(kept, type=task.state)


def _next(task: Task[Any], what: Given, learned: Any, held: Any) -> Any:
    """Return the first state that a run gives which goes on: held there again, it comes further."""
    return _again(task, next(task.run(what, held, learned)))


@each
def test_a_task_held_at_any_point_ends_as_one_that_was_not(task: Task[Any]) -> None:
    what = sample_given(task, 1)
    learned = end(task, sample_given(task, 2, size=100)).learned
    going = task.run(what, None, learned)
    states = []
    while True:
        try:
            states.append(_again(task, next(going)))
        except StopIteration as ended:
            whole: Outcome[Any] = ended.value
            break

    assert states
    assert all(_next(task, what, learned, one) == then for one, then in pairwise(states))
    for state in states[:: max(1, len(states) // 5)]:
        assert end(task, what, learned, state) == whole


@each
def test_a_task_learns_on_from_what_it_learned_and_says_what_may_be_kept(task: Task[Any]) -> None:
    learned = None
    for seed in range(RUNS):
        outcome = end(task, sample_given(task, seed), learned)
        learned = _again(task, outcome.learned)
        assert learned == outcome.learned
        assert [refusal_of(one) for one in outcome.found] == [""] * len(outcome.found)
        for one in outcome.found:
            assert KINDS_BY_NAME[one.kind].figure in one.figures
        for name, figure in outcome.measured.items():
            assert name.islower()
            assert figure == figure  # noqa: PLR0124 # no NaN


def test_the_task_of_the_page_learns_what_it_says() -> None:
    page = Path("docs/background.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (code,) = [code for code in blocks if "MEAN_FEE" in code]
    known: dict[str, Any] = {
        "__name__": __name__,
        "Blocks": Blocks,
        "Discovery": Discovery,
        "Generator": Generator,
        "Given": Given,
        "Outcome": Outcome,
        "Task": Task,
        "msgspec": msgspec,
    }
    exec(code, known)  # noqa: S102 # it is our own page
    task = known["MEAN_FEE"]
    what = sample_given(task, 1)

    (found,) = end(task, what).found

    fees = [one.base_fee_gwei for one in what.of(task.wants[0]).blocks]
    assert found.figures["mean_gwei"] == pytest.approx(sum(fees) / len(fees))
