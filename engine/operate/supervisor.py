"""Start the roles in order, start again what dies or hangs, close all in reverse order in time.

All processes are made at once, so that they load their code side by side; each opens what it needs
when it is its turn, once the role before it has answered.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from engine.domain.backoff import wait_after
from engine.domain.errors import FatalError
from engine.operate import exit_codes
from engine.operate.lifeline import LIFELINE_ENVIRONMENT_NAME, TURN
from engine.operate.role_logs import keep_short, open_log
from engine.operate.role_words import HUNG_S, READY_ENVIRONMENT_NAME, RoleWords
from engine.operate.takeover import end_left_behind

log = logging.getLogger(__name__)

BACKOFF_S_FIRST: Final = 0.2
BACKOFF_S_MAX: Final = 10.0
LEFT_OUT_S: Final = 300.0
NEWS_LENGTH_MAX: Final = 600
STEADY_S: Final = 10.0
"""A role that ran this long starts its back-off anew."""

SLOW_S: Final = 10.0
"""A role that is not ready for so long is told, again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpec:
    """How to start and end one role.

    Attributes:
        arguments: what follows the Python interpreter.
        ready_s: time to answer after the start; a role that is not ready then is ended.
        stop_s: time between SIGTERM and SIGKILL at closing, beside what the roles closed before it
            left over of theirs.
        has_terminal: the role talks to the person at the terminal.
        ends_all: the end of this role with code 0 closes everything.
        hears_news: it is told, by its lifeline, of a role that ended for good.
        is_vital: the others do not go on without it when it ends with a code that only a person
            can mend; a role that is not vital is then left out for `LEFT_OUT_S`, and told.
        log_path: where its output goes; None means the supervisor's own.
        lease: which the role holds while it runs; whoever was left behind with it is ended first.
        environment: makes its environment, anew for each start; None means the supervisor's own.
    """

    name: str
    arguments: Sequence[str]
    ready_s: float = 30.0
    stop_s: float = 5.0
    has_terminal: bool = False
    ends_all: bool = False
    hears_news: bool = False
    is_vital: bool = True
    log_path: Path | None = None
    lease: Path | None = None
    environment: Callable[[], Mapping[str, str]] | None = None


@dataclass(slots=True)
class _Role:
    spec: RoleSpec
    child: asyncio.subprocess.Process | None = None
    restarts: int = 0
    may_begin: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the role before it has been ready, and from then on."""
    has_been_ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the role answered, or failed for a reason outside: the next role may start."""
    has_answered: bool = False
    lifeline: int | None = None
    """Writing end, while its process runs."""
    last_words: str = ""
    """Why its last process ended, in its own words."""
    is_hung: bool = False
    """Its last process was ended because it gave no sign of life."""


