"""One run of a task, in a process of its own: what it is given, its states, what it ends with.

It comes from the fork server, continues from the newest state of its page, and leaves its result
in a file; so whoever waits for it may be gone meanwhile.
"""

import contextlib
import ctypes
import math
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.background.coding import NoSuchValueError, encode_checked, outcome_type, state_of
from engine.background.ports import Bounds, Outcome, Task
from engine.background.sealed import OVERHEAD_BYTES, Kind, Sealed
from engine.background.state_page import (
    PAGE_BYTES,
    StatePage,
    StateTooLargeError,
    check_size,
)
from engine.background.task_files import RESULT_BYTES_MAX, Result, TaskFiles, check_outcome
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How

KEEP_LEAST_S: Final = 0.02
"""Least processor time from one keeping of a state to the next."""
KEEP_RATIO: Final = 150
"""A task works so many times as long as the keeping of its state took, before it is kept again."""
FILES_MAX: Final = 64
WHY_MAX: Final = 400
REMARKS_MAX: Final = 5

EXIT_DONE: Final = 0
EXIT_NO_ROOM: Final = 74
"""Its result could not be written."""
EXIT_LATER: Final = 75
"""It could not begin; the server is gone, or another process still has the task's state."""

_REFUSED: Final = frozenset(
    {
        *("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system"),
        *("subprocess.Popen", "pty.spawn", "_thread.start_new_thread"),
        *("socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect"),
    }
)
"""What no task may do, by Python's own names of it: a run is one thread, and opens nothing."""
_PR_SET_PDEATHSIG: Final = 1
_LIBRARY: Final = ctypes.CDLL(None, use_errno=True)
"""Opened by the fork server, once for all runs."""
_MB: Final = 1_000_000


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the fork server is asked to begin.

    Attributes:
        number: of this attempt; the run may have several.
        cpu_s: what is left of the run's processor time.
        keep_least_s: least processor time from one keeping of its state to the next; 0 keeps it at
            each point.
    """

    number: int = 0
    task: str
    folder: str
    basis: Basis
    cpu_s: float
    keep_least_s: float = KEEP_LEAST_S


class MayNotError(BadValueError):
    """A task tried what none may."""


def run_ordered(order: Order, task: Task[Any], *, parent: int) -> int:
    """Run in this process, which has nothing else to do; return its exit code."""
    end_with(parent)
    files = TaskFiles(Path(order.folder), task, basis=order.basis)
    try:
        return _run_alone(files, order)
    except TransientError as error:
        sys.stderr.write(f"{task.name}: {error}\n")
        return EXIT_LATER


def _run_alone(files: TaskFiles, order: Order) -> int:
    """Run as the only one who writes the task's state."""
    with files.open_page(Kind.STATE) as page:
        given = files.load_given()
        if given is None or files.result(given.run) is not None:
            return EXIT_DONE
        _bound(files.task.bounds, cpu_s=order.cpu_s)
        sys.addaudithook(_refuse)
        remarks: list[str] = []
        result = _result(files, page, given, remarks, least_s=order.keep_least_s)
        result = msgspec.structs.replace(result, remarks=tuple(remarks))
        try:
            files.end(result, run=given.run)
        except OSError:
            return EXIT_NO_ROOM
    return EXIT_DONE


class Keeper:
    """Keeps a run's newest state now and then, so that it costs the run next to nothing.

    Attributes:
        spent_s: processor time that it took so far.
    """

    def __init__(
        self, page: StatePage, task: Task[Any], run: bytes, remarks: list[str], *, least_s: float
    ) -> None:
        self._page = page
        self._task = task
        self._run = run
        self._remarks = remarks
        self._least_s = least_s
        self._ratio = KEEP_RATIO if least_s else 0
        # Of the thread, of which a run has one: that of the process goes by ticks of 4 ms once its
        # processor time is bounded.
        self._due_cpu_s = time.thread_time() + least_s
        self._look_s = 0.0
        self.spent_s = 0.0

    def __call__(self, state: object) -> None:
        """Keep a state if it is time.

        Raises:
            BadValueError: it is no state of the task, or too large.
        """
        # The clock of the wall costs a tenth of that of the thread.
        now_s = time.monotonic()
        if now_s < self._look_s:
            return
        used_s = time.thread_time()
        left_s = self._due_cpu_s - used_s
        if left_s > 0:
            self._look_s = now_s + left_s
            return
        content = encode_checked(state, type_=self._task.state, what="state that it yielded")
        try:
            self._page.write(content, version=self._task.version, run=self._run)
        except TransientError as error:  # the state before stands
            _remark(self._remarks, error)
        ended_s = time.thread_time()
        self.spent_s += ended_s - used_s
        self._due_cpu_s = ended_s + max(self._least_s, self._ratio * (ended_s - used_s))


