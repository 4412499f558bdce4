"""Run chosen tests in a child that is forked from a process which has imported all already."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
LOOK_EVERY_S = 0.005


@dataclass(slots=True)
class Child:
    """A running child and where it writes."""

    pid: int
    subject: Any
    place: Path
    dies_at_s: float
    started_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a child: what it wrote (None: it was killed for its time), and how long."""

    subject: Any
    told: str | None
    took_s: float


class Failures:
    """A pytest plugin that remembers which test failed."""

    def __init__(self) -> None:
        self.failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def run_items(session: pytest.Session, items: Sequence[pytest.Item], place: Path) -> str:
    """Run tests until one fails, and return its name, or nothing if all passed."""
    session.config._tmp_path_factory._basetemp = place / "tmp"  # type: ignore[attr-defined]
    (place / "tmp").mkdir()
    failures = Failures()
    session.config.pluginmanager.register(failures)
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if failures.failed:
            break
    session.config.pluginmanager.unregister(failures)
    return failures.failed


def run_children(
    subjects: Iterable[tuple[Any, Callable[[Path], str], float]], *, workers: int
) -> Iterator[Ended]:
    """Run each task in a child of its own, so many at once, and give their ends as they come."""
    running: list[Child] = []
    waiting = iter(subjects)
    is_empty = False
    try:
        while running or not is_empty:
            while len(running) < workers and not is_empty:
                found = next(waiting, None)
                if found is None:
                    is_empty = True
                else:
                    running.append(_start(*found))
            for child in running[:]:
                ended = _look(child)
                if ended is not None:
                    running.remove(child)
                    yield ended
            time.sleep(LOOK_EVERY_S)
    finally:
        for child in running:
            _end(child)


def _start(subject: Any, task: Callable[[Path], str], timeout_s: float) -> Child:
    place = Path(tempfile.mkdtemp(prefix="mutant-", dir=MEMORY))
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            _signal_only_own_processes()
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            (place / "told").write_text(task(place))
            code = 0
        except BaseException:  # noqa: BLE001 - whatever a mutant raises where no test catches it
            (place / "died").write_text(traceback.format_exc())
        finally:
            os._exit(code)
    now_s = time.monotonic()
    return Child(pid, subject, place, now_s + timeout_s, now_s)


def _signal_only_own_processes() -> None:
    """Let a mutant of what ends processes reach none but those that its tests have started."""
    me, kill, open_process = os.getpid(), os.kill, os.pidfd_open

    def check(pid: int) -> None:
        try:
            family = [pid, *(one.pid for one in psutil.Process(pid).parents())]
        except (psutil.Error, ValueError, OverflowError) as error:
            raise ProcessLookupError(pid) from error
        if me not in family:
            raise PermissionError(f"process {pid} is not of this mutant")

    def guarded_kill(pid: int, number: int) -> None:
        check(pid)
        kill(pid, number)

    def guarded_open(pid: int, flags: int = 0) -> int:
        check(pid)
        return open_process(pid, flags)

    os.kill = os.killpg = guarded_kill
    os.pidfd_open = guarded_open


def _look(child: Child) -> Ended | None:
    pid, _ = os.waitpid(child.pid, os.WNOHANG)
    now_s = time.monotonic()
    if pid == 0 and now_s < child.dies_at_s:
        return None
    told_at = child.place / "told"
    told = told_at.read_text() if pid and told_at.exists() else None
    if pid and told is None:
        died_at = child.place / "died"
        told = died_at.read_text() if died_at.exists() else "the process died"
    _end(child, is_reaped=bool(pid))
    return Ended(child.subject, told, now_s - child.started_s)


def _end(child: Child, *, is_reaped: bool = False) -> None:
    """End a child with all that its tests started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    if not is_reaped:
        os.waitpid(child.pid, 0)
    shutil.rmtree(child.place, ignore_errors=True)
