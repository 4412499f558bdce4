"""A group of busy processes, as a fork server with its runs is one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from engine.background.group import Group, started_of
from tests.patience import PATIENCE_S

LEADER: Final = """
import os, sys
leader = os.getpid()
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        while os.getppid() == leader:
            for _ in range(100_000):
                pass
        os._exit(0)
    children.append(child)
print(*children, flush=True)
sys.stdin.read()
"""
"""Its children end some milliseconds after it, unless they are stopped."""


WITHIN_KERNEL: Final = """
import os, sys
child = os.fork()
if child == 0:
    # Waits, as no signal can end, until the other one has opened the pipe.
    opening = [(os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)]
    os.posix_spawn("/bin/true", ["true"], {}, file_actions=opening)
    os._exit(0)
print(child, flush=True)
os.waitpid(child, 0)
print("done", flush=True)
sys.stdin.read()
"""
"""Its child is in a call of the kernel until somebody writes to the pipe that it names."""


class BusyGroup:
    """A leader that waits, and busy children of it."""

    def __init__(self, code: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
            text=True,
        )
        assert self.process.stdout is not None
        self.children = [int(one) for one in self.process.stdout.readline().split()]
        self.leader = self.process.pid
        self.started = started_of(self.leader)

    def states(self) -> str:
        """Return the states of its children, as R or T; those that are gone are left out."""
        return "".join(state_of(one) for one in self.children)

    def is_stopped(self) -> bool:
        """Say whether both children are stopped."""
        return self.states() == "TT"

    def is_running(self) -> bool:
        """Say whether both children run."""
        return self.states() == "RR"

    def kill(self, process: int) -> None:
        """End one of its processes at once."""
        os.kill(process, signal.SIGKILL)

    def end(self) -> None:
        """End all of them."""
        for one in [*self.children, self.leader]:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.communicate()


def state_of(process: int) -> str:
    """Return the kernel's letter for a process's state; nothing if it is gone."""
    try:
        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123 - asked often
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.001)


@contextmanager
def busy_group(code: str = LEADER, *arguments: str) -> Iterator[BusyGroup]:
    """Run a group until the block ends."""
    group = BusyGroup(code, *arguments)
    try:
        yield group
    finally:
        group.end()


def opened(busy: BusyGroup) -> Group:
    """Return a handle of a group."""
    return Group(busy.leader, busy.started)
