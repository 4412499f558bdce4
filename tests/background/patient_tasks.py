"""The honest tasks, waiting half-way as long as there is a file: so a test can act meanwhile."""

import dataclasses
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from engine.background.ports import Given, Outcome, Task
from tests.background import sample_tasks

FLAG = "SYNDICATE_TEST_FLAG"
"""Variable of the environment with the file's path."""
POINT = 5


def _patient(task: Task[Any]) -> Task[Any]:
    def run(given: Given, state: Any, learned: Any) -> Generator[Any, None, Outcome[Any]]:
        flag = Path(os.environ[FLAG])
        generator, point = task.run(given, state, learned), 0
        while True:
            try:
                state = next(generator)
            except StopIteration as end:
                outcome: Outcome[Any] = end.value
                return outcome
            point += 1
            yield state
            while point == POINT and flag.exists():
                time.sleep(0.001)

    return dataclasses.replace(task, run=run)


TASKS = tuple(_patient(task) for task in sample_tasks.TASKS)