def drive(
    generator: Generator[Any, None, Outcome[Any]], keep: Callable[[object], None]
) -> Outcome[Any]:
    """Let a run go from point to point to its end."""
    while True:
        try:
            state = next(generator)
        except StopIteration as end:
            outcome: Outcome[Any] = end.value
            return outcome
        keep(state)


def end_with(parent: int) -> None:
    """Let this process be killed when its parent ends, however that ends."""
    if sys.platform == "linux":
        _LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(EXIT_LATER)


def _result(
    files: TaskFiles, page: StatePage, kept: Sealed, remarks: list[str], *, least_s: float
) -> Result:
    """Run to the end; whatever the task does becomes a result."""
    task = files.task
    try:
        run, given, sealed = files.given_of(kept)
        learned = _usable(task, sealed, remarks, what="learned state")
        held = page.found if page.found is not None and page.found.run == run else None
        state = _usable(task, held, remarks, what="state")
        keep = Keeper(page, task, run, remarks, least_s=least_s)
        began_s = time.thread_time()
        outcome = drive(task.run(given, state, learned), keep)
        own_s = max(time.thread_time() - began_s - keep.spent_s, 0.0)
        content = encode_checked(outcome, type_=outcome_type(task), what="outcome")
        check_outcome(content, task=task.name)
        passed_on = encode_checked(outcome.learned, type_=task.state | None, what="learned state")
        check_size(passed_on, task=task.name, what="learned state")
    except MemoryError:
        most = task.bounds.memory_mb
        return Result(how=How.TOO_MUCH_MEMORY, why=f"it asked for more than {most} MB")
    except (NoSuchValueError, StateTooLargeError) as error:
        return Result(how=How.GARBAGE, why=shortened(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may fail in any way; that is told
        with contextlib.suppress(OSError):
            traceback.print_exc()
        return Result(how=How.RAISED, why=_why(error))
    return Result(how=How.DONE, outcome=content, own_s=own_s)


def _usable(task: Task[Any], sealed: Sealed | None, remarks: list[str], *, what: str) -> Any:
    """Return what was kept, None if the task of now cannot use it."""
    if sealed is None:
        return None
    try:
        return state_of(task, sealed, what=what)
    except BadValueError as error:
        _remark(remarks, error)
        return None


def _remark(remarks: list[str], error: Exception) -> None:
    if len(remarks) < REMARKS_MAX and shortened(error) not in remarks:
        remarks.append(shortened(error))


def shortened(error: BaseException) -> str:
    """Return what an error says, on one line that is not too long."""
    return " ".join(str(error).split())[:WHY_MAX]


def _why(error: BaseException) -> str:
    """Return what failed and where."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {shortened(error)}{where}"


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if event in _REFUSED:
        raise MayNotError(f"it tried {event}, which no task may")


def _bound(bounds: Bounds, *, cpu_s: float) -> None:
    """Let the system refuse what is beyond the bounds; whoever watches the run does the rest."""
    data = _data_bytes() + (bounds.memory_mb + bounds.untouched_mb) * _MB
    cpu = math.ceil(cpu_s) + 1
    largest = max(PAGE_BYTES, RESULT_BYTES_MAX + OVERHEAD_BYTES)
    for kind, most in (
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_FSIZE, largest),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        low = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (low, hard))


def _data_bytes() -> int:
    """Return how much memory for data this process has asked for, after what it began with."""
    with contextlib.suppress(OSError), Path("/proc/self/status").open() as lines:
        for line in lines:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1_024
    return 0
