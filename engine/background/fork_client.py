"""The role's side of the fork server: starts it, orders runs and hears what became of them."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import psutil

from engine.background.fork_server import IDLE, MESSAGE_BYTES_MAX, Begun, Over, Ready, Told
from engine.background.idle import one_thread_each, small_pages
from engine.background.left_over import LastGroup
from engine.background.run import Order
from engine.background.watch import private_mb
from engine.domain.errors import TransientError

READY_S: Final = 120.0
"""So long the server may take to load, on a machine whose every core is busy."""


@dataclass(slots=True)
class Attempt:
    """A process that carries out a run, or has done so.

    Attributes:
        over: what became of it; None if its server died.
        process: known once it has begun.
        is_unwanted: it is to end, also if it has yet to begin.
        since_s: when it was ordered.
    """

    order: Order
    over: "asyncio.Future[Over | None]"
    since_s: float
    process: psutil.Process | None = None
    is_unwanted: bool = False


class ForkServer:
    """The fork server of now; started when one is needed and none lives."""

    def __init__(
        self,
        tasks_at: str,
        last: LastGroup,
        *,
        is_idle: bool,
        on_group: Callable[[int | None], None],
    ) -> None:
        self.group: int | None = None
        """The process group of all background work; None if there is none."""
        self.attempts: dict[int, Attempt] = {}
        self._tasks_at = tasks_at
        self._last = last
        self._is_idle = is_idle
        self._on_group = on_group
        self._starting = asyncio.Lock()
        self._channel: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._numbers = 0
        self._leader: psutil.Process | None = None
        self._served_before_s = self._served_s = 0.0
        self._open_s = 0.0

    def serving_s(self) -> float:
        """Return the processor time of all servers so far, without that of runs."""
        if self._leader is not None:
            with contextlib.suppress(psutil.Error):  # it is gone: what it took last counts
                times = self._leader.cpu_times()
                self._served_s = times.user + times.system
        return self._served_before_s + self._served_s

    def private_mb(self) -> float:
        """Return the memory of the server, which each run begins with."""
        if self._leader is not None:
            with contextlib.suppress(psutil.Error):
                return private_mb(self._leader)
        return 0.0

    def open_s(self) -> float:
        """Return for how long processes were ordered and not over yet, summed over them."""
        now_s = time.monotonic()
        return self._open_s + sum(now_s - one.since_s for one in self.attempts.values())

    async def begin(self, order: Order) -> Attempt:
        """Order a run; it gets its number here.

        Raises:
            TransientError: no server can be had now.
        """
        channel = await self._ready()
        self._numbers += 1
        order = msgspec.structs.replace(order, number=self._numbers)
        over = asyncio.get_running_loop().create_future()
        attempt = Attempt(order, over, time.monotonic())
        self.attempts[order.number] = attempt
        try:
            await asyncio.get_running_loop().sock_sendall(channel, msgspec.msgpack.encode(order))
        except OSError as error:
            self._close(order.number)
            raise TransientError(f"the fork server is gone: {error}") from error
        except asyncio.CancelledError:
            attempt.is_unwanted = True
            raise
        return attempt

    def end(self, attempt: Attempt) -> None:
        """End a process."""
        attempt.is_unwanted = True
        if attempt.process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                attempt.process.kill()

    def kill_all(self) -> None:
        """End all background work at once, and whatever it began; who needs it starts it again."""
        if self.group is None:
            return
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            os.killpg(self.group, signal.SIGSTOP)  # who is stopped begins no more processes
            left = psutil.Process(self.group).children(recursive=True)
            os.killpg(self.group, signal.SIGKILL)
            for process in left:  # some may have left the group
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    async def aclose(self) -> None:
        """End all background work."""
        async with self._starting:
            self.kill_all()
            await self._bury()

    async def _ready(self) -> socket.socket:
        async with self._starting:
            if self._channel is None or self._hearing is None or self._hearing.done():
                await self._bury()
                await self._start()
            assert self._channel is not None
            return self._channel

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._last.end)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            environment = dict(os.environ)
            one_thread_each(environment)
            small_pages(environment)
            # The same order of sets in every process, or results would differ.
            environment["PYTHONHASHSEED"] = "0"
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "engine.background.fork_server"),
                *(str(theirs.fileno()), self._tasks_at, str(os.getpid())),
                IDLE if self._is_idle else "busy",
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
            )
        try:
            async with asyncio.timeout(READY_S):
                message = await loop.sock_recv(ours, MESSAGE_BYTES_MAX)
        except TimeoutError as error:
            ours.close()
            raise TransientError(f"the fork server was not ready within {READY_S:g} s") from error
        except BaseException:
            ours.close()
            raise
        if not message:
            ours.close()
            raise TransientError("the fork server ended before it was ready; the log says why")
        self._channel = ours
        self.group = msgspec.msgpack.decode(message, type=Ready).pid
        self._served_before_s, self._served_s = self.serving_s(), 0.0
        with contextlib.suppress(psutil.NoSuchProcess):
            self._leader = psutil.Process(self.group)
        self._last.keep(self.group)
        self._on_group(self.group)
        self._hearing = asyncio.create_task(self._hear(ours))

    async def _hear(self, channel: socket.socket) -> None:
        """Take what the server tells until it is gone."""
        loop = asyncio.get_running_loop()
        decoder = msgspec.msgpack.Decoder(Told)
        try:
            while message := await loop.sock_recv(channel, MESSAGE_BYTES_MAX):
                told = decoder.decode(message)
                if isinstance(told, Begun):
                    self._begun(told)
                elif isinstance(told, Over):
                    attempt = self._close(told.number)
                    if attempt is not None and not attempt.over.done():
                        attempt.over.set_result(told)
        except OSError:
            pass
        finally:
            self.group = None
            self._on_group(None)
            for number in list(self.attempts):
                attempt = self._close(number)
                if attempt is not None and not attempt.over.done():
                    attempt.over.set_result(None)

    def _close(self, number: int) -> Attempt | None:
        attempt = self.attempts.pop(number, None)
        if attempt is not None:
            self._open_s += time.monotonic() - attempt.since_s
        return attempt

    def _begun(self, told: Begun) -> None:
        attempt = self.attempts.get(told.number)
        if attempt is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                attempt.process = psutil.Process(told.pid)
            if attempt.is_unwanted:
                self.end(attempt)

    async def _bury(self) -> None:
        """Close what is left of a server, which must be gone before there is another."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()
            self._process = None
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)
            self._hearing = None
