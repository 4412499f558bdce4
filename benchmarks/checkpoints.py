"""What it costs a background task to be interruptible, and how soon it goes on.

``python -m benchmarks.checkpoints`` prints, for states of several sizes, the share of a task's
processor time that goes into keeping its state, and what a process that goes on after a `kill -9`
does before the task's own code runs again, without the start of the process.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import msgspec

from engine.background.coding import state_of
from engine.background.ports import Given, Outcome, Task
from engine.background.run import KEEP_LEAST_S, Keeper, drive
from engine.background.sealed import Kind
from engine.background.task_files import TaskFiles
from engine.domain.modes import Basis

WORKS_S = 3.0
SIZES = (100, 10_000, 250_000, 1_000_000, 9_000_000)
TRIALS = 50


class Blob(msgspec.Struct, frozen=True):
    """A state of some size."""

    step: int
    blob: bytes


def works(given: Given, state: Blob | None, _: Blob | None) -> Generator[Blob, None, Outcome[Blob]]:
    """Work, with a point where it may be held about each 100 microseconds."""
    state = state or Blob(0, bytes(given.seed))
    until_s = time.process_time() + WORKS_S
    step = state.step
    while time.process_time() < until_s:
        for _number in range(4_000):
            step += 1
        yield Blob(step, state.blob)
    return Outcome()


TASK = Task(name="works", agent="bench", does="works", state=Blob, run=works, wants=())


def measure(folder: Path, size: int) -> dict[str, float]:
    """Run the task with states of a size, and go on from the last one."""
    files = TaskFiles(folder, TASK, basis=Basis.SANDBOX)
    given = Given(at_ns=1, basis=Basis.SANDBOX, seed=size, answers={})
    run = files.begin(given)
    with files.open_page(Kind.STATE) as page:
        keeper = Keeper(page, TASK, run, [], least_s=KEEP_LEAST_S)
        spent_s, points = 0.0, 0

        def keep(state: object) -> None:
            nonlocal spent_s, points
            before_s = time.perf_counter()
            keeper(state)
            spent_s += time.perf_counter() - before_s
            points += 1

        begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
        drive(works(given, None, None), keep)
        used_s = time.perf_counter() - begun_s
        cpu_s = time.process_time() - begun_cpu_s
    recoveries = [_recovery_s(files) for _ in range(TRIALS)]
    return {
        "state_bytes": size,
        "points": points,
        "cost_ratio": round(spent_s / used_s, 4),
        "cpu_of_wall_ratio": round(cpu_s / used_s, 3),
        "recovery_ms_median": round(1e3 * statistics.median(recoveries), 3),
        "recovery_ms_max": round(1e3 * max(recoveries), 3),
    }


def _recovery_s(files: TaskFiles) -> float:
    """Return how long it takes until the task's code runs again."""
    before_s = time.perf_counter()
    with files.open_page(Kind.STATE) as page:
        found = files.given()
        assert found is not None
        assert page.found is not None
        TASK.run(found[1], state_of(TASK, page.found, what="state"), None)
    return time.perf_counter() - before_s


def main() -> None:
    """Measure, and print JSON."""
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(Path(folder), size) for size in SIZES]
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
