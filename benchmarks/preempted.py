"""Background work at full load for `benchmarks.preemption`: a group of processes that never rest.

`python -m benchmarks.preempted STAMPS COUNT SESSION`: as many processes as named, half of them in
plain Python and half in numpy, as the fork server and its runs are: one group, scheduled as idle.
Each stores, all the time, when it last did something. They end when standard input does.
"""

import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from engine.background.group import Group, started_of
from engine.background.hold_page import Page
from engine.background.hold_watch import LOOK_S, HoldWatch
from engine.background.idle import become_idle, one_thread_each

ROOT: Final = Path(__file__).resolve().parents[1]

LINE_WORDS: Final = 8
"""A cache line for each, so that none waits for another one."""

NUMBERS: Final = 2_000
"""Of an array: a call on it takes some microseconds, which is how exact the stamps are."""


OWN: Final = "own"
SHARED: Final = "shared"
"""The session of the work: its own, as in the product, or that of who starts it."""


@contextmanager
def at_full_load(
    folder: Path, page: Path, *, look_s: float = LOOK_S, session: str = OWN
) -> Iterator[tuple[int, "memoryview[int]"]]:
    """Run background work on all cores, and its watch; its leader, and where it stamps."""
    count = 2 * len(os.sched_getaffinity(0))
    path = folder / "stamps"
    path.write_bytes(bytes(8 * LINE_WORDS * count))
    with path.open("r+b") as file:
        stamps = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
    command = [sys.executable, "-m", "benchmarks.preempted", str(path), str(count), session]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            while not all(stamps[::LINE_WORDS]):
                time.sleep(0.01)
            watching = [sys.executable, "-m", "benchmarks.preempted", str(page), str(process.pid)]
            with subprocess.Popen(
                [*watching, "watch", str(look_s)], cwd=ROOT, stdout=subprocess.PIPE
            ) as watch:
                assert watch.stdout is not None
                try:
                    watch.stdout.readline()
                    yield process.pid, stamps
                finally:
                    watch.kill()
        finally:  # whether it is stopped or not, and also before it leads a group
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()


def main(path: str, count: int, session: str) -> None:
    """Start all, say so, and end them when standard input ends."""
    if session == OWN:
        os.setsid()
    else:
        os.setpgid(0, 0)
    one_thread_each(os.environ)
    for refusal in become_idle():
        sys.stderr.write(f"{refusal}\n")
    with open(path, "r+b") as file:  # noqa: PTH123 - kept open as mapped
        words = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
    children = []
    for index in range(count):
        child = os.fork()
        if child == 0:
            work = in_numpy if index % 2 else in_python
            work(words, index * LINE_WORDS)
        children.append(child)
    print("busy", flush=True)
    sys.stdin.read()
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def in_python(words: "memoryview[int]", at: int) -> None:
    """Be busy in the interpreter."""
    now = time.monotonic_ns
    while True:
        words[at] = now()


def in_numpy(words: "memoryview[int]", at: int) -> None:
    """Be busy in native calls."""
    import numpy as np

    now, numbers = time.monotonic_ns, np.random.default_rng(at).random(NUMBERS)
    while True:
        np.sqrt(numbers, out=numbers)
        words[at] = now()
        np.multiply(numbers, 0.999, out=numbers)
        words[at] = now()


def watch(path: str, leader: int, look_s: float) -> None:
    """Let work go on that nobody holds, as the role `workers` does."""
    looking = HoldWatch(Page.open(Path(path)))
    looking.follow(Group(leader, started_of(leader)))
    print("watches", flush=True)
    while True:
        looking.look()
        time.sleep(look_s)


if __name__ == "__main__":
    if sys.argv[3] == "watch":
        watch(sys.argv[1], int(sys.argv[2]), float(sys.argv[4]))
    else:
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
