"""Runs tasks in processes of their own, and parts from those that misbehave.

Each run is given all that it needs before it begins, and that is kept beside its state until it
ended. So it goes on, with the same result, after its process, the fork server or the role itself
was killed. What a task does wrong ends the run and never more than that.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from engine.background.coding import decode_as, encode_checked, outcome_type
from engine.background.copies import Copies
from engine.background.copy_stores import CopyStore
from engine.background.fork_client import Attempt, ForkServer
from engine.background.fork_server import Over
from engine.background.left_over import LastGroup
from engine.background.ports import Given, Outcome, Task
from engine.background.quarantine import Quarantine
from engine.background.run import EXIT_LATER, EXIT_NO_ROOM, KEEP_LEAST_S, Order
from engine.background.runs import Ended, Spent
from engine.background.sealed import Kind
from engine.background.task_files import NO_RUN, Result, TaskFiles
from engine.background.trouble import Tell, Trouble
from engine.background.watch import LOOK_S, Look, Used, died_of
from engine.domain.backoff import wait_after
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How

STALLS_MAX: Final = 25
"""A run that was ended from outside so often without coming any further is given up."""
STALLS_FREE: Final = 5
AGAIN_FIRST_S: Final = 0.01
AGAIN_LONGEST_S: Final = 2.0
_FROM_OUTSIDE: Final = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}
)


class Nursery:
    """Runs tasks; made by `open_nursery`. It is a `Runner`."""

    def __init__(
        self,
        folder: Path,
        all_files: Mapping[str, TaskFiles],
        server: ForkServer,
        copies: Copies,
        *,
        tell: Tell,
        clock: Callable[[], int],
        keep_least_s: float,
    ) -> None:
        self.copies: Final = copies
        self._folder = folder
        self._keep_least_s = keep_least_s
        self._server = server
        self._tell = tell
        self._clock = clock
        self._files = all_files
        tasks = {name: files.task for name, files in all_files.items()}
        self._quarantine = Quarantine(
            folder / "failures.json", tasks, clock=time.monotonic, wall_ns=clock
        )
        if self._quarantine.is_damaged:
            tell(Trouble(task="", what="the file of failures was damaged: all tasks may begin"))
        self._looks: dict[str, Look] = {}
        self._ended_cpu_s = 0.0
        self._running: set[str] = set()
        self._interrupted = {name for name, files in self._files.items() if self._goes_on(files)}

    # ---- what the schedule asks ------------------------------------------------------------

    @property
    def group(self) -> int | None:
        """Process group of all background work; None while there is none."""
        return self._server.group

    def interrupted(self) -> frozenset[str]:
        """Return the names of tasks of which an interrupted run can go on."""
        return frozenset(self._interrupted - self._running)

    def why_not(self, name: str) -> str:
        """Return why a task may not begin yet; empty if it may."""
        return self._quarantine.why_not(name)

    def quarantined(self) -> Mapping[str, str]:
        """Return the tasks that are begun no more until a person says so, with the reason."""
        return self._quarantine.all()

    def release(self, name: str) -> None:
        """Let a task begin again whatever it did before."""
        self._quarantine.succeeded(name)

    def spent(self) -> Spent:
        """Return what all runs took so far."""
        runs_s = self._ended_cpu_s + sum(look.used.cpu_s for look in self._looks.values())
        serving_s = self._server.serving_s()
        return Spent(runs_s + serving_s, serving_s, self._server.open_s())

    async def run(self, task: Task[Any], given: Given | None) -> Ended:
        """Run a task to its end; whatever it does is told by how it ended, and never raised.

        Without `given` an interrupted run goes on, with what it was given. A cancelled call stops
        the run; its newest state stands.

        Raises:
            BadValueError: there is an interrupted run and something is given, or neither; or the
                task runs already; or what is given is not what the task wants.
        """
        name = task.name
        files = self._files[name]
        if name in self._running:
            raise BadValueError(f"{name} runs already")
        if (given is None) != (name in self._interrupted):
            missing = "no interrupted run" if given is None else "an interrupted run"
            raise BadValueError(f"{name} has {missing}: it cannot begin so")
        self._running.add(name)
        try:
            if given is not None:
                files.begin(given)
                self._interrupted.add(name)
            return await self._to_its_end(files)
        finally:
            self._running.discard(name)

    async def settle(self, name: str) -> None:
        """Let what a run learned stand, once all that it found is stored; forget the run.

        Until then the run counts as interrupted, and gives the same again.
        """
        files = self._files[name]
        sealed = files.load_given()
        result = None if sealed is None else files.result(sealed.run)
        if sealed is None or result is None or result.how is not How.DONE:
            raise BadValueError(f"{name} has no run that is done")
        outcome = _outcome(files, result)
        learned = encode_checked(
            outcome.learned, type_=files.task.state | None, what="learned state"
        )
        await asyncio.to_thread(files.settle, learned, run=sealed.run)
        self._interrupted.discard(name)

    # ---- one run ---------------------------------------------------------------------------

    async def _to_its_end(self, files: TaskFiles) -> Ended:
        """Let processes work at a run until one ended it."""
        sealed = files.load_given()
        run = NO_RUN if sealed is None else sealed.run
        begun_at_ns = self._clock() if sealed is None else sealed.at_ns
        used = Used()
        state = files.state_of(run)
        resumed, stalls = int(state is not None), 0
        while True:
            result = files.result(run) or await self._attempt(files, run, used)
            if isinstance(result, Result):
                break
            resumed += 1
            before, state = state, files.state_of(run)
            stalls = stalls + 1 if before == state else 0
            if stalls > STALLS_MAX:
                why = f"it came no further in {stalls} attempts: {result.why}"
                result = Result(how=How.CRASHED, why=why)
                break
            await asyncio.sleep(_wait_s(stalls))
        result, outcome = self._taken(files, result)
        return Ended(
            how=result.how,
            why=result.why,
            run_id=run.hex(),
            outcome=outcome,
            begun_at_ns=begun_at_ns,
            ended_at_ns=self._clock(),
            wall_s=used.wall_s,
            held_s=used.held_s,
            cpu_s=used.cpu_s,
            memory_mb=used.memory_mb,
            resumed=resumed,
            own_s=min(result.own_s, used.cpu_s),
        )

    def _taken(self, files: TaskFiles, result: Result) -> tuple[Result, Outcome[Any] | None]:
        """Take what a run ended with, and remember how the task stands."""
        name = files.task.name
        for remark in result.remarks:
            self._tell(Trouble(task=name, what=remark))
        if result.how is How.DONE:
            try:
                outcome = _outcome(files, result)
            except BadValueError as error:
                result = Result(how=How.GARBAGE, why=str(error))
            else:
                self._quarantine.succeeded(name)
                return result, outcome
        files.forget()
        self._interrupted.discard(name)
        if self._quarantine.failed(files.task, f"{result.how}: {result.why}"):
            self._tell(Trouble(task=name, what=self._quarantine.why_not(name)))
        return result, None

    async def _attempt(self, files: TaskFiles, run: bytes, used: Used) -> "Result | _Interrupted":
        """Let one process work at a run."""
        task = files.task
        cpu_s = max(0.0, task.bounds.cpu_s - used.cpu_s)
        try:
            attempt = await self._server.begin(
                Order(
                    task=task.name,
                    folder=str(self._folder),
                    basis=files.basis,
                    cpu_s=cpu_s,
                    keep_least_s=self._keep_least_s,
                )
            )
        except TransientError as error:
            return _Interrupted(str(error))
        try:
            verdict = await self._watched(attempt, task, used)
        except asyncio.CancelledError:
            self._server.end(attempt)
            raise
        over = attempt.over.result()
        if verdict is not None:
            return files.result(run) or Result(how=verdict[0], why=verdict[1])
        return files.result(run) or _judged(over)

    async def _watched(
        self, attempt: Attempt, task: Task[Any], used: Used
    ) -> tuple[How, str] | None:
        """Wait for the end of a process; return why it had to be ended, if so."""
        verdict: tuple[How, str] | None = None
        look: Look | None = None
        before_cpu_s = used.cpu_s
        try:
            while not attempt.over.done():
                await asyncio.wait({attempt.over}, timeout=LOOK_S)
                if attempt.process is None or attempt.over.done() or verdict is not None:
                    continue
                if look is None:
                    look = self._looks[task.name] = Look(
                        attempt.process, task.bounds, used, shared_mb=self._server.private_mb()
                    )
                with contextlib.suppress(psutil.Error):
                    verdict = look.again(time.monotonic())
                if verdict is not None and verdict[0] is How.FORKED:
                    self._server.kill_all()  # whole trees; all others go on from their states
                elif verdict is not None:
                    self._server.end(attempt)
        finally:
            self._looks.pop(task.name, None)
        over = attempt.over.result()
        if over is not None:
            worked_s = max(0.0, before_cpu_s + over.cpu_s - used.cpu_s)
            used.wall_s += worked_s
            used.cpu_s = before_cpu_s + over.cpu_s
            if look is None:  # it was too short to be looked at: files that it mapped count, too
                used.memory_mb = max(used.memory_mb, over.memory_mb)
        self._ended_cpu_s += used.cpu_s - before_cpu_s
        return verdict

    def _goes_on(self, files: TaskFiles) -> bool:
        """Say whether there is a run that can go on; of one that cannot, nothing is left."""
        for kind in (Kind.LEARNED, Kind.STATE):
            found, faults = files.page(kind)
            if found is None and faults:
                self._tell(Trouble(task=files.task.name, what=f"{faults[0]}: begins without"))
        try:
            return files.given() is not None
        except BadValueError as error:
            self._tell(Trouble(task=files.task.name, what=str(error)))
            files.forget()
            return False


@dataclass(frozen=True, slots=True)
class _Interrupted:
    """A process did not come to an end by itself."""

    why: str


def _judged(over: Over | None) -> Result | _Interrupted:
    """Say what it means that a process ended and left no result."""
    if over is None:
        return _Interrupted("the fork server ended")
    if over.status < 0:
        return _Interrupted(f"no process could be had for it: {over.why}")
    if over.status & 0x7F in _FROM_OUTSIDE or over.status >> 8 == EXIT_LATER:
        return _Interrupted("its process was ended from outside")
    if over.status >> 8 == EXIT_NO_ROOM:
        return Result(how=How.CRASHED, why="its outcome could not be kept: there is no room")
    how, why = died_of(over.status)
    return Result(how=how, why=why)


def _outcome(files: TaskFiles, result: Result) -> Outcome[Any]:
    type_ = outcome_type(files.task)
    found: Outcome[Any] = decode_as(result.outcome, type_, what=f"outcome of {files.task.name}")
    return found


def _wait_s(stalls: int) -> float:
    if stalls <= STALLS_FREE:
        return 0.0
    return wait_after(stalls - STALLS_FREE, first=AGAIN_FIRST_S, longest=AGAIN_LONGEST_S)


@contextlib.asynccontextmanager
async def open_nursery(
    *,
    folder: Path,
    tasks: Sequence[Task[Any]],
    tasks_at: str,
    basis: Basis,
    tell: Tell,
    stores: Sequence[CopyStore] = (),
    on_group: Callable[[int | None], None] = lambda _: None,
    clock: Callable[[], int] = time.time_ns,
    keep_least_s: float = KEEP_LEAST_S,
    is_idle: bool = True,
) -> AsyncIterator[Nursery]:
    """Run tasks until the block ends; what is under way then goes on the next time.

    Args:
        folder: where states are kept; made if it is missing.
        tasks: all that may be run.
        tasks_at: where the processes find the same list, as ``module:NAME``.
        basis: of all that runs are given; what they learn on one is nothing to those on another.
        stores: where copies of what is kept are put.
        tell: told whatever a person has to know.
        on_group: told the process group of all background work whenever there is another, None
            while there is none.
        clock: the wall clock, nanoseconds since 1970.
        keep_least_s: see `run.Order`.
        is_idle: runs get only what nobody else wants; a test waits for them and wants their end.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything runs
    server = ForkServer(tasks_at, LastGroup(folder / "group"), is_idle=is_idle, on_group=on_group)
    files = {task.name: TaskFiles(folder, task, basis=basis, clock=clock) for task in tasks}
    copies = Copies(list(files.values()), stores, tell=tell, clock=clock)
    await copies.restore()
    async with copies.copying():
        try:
            yield Nursery(
                folder, files, server, copies, tell=tell, clock=clock, keep_least_s=keep_least_s
            )
        finally:
            await server.aclose()
