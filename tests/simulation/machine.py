"""The machine of a run: its clocks, which a fault may set or stop, and what is on its disk."""

import os
from pathlib import Path

from engine.domain.units import NS_PER_S
from engine.operate.clock import SteadyClock
from engine.operate.kill_latch import KillLatch
from tests.simulation.virtual_time import VirtualLoop

START_NS = 1_800_000_000 * NS_PER_S
"""Later than any true time of a file, so that files are no newer than what happens in a run."""


class Machine:
    """Wall time that can be set, time asleep, and the folder that outlives a crash."""

    def __init__(self, loop: VirtualLoop, directory: Path, *, start_ns: int) -> None:
        self.directory = directory
        self.recordings = directory / "recordings"
        self._loop = loop
        self._wall_from_ns = start_ns
        self._asleep_ns = 0
        KillLatch(directory).create()
        self.latch_path = KillLatch(directory).path
        own = KillLatch(directory / "own")
        own.path.parent.mkdir()
        own.create()
        os.utime(own.path, ns=(self.wall_ns(), self.wall_ns()))
        self.own_latch_directory = own.path.parent
        self.stamp_latch()

    def make_clock(self) -> SteadyClock:
        """Make the clock of a role."""
        return SteadyClock(
            wall_ns=self.wall_ns, elapsed_ns=self.elapsed_ns, awake_ns=self._awake_ns
        )

    def wall_ns(self) -> int:
        """Return what the wall clock shows."""
        return self._wall_from_ns + self.elapsed_ns()

    def elapsed_ns(self) -> int:
        """Return the time since the start, sleep included."""
        return self._awake_ns() + self._asleep_ns

    def step(self, ns: int) -> None:
        """Set the wall clock by this much."""
        self._wall_from_ns += ns

    def sleep(self, ns: int) -> None:
        """Let time pass while nothing runs."""
        self._asleep_ns += ns

    def stamp_latch(self) -> None:
        """Give the latch file, if there is one, the wall clock's time, not that of the host."""
        if self.latch_path.exists():
            os.utime(self.latch_path, ns=(self.wall_ns(), self.wall_ns()))

    def _awake_ns(self) -> int:
        return int(self._loop.time() * NS_PER_S)
