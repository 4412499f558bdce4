"""A group of processes that is stopped and let go at once, known by more than its number.

A number may be given to another process once its own is gone. So a group is its leader's number
and start, and it is signalled through a handle of the kernel that no other process ever gets.
"""

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.domain.errors import BadValueError

_TO_GROUP: Final = 1 << 2
"""PIDFD_SIGNAL_PROCESS_GROUP of linux/pidfd.h, from Linux 6.9 on."""

_STOP: Final = int(signal.SIGSTOP)

_STATE, _PARENT, _GROUP, _STARTED = 0, 1, 2, 19
"""Of /proc/PID/stat, counted from behind the name."""

PROC: Final = Path("/proc")
STOPPED: Final = frozenset("TtZXx")
"""States in which a process runs no instruction of its own."""


class Group:
    """A process group of this user's; this process is in none that it opens.

    Attributes:
        leader: number of the process that leads it, and of the group.
        started: when that began, in ticks of the kernel's since the machine's start.
    """

    def __init__(self, leader: int, started: int) -> None:
        """Open it.

        Raises:
            BadValueError: there is none, another process has its number now, or it is none that may
                be stopped from here.
        """
        self.leader: Final = leader
        self.started: Final = started
        if not 1 < leader < 1 << 31 or leader in {os.getpid(), os.getpgrp(), os.getppid()}:
            raise BadValueError(f"process {leader} leads no group that may be stopped from here")
        if not hasattr(os, "pidfd_open"):
            raise BadValueError("this system has no handles of processes (pidfd)")
        try:
            self._handle = os.pidfd_open(leader)
        except OSError as error:
            raise BadValueError(f"no process {leader}: {error.strerror}") from error
        try:
            self._check()
            self._flags = self._flags_here()
        except BaseException:
            self.close()
            raise

    def signal(self, number: int) -> bool:
        """Signal all its processes; returns whether there was one."""
        try:
            if self._flags:
                signal.pidfd_send_signal(self._handle, number, None, self._flags)
            else:
                # Its leader has not been waited for: nobody else has the number.
                signal.pidfd_send_signal(self._handle, 0)
                os.killpg(self.leader, number)
        except OSError:
            return False
        return True

    def stop(self) -> bool:
        """Stop all its processes; returns whether there was one."""
        if not self._flags:
            return self.signal(signal.SIGSTOP)
        try:  # not by way of another function: this is on the path of opportunities
            signal.pidfd_send_signal(self._handle, _STOP, None, _TO_GROUP)
        except OSError:
            return False
        return True

    def resume(self) -> bool:
        """Let all its processes go on; returns whether there was one."""
        return self.signal(signal.SIGCONT)

    def is_stopped(self) -> bool:
        """Say whether its leader is stopped."""
        stat = _stat_of(self.leader)
        return stat is not None and int(stat[_STARTED]) == self.started and stat[_STATE] in "Tt"

    def running(self) -> list[tuple[int, str]]:
        """Return the processes below its leader that run on, each with its state.

        One that is to stop and was not given a processor since runs no instruction of its own.
        """
        found = []
        for process in self.members():
            stat = _stat_of(process)
            if stat is None or int(stat[_GROUP]) != self.leader or stat[_STATE] in STOPPED:
                continue
            if stat[_STATE] == "D" or not _is_to_stop(process):
                found.append((process, stat[_STATE]))
        return found

    def force(self, process: int) -> bool:
        """End one of its processes that cannot be stopped; returns whether it was there.

        Its leader is not ended: it starts the others.
        """
        if process == self.leader:
            return False
        try:
            handle = os.pidfd_open(process)
        except OSError:
            return False
        try:
            stat = _stat_of(process)  # of the process of the handle, or of none
            if stat is None or int(stat[_GROUP]) != self.leader:
                return False
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True

    def members(self) -> Iterator[int]:
        """Return its leader and all that it started, as far as they are its descendants still."""
        waiting, seen = [self.leader], {self.leader}
        while waiting:
            process = waiting.pop()
            yield process
            new = [one for one in _children_of(process) if one not in seen]
            seen.update(new)
            waiting += new

    def close(self) -> None:
        """Give the handle back."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    def _check(self) -> None:
        stat = _stat_of(self.leader)
        if stat is None or int(stat[_STARTED]) != self.started:
            raise BadValueError(f"process {self.leader} is another one than was announced")
        if int(stat[_GROUP]) != self.leader:
            raise BadValueError(f"process {self.leader} leads no group of its own")
        if (PROC / str(self.leader)).stat().st_uid != os.geteuid():
            raise BadValueError(f"process {self.leader} is another user's")

    def _flags_here(self) -> int:
        """Return how this kernel signals a group by a handle; 0 if it does not."""
        try:
            signal.pidfd_send_signal(self._handle, 0, None, _TO_GROUP)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return 0
            raise BadValueError(f"group {self.leader} takes no signal: {error.strerror}") from error
        return _TO_GROUP


def started_of(process: int) -> int:
    """Return when a process began, in ticks of the kernel's.

    Raises:
        BadValueError: there is none.
    """
    stat = _stat_of(process)
    if stat is None:
        raise BadValueError(f"there is no process {process}")
    return int(stat[_STARTED])


def ran_ns(process: int) -> int:
    """Return for how long a process has run on a processor, all its threads; 0 if it is gone."""
    found = 0
    with suppress(OSError):
        for thread in (PROC / str(process) / "task").iterdir():
            with suppress(OSError, ValueError, IndexError):
                found += int((thread / "schedstat").read_text().split()[0])
    return found


def _stat_of(process: int) -> list[str] | None:
    """Return what the kernel says of a process from its state on, None if it is gone."""
    try:
        text = (PROC / str(process) / "stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _is_to_stop(process: int) -> bool:
    """Say whether a process is told to stop, and was not yet given a processor to obey."""
    try:
        text = (PROC / str(process) / "status").read_text()
    except OSError:
        return True  # it is gone
    pending = text.partition("\nShdPnd:")[2].split(maxsplit=1)
    return bool(pending) and bool(int(pending[0], 16) & 1 << signal.SIGSTOP - 1)


def _children_of(process: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in (PROC / str(process) / "task").iterdir():
            with suppress(OSError):
                found += [int(one) for one in (thread / "children").read_text().split()]
    return found
