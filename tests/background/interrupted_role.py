"""A role that runs tasks one after another and acknowledges their outcomes, to be killed.

`python -m tests.background.interrupted_role FOLDER TASKS`: it ends when there is a file `stop`.
"""

import asyncio
import hashlib
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from engine.background.nursery import Nursery, open_nursery
from engine.background.ports import Outcome, Task
from engine.background.trouble import Trouble
from engine.domain.modes import Basis
from engine.domain.runs import How
from tests.background.interrupted import AT, TASKS, given_of
from tests.background.nurseries import as_bytes

LEDGER = "acknowledged.txt"
OUTCOMES = "outcomes"
"""A folder with what was acknowledged, each by its digest."""
STOP = "stop"
LIMIT = "limit"
"""A file of a task's name with this end says how many runs it may have."""


class Line(NamedTuple):
    """What was acknowledged."""

    task: str
    number: int
    run_id: str
    digest: str


def keep_outcome(folder: Path, task: Task[Any], outcome: Outcome[Any] | None) -> str:
    """Keep an outcome as a whole before it is acknowledged; return its digest."""
    content = as_bytes(task, outcome)
    digest = hashlib.sha256(content).hexdigest()
    scratch = folder / OUTCOMES / f"{task.name}.new"
    scratch.write_bytes(content)
    scratch.replace(folder / OUTCOMES / digest)
    return digest


def read_lines(path: Path) -> list[Line]:
    if not path.exists():
        return []
    whole = path.read_text().split("\n")[:-1]  # the last one may have been cut
    return [Line(task, int(number), *rest) for task, number, *rest in map(str.split, whole)]


def _append(path: Path, line: Line) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, (" ".join(map(str, line)) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)


async def work(nursery: Nursery, task: Task[Any], folder: Path) -> None:
    """Run one task again and again."""
    while True:
        done = [one for one in read_lines(folder / LEDGER) if one.task == task.name]
        if task.name in nursery.interrupted():
            ended = await nursery.run(task, None)
        elif (folder / STOP).exists() or len(done) >= _limit(folder, task):
            return
        else:
            (folder / "begun" / f"{task.name}.{len(done)}").touch()
            ended = await nursery.run(task, given_of(task, len(done)))
        if ended.how is not How.DONE:
            raise RuntimeError(f"{task.name}: {ended.how} {ended.why}")
        if ended.run_id not in {one.run_id for one in done}:
            digest = keep_outcome(folder, task, ended.outcome)
            _append(folder / LEDGER, Line(task.name, len(done), ended.run_id, digest))
        await nursery.settle(task.name)


def _limit(folder: Path, task: Task[Any]) -> int:
    path = folder / f"{task.name}.{LIMIT}"
    return int(path.read_text()) if path.exists() else sys.maxsize


def _tell(trouble: Trouble) -> None:
    sys.stderr.write(f"told: {trouble}\n")


async def main(folder: Path, tasks: tuple[Task[Any], ...]) -> None:
    """Run tasks side by side."""
    for name in ("begun", OUTCOMES):
        (folder / name).mkdir(exist_ok=True)
    async with (
        open_nursery(
            folder=folder / "background",
            tasks=tasks,
            tasks_at=AT,
            basis=Basis.SANDBOX,
            tell=_tell,
            is_idle=False,
        ) as nursery,
        asyncio.TaskGroup() as together,
    ):
        for task in tasks:
            together.create_task(work(nursery, task, folder))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), TASKS[: int(sys.argv[2])]))
