"""The process from which all runs are forked: loaded once, idle, and leader of their group.

``python -m engine.background.fork_server CHANNEL TASKS_AT ROLE IDLE``: the channel is an open
socket to the role `workers`. What runs use is in memory already, so that one begins in milliseconds
and shares it. Whatever is in its process group is background work and nothing else is, so one
signal stops all of it; when the role is gone, or closes the channel, all of it ends.

Python's own fork server (`multiprocessing.forkserver`) is not used: see docs/decisions.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.background.idle import become_idle
from engine.background.ports import Task
from engine.background.run import Order, end_with, run_ordered

MESSAGE_BYTES_MAX: Final = 65_536
LOOK_S: Final = 1.0
"""Interval of looks whether a run left something behind."""
EXIT_FAILED: Final = 1
IDLE: Final = "idle"
_PR_SET_CHILD_SUBREAPER: Final = 36


class Ready(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The server has loaded what runs use and takes orders."""

    pid: int


class Begun(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """An order is carried out by a process."""

    number: int
    pid: int


class Over(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """That process is gone.

    Attributes:
        status: as `os.wait4` gave it; -1 if no process could be had.
        memory_mb: most memory that it had beyond what it shared at its beginning.
    """

    number: int
    status: int
    cpu_s: float
    memory_mb: float
    why: str = ""


Told = Ready | Begun | Over


class Server:
    """Forks what is ordered and tells what becomes of it."""

    def __init__(self, channel: socket.socket, tasks: dict[str, Task[Any]]) -> None:
        self._channel = channel
        self._tasks = tasks
        self._orders = msgspec.msgpack.Decoder(Order)
        self._running: dict[int, tuple[Order, int]] = {}

    def serve(self) -> None:
        """Carry out orders until the channel is closed."""
        woken, wake = os.pipe()
        for end in (woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._tell(Ready(pid=os.getpid()))
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._channel, selectors.EVENT_READ)
            waiting.register(woken, selectors.EVENT_READ)
            while True:
                self._end_left_over()
                for key, _ in waiting.select(LOOK_S):
                    if key.fileobj is not self._channel:
                        os.read(woken, 4_096)
                        self._reap()
                        continue
                    message = self._channel.recv(MESSAGE_BYTES_MAX)
                    if not message:
                        return
                    self._begin(self._orders.decode(message))

    def _begin(self, order: Order) -> None:
        task = self._tasks.get(order.task)
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            if task is None:
                raise LookupError(f"there is no task {order.task!r}")  # noqa: TRY301 - one answer
            server = os.getpid()
            pid = os.fork()
        except (OSError, LookupError) as error:
            over = Over(number=order.number, status=-1, cpu_s=0.0, memory_mb=0.0, why=str(error))
            self._tell(over)
            return
        if pid == 0:
            self._become_run(order, task, server)
        self._running[pid] = (order, before_kb)
        self._tell(Begun(number=order.number, pid=pid))

    def _become_run(self, order: Order, task: Task[Any], server: int) -> None:
        """Run in the new process, and end it."""
        code = EXIT_FAILED
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._channel.close()
            code = run_ordered(order, task, parent=server)
        except BaseException:  # noqa: BLE001 - nothing of the server may go on in this process
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Tell of those that ended."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid not in self._running:
                continue
            order, before_kb = self._running.pop(pid)
            self._tell(
                Over(
                    number=order.number,
                    status=status,
                    cpu_s=used.ru_utime + used.ru_stime,
                    memory_mb=max(0, used.ru_maxrss - before_kb) * 1_024 / 1_000_000,
                )
            )

    def _end_left_over(self) -> None:
        """End what runs left behind: it has become this process's own, as theirs is gone."""
        for pid in children_of(os.getpid()) - self._running.keys():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _tell(self, told: Told) -> None:
        self._channel.send(msgspec.msgpack.encode(told))


def children_of(pid: int) -> set[int]:
    """Return the processes that a process began, as far as the system tells."""
    found: set[int] = set()
    with contextlib.suppress(OSError, ValueError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found |= {int(one) for one in (thread / "children").read_text().split()}
    return found


def load_tasks(tasks_at: str) -> dict[str, Task[Any]]:
    """Return the tasks of a list, by name; it is named as ``module:NAME``."""
    module, _, name = tasks_at.partition(":")
    return {task.name: task for task in getattr(importlib.import_module(module), name)}


def become_background(*, is_idle: bool) -> None:
    """Lead a group of nothing but background work, which runs when nobody else wants to."""
    os.setsid()  # of which the kernel reckons the share as a whole, besides
    for refused in become_idle() if is_idle else ():
        sys.stderr.write(f"background work: {refused}\n")
    if sys.platform == "linux":
        # What a run leaves behind must not get out of reach.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        Path("/proc/self/oom_score_adj").write_text("1000")


def main(channel: int, tasks_at: str, role: int, *, is_idle: bool) -> None:
    """Be the fork server until the role is gone."""
    end_with(role)
    become_background(is_idle=is_idle)
    tasks = load_tasks(tasks_at)
    gc.collect()
    gc.freeze()  # a collection in a run would copy every page that it shares
    with socket.socket(fileno=channel) as connection, contextlib.suppress(ConnectionError):
        Server(connection, tasks).serve()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), is_idle=sys.argv[4] == IDLE)
