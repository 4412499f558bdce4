"""The machine as background work sees it; obeys `runs.Machine`."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from engine.background.pressure import Pressure, Room, read_idle_s, read_memory, room_for

SMOOTH_S: Final = 10.0
"""Processor time left is the mean over about this long."""

LOOK_S: Final = 0.5
"""The system is read no more often than this."""


class Hold(Protocol):
    """Whether background work is pushed aside for what is more urgent."""

    def is_held_now(self) -> bool:
        """Say whether it is."""
        ...

    @property
    def held_ns(self) -> int:
        """For how long it was, in all."""
        ...


class NeverHeld:
    """Where nothing is more urgent."""

    held_ns: Final = 0

    def is_held_now(self) -> bool:
        """See `Hold`."""
        return False


class WorkMachine:
    """Reads pressure, idle time and holds.

    Args:
        at_once: most runs, whatever is left.
        cpu_s: processor time of background work so far.
    """

    def __init__(
        self,
        *,
        at_once: int,
        cpu_s: Callable[[], float],
        hold: Hold,
        root: Path = Path("/"),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._cpu_s = cpu_s
        self._hold = hold
        self._root = root
        self._steady = steady
        self._cores = frozenset(os.sched_getaffinity(0))
        self._ticks_per_s = float(os.sysconf("SC_CLK_TCK"))
        self._last = (steady(), self.idle_s(), cpu_s())
        self._cores_left = float(len(self._cores))
        self._pressure = self._read()

    @property
    def cores(self) -> int:
        """How many cores background work may use."""
        return len(self._cores)

    @property
    def pressure(self) -> Pressure:
        """What the machine had left at the last look."""
        return self._pressure

    def room(self) -> Room:
        """See `Machine.room`."""
        now_s = self._steady()
        before_s, idle_before_s, cpu_before_s = self._last
        if (lasted_s := now_s - before_s) >= LOOK_S:
            idle_s, cpu_s = self.idle_s(), self._cpu_s()
            used_s = max(idle_s - idle_before_s, 0.0) + max(cpu_s - cpu_before_s, 0.0)
            left = min(used_s / lasted_s, float(len(self._cores)))
            self._cores_left += (left - self._cores_left) * min(lasted_s / SMOOTH_S, 1.0)
            self._last = (now_s, idle_s, cpu_s)
            self._pressure = self._read()
        return room_for(self._pressure, at_once=self._at_once)

    def idle_s(self) -> float:
        """See `Machine.idle_s`."""
        return read_idle_s(self._root, cores=self._cores, ticks_per_s=self._ticks_per_s)

    def held_s(self) -> float:
        """See `Machine.held_s`."""
        return self._hold.held_ns / 1e9

    def is_held(self) -> bool:
        """See `Machine.is_held`."""
        return self._hold.is_held_now()

    def _read(self) -> Pressure:
        free_mb, stalled = read_memory(self._root)
        return Pressure(free_mb, stalled, self._cores_left)
