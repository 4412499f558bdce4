"""A host whose clocks move only when told, for a clock of a role to be made of."""

from engine.operate.clock import SteadyClock
from tests.reference.world import START_NS


class Host:
    """Wall time, time that passed, and the same without sleep."""

    def __init__(self, wall_ns: int = START_NS) -> None:
        self.wall_ns = wall_ns
        self.elapsed_ns = 5_000_000_000
        self.awake_ns = 4_000_000_000
        self.held_up_ns = 0

    def make_clock(self) -> SteadyClock:
        """Make a clock of a role of this host."""
        return SteadyClock(
            wall_ns=self._read_wall, elapsed_ns=lambda: self.elapsed_ns, awake_ns=self._read_awake
        )

    def run(self, ns: int) -> None:
        """Let time pass."""
        self.sleep(ns)
        self.awake_ns += ns

    def sleep(self, ns: int) -> None:
        """Let time pass in which the machine sleeps."""
        self.wall_ns += ns
        self.elapsed_ns += ns

    def step(self, ns: int) -> None:
        """Set the wall clock by this much."""
        self.wall_ns += ns

    def _read_wall(self) -> int:
        wall_ns = self.wall_ns
        self.run(self.held_up_ns)
        return wall_ns

    def _read_awake(self) -> int:
        return self.awake_ns
