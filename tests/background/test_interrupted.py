"""Every task of the list ends as undisturbed, wherever and however often it is interrupted."""

import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.background.nursery import Nursery, open_nursery
from engine.background.ports import Task
from engine.background.trouble import Trouble
from engine.domain.modes import Basis
from tests.background import interrupt_campaign
from tests.background.interrupted import (
    AT,
    TASKS,
    given_of,
    in_processes,
    interrupted_every,
    undisturbed,
)
from tests.background.nurseries import plainly

POINTS_MOST = 40
"""Of a task with more points not each one is tried; `make interrupt` does."""
EACH = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
pytestmark = [pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nurseries(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Nursery, Nursery]]:
    troubles: list[Trouble] = []

    def opened() -> AbstractAsyncContextManager[Nursery]:
        return open_nursery(
            folder=tmp_path_factory.mktemp("interrupted"),
            tasks=TASKS,
            tasks_at=AT,
            basis=Basis.SANDBOX,
            tell=troubles.append,
            keep_least_s=0.0,
            is_idle=False,
        )

    async with opened() as disturbed, opened() as calm:
        yield disturbed, calm
    assert troubles == []


@EACH
async def test_a_task_that_is_interrupted_at_each_point_ends_as_undisturbed(
    task: Task[Any],
) -> None:
    learned, points_of_all = None, 0
    for seed in (1, 2):
        given = given_of(task, seed)
        expected, points = undisturbed(task, given, learned)
        points_of_all += points

        for every in {max(1, points // POINTS_MOST), max(1, points // 2)}:
            assert interrupted_every(task, given, learned, every=every) == expected
        learned = plainly(task, given, learned).learned
    assert points_of_all > 0, "it has no point where it may be held"


async def test_tasks_that_are_killed_and_held_anywhere_side_by_side_end_as_undisturbed(
    nurseries: tuple[Nursery, Nursery],
) -> None:
    chance = random.Random(5)
    for at in range(0, len(TASKS), 5):
        _, otherwise = await in_processes(*nurseries, TASKS[at : at + 5], chance, kills_each=3)

        assert otherwise == []


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_when_run_server_and_role_are_killed(
    tmp_path: Path,
) -> None:
    figures = interrupt_campaign.run(tmp_path, kills=6, seed=3, tasks=2)

    assert figures.faults == []
    assert figures.kills == 6
    assert figures.completed >= figures.begun > 0
