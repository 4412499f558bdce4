"""Bounds of a run: what it has used so far, and why it has to end."""

import signal
import time
from dataclasses import dataclass
from typing import Final

import psutil

from engine.background.fork_server import children_of
from engine.background.ports import Bounds
from engine.domain.runs import How

LOOK_S: Final = 0.25
"""Interval of looks at what runs use."""
BUSY_RATIO: Final = 0.5
"""Who used less processor time than this share of its time is waiting for something."""
MEMORY_GRACE: Final = 1.2
"""The system refuses a run memory beyond its bound; what comes about otherwise is ended here."""
_MB: Final = 1_000_000
_STOPPED: Final = frozenset({psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP})


@dataclass(slots=True)
class Used:
    """What a run has used, over all its attempts.

    Attributes:
        wall_s: time in which it worked or waited, so neither held nor waiting for a processor.
        held_s: time in which it was stopped.
        memory_mb: most memory of its own.
    """

    wall_s: float = 0.0
    held_s: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0


class Look:
    """Looks at one process again and again.

    A run that waits for a processor is not at fault, nor is one that is held: time counts only
    while it sleeps, as none ever has to, and while it works.
    """

    def __init__(
        self, process: psutil.Process, bounds: Bounds, used: Used, *, shared_mb: float
    ) -> None:
        """`shared_mb` is what the process has of the one that it was forked from."""
        self.used = used
        self._process = process
        self._bounds = bounds
        self._before_cpu_s = used.cpu_s
        self._cpu_s = 0.0
        self._at_s = time.monotonic()
        self._shared_mb = shared_mb

    def again(self, now_s: float) -> tuple[How, str] | None:
        """Return why the run has to end now, and how that is called.

        Raises:
            psutil.Error: the process is gone.
        """
        elapsed_s, self._at_s = now_s - self._at_s, now_s
        with self._process.oneshot():
            status = self._process.status()
            times = self._process.cpu_times()
        cpu_s = times.user + times.system
        worked_s, self._cpu_s = cpu_s - self._cpu_s, cpu_s
        if status in _STOPPED:
            self.used.held_s += elapsed_s
        elif status == psutil.STATUS_RUNNING:
            self.used.wall_s += worked_s
        else:
            self.used.wall_s += max(elapsed_s, worked_s)
        self.used.cpu_s = self._before_cpu_s + cpu_s
        return self._beyond(self._own_mb())

    def _own_mb(self) -> float:
        own_mb = max(0.0, private_mb(self._process) - self._shared_mb)
        self.used.memory_mb = max(self.used.memory_mb, own_mb)
        return own_mb

    def _beyond(self, own_mb: float) -> tuple[How, str] | None:
        used, bounds = self.used, self._bounds
        if own_mb > bounds.memory_mb * MEMORY_GRACE:
            return How.TOO_MUCH_MEMORY, f"it took {own_mb:.0f} MB of {bounds.memory_mb} MB"
        if used.cpu_s > bounds.cpu_s:
            return (
                How.TOO_MUCH_CPU,
                f"it used {used.cpu_s:.1f} s of processor time; {bounds.cpu_s:g} s are allowed",
            )
        if used.wall_s > bounds.wall_s:
            took = f"{used.wall_s:.1f} s; {bounds.wall_s:g} s are allowed"
            if used.cpu_s < BUSY_RATIO * used.wall_s:
                return How.HUNG, f"it waited for something for most of {took}"
            return How.TOO_LONG, f"it took {took}"
        if children_of(self._process.pid):
            return How.FORKED, "it began a process, which no task may"
        return None


def private_mb(process: psutil.Process) -> float:
    """Return the memory of a process, without that of files: others have the same pages.

    Raises:
        psutil.Error: the process is gone.
    """
    found = process.memory_info()
    return float(found.rss - found.shared) / _MB


def died_of(status: int) -> tuple[How, str]:
    """Say how a process ended that left no result, by its exit status."""
    number = status & 0x7F
    if number == 0:
        return How.CRASHED, f"its process ended with code {status >> 8} and left no result"
    if number == signal.SIGXCPU:
        return How.TOO_MUCH_CPU, "it used up its processor time"
    return How.CRASHED, f"its process ended: {signal.strsignal(number) or number}"