class Supervisor:
    """The roles of one installation, as processes.

    Attributes:
        on_restart: told of each restart: role, why, number of restarts so far.
        on_left_out: told of a role that is not vital and is left out.
        on_ended: told of a vital role that had answered and ended for good; the others go on, so
            that the operator can be told.
        on_slow: told each `SLOW_S` of a role that is not ready yet, and for how many seconds.
        on_said: told of each line that a role has for the terminal.
    """

    def __init__(
        self,
        specs: Sequence[RoleSpec],
        *,
        on_restart: Callable[[str, str, int], None],
        on_left_out: Callable[[str], None] = lambda _role: None,
        on_ended: Callable[[str], None] = lambda _role: None,
        on_said: Callable[[str], None] = lambda _line: None,
        on_slow: Callable[[str, float], None] = lambda _role, _seconds: None,
    ) -> None:
        self._roles = [_Role(spec) for spec in specs]
        self._on_restart = on_restart
        self._on_left_out = on_left_out
        self._on_ended = on_ended
        self._on_said = on_said
        self._on_slow = on_slow
        self._closing = asyncio.Event()
        self._news: list[bytes] = []

    async def run(self, stop: asyncio.Event, *, on_ready: Callable[[], None]) -> int:
        """Run until `stop` is set or a role ends everything; returns the exit code."""
        code = exit_codes.OK
        watchers = [asyncio.create_task(self._keep_running(role)) for role in self._roles]
        stopping = asyncio.create_task(stop.wait())
        try:
            for role in self._roles:
                role.may_begin.set()
                ready = asyncio.create_task(role.has_been_ready.wait())
                await asyncio.wait(
                    [ready, stopping, *watchers], return_when=asyncio.FIRST_COMPLETED
                )
                ready.cancel()
                if stopping.done() or any(watcher.done() for watcher in watchers):
                    break
            else:
                on_ready()
            await asyncio.wait([stopping, *watchers], return_when=asyncio.FIRST_COMPLETED)
            code = max((watcher.result() for watcher in watchers if watcher.done()), default=code)
        finally:
            stopping.cancel()
            await self._close()
            ended = await asyncio.gather(*watchers, return_exceptions=True)
        return max([code, *(one for one in ended if isinstance(one, int))])

    async def _close(self) -> None:
        """End all roles in reverse order; what one leaves of its time, the next ones may use."""
        self._closing.set()
        deadline_s = asyncio.get_running_loop().time()
        for role in reversed(self._roles):
            deadline_s += role.spec.stop_s
            await self._end(role, deadline_s=deadline_s)

    def tell(self, role: str, why: str) -> None:
        """Tell the roles that listen, those that start later included, why a role ended."""
        line = json.dumps({"role": role, "why": why[:NEWS_LENGTH_MAX]}).encode() + b"\n"
        self._news.append(line)
        for listener in self._roles:
            _write_news(listener, line)

    def pids(self) -> dict[str, int]:
        """Return the process ids of the roles that run now."""
        return {
            role.spec.name: role.child.pid
            for role in self._roles
            if role.child is not None and role.child.returncode is None
        }

    def ended_with(self, code: int) -> list[str]:
        """Return the roles whose last process ended with this code."""
        return [
            role.spec.name
            for role in self._roles
            if role.child is not None and role.child.returncode == code
        ]

    def last_words(self, name: str) -> str:
        """Return why a role's last process ended, in its own words; empty if it left none."""
        return next(role.last_words for role in self._roles if role.spec.name == name)

    async def _keep_running(self, role: _Role) -> int:
        """Start the role, again after a crash; returns the code that ends everything."""
        loop = asyncio.get_running_loop()
        in_a_row = 0
        while True:
            started_s = loop.time()
            try:
                code = await self._run_once(role)
            except (OSError, FatalError) as error:
                log.error("%s cannot be started: %s", role.spec.name, error)  # noqa: TRY400 - one sentence for the operator
                return exit_codes.FATAL
            if self._closing.is_set():
                return exit_codes.OK
            if code == exit_codes.OK and role.spec.ends_all:
                return exit_codes.OK
            if code != exit_codes.OK and not exit_codes.is_restartable(code):
                if role.spec.is_vital and (role.spec.ends_all or not role.has_answered):
                    return code
                role.has_been_ready.set()
                if role.spec.is_vital:
                    log.error("%s ended with exit code %d for good", role.spec.name, code)
                    self._on_ended(role.spec.name)
                    await self._closing.wait()
                    return code
                log.error("%s ended with exit code %d; the others go on", role.spec.name, code)
                self._on_left_out(role.spec.name)
                # It reads its settings anew when it starts: perhaps they are mended by then.
                await self._wait(LEFT_OUT_S)
                continue
            in_a_row = 1 if loop.time() - started_s > STEADY_S else in_a_row + 1
            if code == exit_codes.TRANSIENT:
                # Something outside is missing, perhaps for long. The others start all the same,
                # so that the operator can be told.
                role.has_been_ready.set()
            # A role is never given up: the kill latch is how trading ends, not a counter.
            role.restarts += 1
            why = _why(role, code)
            log.warning("%s ended (%s); starting it again", role.spec.name, why)
            self._on_restart(role.spec.name, why, role.restarts)
            await self._wait(wait_after(in_a_row, first=BACKOFF_S_FIRST, longest=BACKOFF_S_MAX))

    async def _wait(self, wait_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._closing.wait()

    async def _run_once(self, role: _Role) -> int:
        """Run the role's process to its end; none is started while all are being ended."""
        spec = role.spec
        if spec.lease is not None:
            await end_left_behind(spec.lease, spec.arguments, stop_s=spec.stop_s)
        if self._closing.is_set():
            return exit_codes.OK
        role.is_hung = False
        ready_read, ready_write = os.pipe()
        os.set_blocking(ready_write, False)  # a role never waits for us to hear it
        lifeline_read, lifeline_write = os.pipe()
        output: IO[bytes] | None = None
        try:
            output = None if spec.log_path is None else open_log(spec.log_path)
            environment = dict(os.environ if spec.environment is None else spec.environment())
            environment[READY_ENVIRONMENT_NAME] = str(ready_write)
            environment[LIFELINE_ENVIRONMENT_NAME] = str(lifeline_read)
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *spec.arguments,
                stdin=None if spec.has_terminal else asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                pass_fds=(ready_write, lifeline_read),
                start_new_session=not spec.has_terminal,
            )
            role.child = child
        finally:
            os.close(ready_write)
            os.close(lifeline_read)
            if output is not None:
                output.close()
        os.set_blocking(lifeline_write, False)
        keeping = asyncio.create_task(keep_short(spec.log_path))
        words = RoleWords(ready_read, on_said=self._on_said)
        try:
            with words:
                if self._closing.is_set():  # it was on its way when the closing began
                    deadline_s = asyncio.get_running_loop().time() + spec.stop_s
                    await self._end(role, deadline_s=deadline_s)
                await _until_turn(role, child)
                self._give_turn(role, lifeline_write)
                await self._until_ready(role, words)
                watching = asyncio.create_task(self._end_if_hung(role, words))
                try:
                    return await child.wait()
                finally:
                    watching.cancel()
        finally:
            keeping.cancel()
            role.last_words = words.last
            role.lifeline = None
            os.close(lifeline_write)

    def _give_turn(self, role: _Role, lifeline: int) -> None:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            os.write(lifeline, TURN)
        role.lifeline = lifeline
        for line in self._news:
            _write_news(role, line)

    async def _until_ready(self, role: _Role, words: RoleWords) -> None:
        spec = role.spec
        try:
            async with asyncio.timeout(spec.ready_s), asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell_slowness(spec.name))
                await words.is_settled.wait()
                telling.cancel()
        except TimeoutError:
            log.error("%s was not ready within %g s", spec.name, spec.ready_s)  # noqa: TRY400 - one sentence for the operator
            await self._end(role, deadline_s=asyncio.get_running_loop().time() + spec.stop_s)
        if words.is_ready:
            role.has_answered = True
            role.has_been_ready.set()

    async def _tell_slowness(self, name: str) -> None:
        started_s = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(SLOW_S)
            self._on_slow(name, asyncio.get_running_loop().time() - started_s)

    async def _end_if_hung(self, role: _Role, words: RoleWords) -> None:
        await words.until_hung()
        log.error("%s gives no sign of life; killed", role.spec.name)
        role.is_hung = True
        if role.child is not None:
            with contextlib.suppress(ProcessLookupError):
                role.child.kill()  # nothing else reaches a process that SIGSTOP holds

    async def _end(self, role: _Role, *, deadline_s: float) -> None:
        child = role.child
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout_at(deadline_s):
                await child.wait()
        except TimeoutError:
            log.warning("%s did not end in its time; killed", role.spec.name)
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _until_turn(role: _Role, child: asyncio.subprocess.Process) -> None:
    """Wait until a role may begin, or its process has ended before."""
    waiting = [asyncio.create_task(role.may_begin.wait()), asyncio.create_task(child.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


def _why(role: _Role, code: int) -> str:
    """Say why a role's last process ended, for the one who is told that it starts again."""
    if role.is_hung:
        return f"no sign of life for {HUNG_S:.0f} s, killed"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return (code == exit_codes.TRANSIENT and role.last_words) or f"exit code {code}"


def _write_news(role: _Role, line: bytes) -> None:
    # A role that does not read loses news, not its life; lines are shorter than a pipe's atom.
    if role.spec.hears_news and role.lifeline is not None:
        with contextlib.suppress(OSError):
            os.write(role.lifeline, line)
