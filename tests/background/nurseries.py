"""Nurseries for tests, and runs without one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from engine.background.coding import encode_checked, outcome_type
from engine.background.copy_stores import CopyStore
from engine.background.nursery import Nursery, open_nursery
from engine.background.ports import Given, Outcome, Task
from engine.background.run import KEEP_LEAST_S
from engine.background.task_files import TaskFiles
from engine.background.trouble import Trouble
from engine.domain.modes import Basis
from tests.background import bad_tasks, sample_tasks
from tests.background.sample_tasks import Numbers

PATIENT = "tests.background.patient_tasks:TASKS"
HONEST = "tests.background.sample_tasks:TASKS"
BAD = "tests.background.bad_tasks:TASKS"


@dataclass
class Open:
    """An open nursery with what it told."""

    nursery: Nursery
    folder: Path
    troubles: list[Trouble]
    groups: list[int | None] = field(default_factory=list)


@asynccontextmanager
async def opened(
    folder: Path, tasks_at: str = HONEST, *, stores: Sequence[CopyStore] = (), is_idle: bool = False
) -> AsyncIterator[Open]:
    troubles: list[Trouble] = []
    groups: list[int | None] = []
    tasks = bad_tasks.TASKS if tasks_at == BAD else sample_tasks.TASKS
    async with open_nursery(
        folder=folder,
        tasks=tasks,
        tasks_at=tasks_at,
        basis=Basis.SANDBOX,
        stores=stores,
        tell=troubles.append,
        on_group=groups.append,
        is_idle=is_idle,
        keep_least_s=0.0 if tasks_at == PATIENT else KEEP_LEAST_S,
    ) as nursery:
        yield Open(nursery, folder, troubles, groups)


def given(seed: int = 7) -> Given:
    answers: dict[Any, object] = {Numbers(3): [1.0, 2.0, 0.5]}
    return Given(at_ns=1_700_000_000_000_000_000, basis=Basis.SANDBOX, seed=seed, answers=answers)


def plainly(task: Task[Any], given: Given, learned: Any = None) -> Outcome[Any]:
    """Run a task here, undisturbed."""
    generator = task.run(given, None, learned)
    while True:
        try:
            next(generator)
        except StopIteration as end:
            outcome: Outcome[Any] = end.value
            return outcome


def as_bytes(task: Task[Any], outcome: Outcome[Any] | None) -> bytes:
    """Return an outcome as it would be kept."""
    return encode_checked(outcome, type_=outcome_type(task), what="outcome")


def same(task: Task[Any], one: Outcome[Any] | None, other: Outcome[Any] | None) -> bool:
    return as_bytes(task, one) == as_bytes(task, other)


def decoded(task: Task[Any], content: bytes) -> Any:
    return msgspec.msgpack.decode(content, type=outcome_type(task))


def files_of(open_: Open, task: Task[Any]) -> TaskFiles:
    return TaskFiles(open_.folder, task, basis=Basis.SANDBOX)
