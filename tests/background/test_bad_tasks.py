"""Whatever a task does wrong ends its run, is told in words, and never takes anything along."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from engine.background.ports import Task
from engine.background.runs import Ended
from engine.domain.runs import How
from tests.background import bad_tasks
from tests.background.nurseries import BAD, Open, given, opened

pytestmark = [pytest.mark.asyncio(loop_scope="module")]
BY_NAME: dict[str, Task[Any]] = {task.name: task for task in bad_tasks.TASKS}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bad(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Open]:
    async with opened(tmp_path_factory.mktemp("bad"), BAD) as open_:
        yield open_


async def run(bad: Open, name: str) -> Ended:
    bad.nursery.release(name)
    return await bad.nursery.run(BY_NAME[name], given())


@pytest.mark.parametrize(
    ("name", "how", "why"),
    [
        ("raises", How.RAISED, "ValueError: three is no colour (bad_tasks.py:"),
        ("leaves", How.RAISED, "SystemExit: 0"),
        ("loops", How.TOO_MUCH_CPU, "processor time"),
        ("waits", How.HUNG, "it waited for something for most of 1."),
        ("allocates", How.TOO_MUCH_MEMORY, "60 MB"),
        ("allocates_at_once", How.TOO_MUCH_MEMORY, "it asked for more than 60 MB"),
        ("forks", How.RAISED, "MayNotError: it tried os.fork, which no task may"),
        ("begins_programs", How.RAISED, "it tried subprocess.Popen, which no task may"),
        ("connects", How.RAISED, "it tried socket.connect, which no task may"),
        ("exits", How.CRASHED, "its process ended with code 0 and left no result"),
        ("crashes", How.CRASHED, "its process ended: Segmentation fault"),
        (
            "wrong_state",
            How.GARBAGE,
            "the state that it yielded is none: Expected `int`, got `str`",
        ),
        ("other_state", How.GARBAGE, "the state that it yielded is none"),
        ("large_state", How.GARBAGE, "large_state has 10,000,018 bytes; 10,000,000 are allowed"),
        ("wrong_outcome", How.GARBAGE, "the outcome is none: Expected `int`"),
        ("no_outcome", How.GARBAGE, "the outcome is none"),
        ("large_learned", How.GARBAGE, "large_learned has 10,000,018 bytes"),
        ("killed_always", How.CRASHED, "it came no further in 26 attempts"),
    ],
)
async def test_a_run_that_misbehaves_is_ended_and_said_why(
    bad: Open, name: str, how: How, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.background.nursery.AGAIN_LONGEST_S", 0.01)
    ended = await run(bad, name)

    assert (ended.how, ended.outcome) == (how, None)
    assert why in ended.why
    assert name not in bad.nursery.interrupted()
    assert why in bad.nursery.why_not(name)


async def test_processes_that_a_run_began_past_python_end_with_it_wherever_they_went(
    bad: Open,
) -> None:
    ended = await run(bad, "forks_natively")

    assert ended.how is How.FORKED
    await _all_gone()


async def test_five_stuck_at_once_are_each_ended_for_their_own_reason(bad: Open) -> None:
    names = ("loops", "waits", "allocates", "exits", "raises")
    expected = [How.TOO_MUCH_CPU, How.HUNG, How.TOO_MUCH_MEMORY, How.CRASHED, How.RAISED]

    ended = await asyncio.gather(*(run(bad, name) for name in names))

    assert [one.how for one in ended] == expected


async def test_what_a_run_left_behind_is_ended(bad: Open) -> None:
    ended = await run(bad, "leaves_children")

    assert ended.how is How.DONE
    await _all_gone()


async def _all_gone() -> None:
    """Wait until of all that came from here only the fork server is left."""
    while True:
        left = []
        for one in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                left += [one] if "bad_tasks" in " ".join(one.cmdline()) else []
        if len(left) <= 1:
            return
        await asyncio.sleep(0.02)


async def test_a_task_that_fails_again_and_again_is_quarantined_until_a_person_releases_it(
    bad: Open, tmp_path: Path
) -> None:
    name = "exits"
    bad.nursery.release(name)
    bad.troubles.clear()
    for _ in range(5):
        assert name not in bad.nursery.quarantined()
        await bad.nursery.run(BY_NAME[name], given())

    assert "in quarantine after 5 failures" in bad.nursery.quarantined()[name]
    (told,) = bad.troubles
    assert (told.task, "left no result" in told.what) == (name, True)
    bad.nursery.release(name)
    assert bad.nursery.why_not(name) == ""
