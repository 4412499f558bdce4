"""Telemetry yields second: what is only looked at is looked at less often on a short machine.

Background work yields first: it gets no processor that anybody else wants, and is stopped at the
memory below which this begins (`background.pressure`). What decides and trades never yields.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.background.pressure import FREE_MB_LEAST, STALLED_MOST, read_memory
from engine.domain.recovery import RARER_LOOKS, Recovery
from engine.domain.units import NS_PER_S

LOOK_S: Final = 10.0
"""The system is read no more often than this: it takes a tenth of a millisecond."""

TIMES: Final = (1, 2, 4, 8)
"""By each step telemetry waits so many times as long."""

FREE_MB: Final = (FREE_MB_LEAST / 4, FREE_MB_LEAST / 2, FREE_MB_LEAST)
"""With less memory left, the last step, the second, the first."""

STALLED: Final = (STALLED_MOST, 1.5 * STALLED_MOST, 2 * STALLED_MOST)
"""With more percent of time in which processes wait for memory, the first step, and so on."""

WAITED: Final = (0.1, 0.2, 0.4)
"""The same of the share of time in which this process could run and was given no processor."""


class Ease:
    """How much longer this process's telemetry waits; one for each process.

    Attributes:
        times: so many times as long.
        why: what the machine is short of; empty if of nothing.
    """

    def __init__(
        self, *, root: Path = Path("/"), steady: Callable[[], float] = time.monotonic
    ) -> None:
        self.times = TIMES[0]
        self.why = ""
        self._short = Recovery(RARER_LOOKS)
        self._root = root
        self._steady = steady
        self._last = (steady(), self._waited_s())

    def eased(self, every_s: float) -> float:
        """Return how long to wait where it would be so long with nothing short."""
        now_s, (last_s, waited_s) = self._steady(), self._last
        if now_s - last_s >= LOOK_S:
            self._last = (now_s, self._waited_s())
            self._judge((self._last[1] - waited_s) / (now_s - last_s))
        return every_s * self.times

    def _judge(self, waited: float) -> None:
        free_mb, stalled = read_memory(self._root)
        steps = {
            f"{free_mb:.0f} MB of memory left": len(FREE_MB) - bisect_right(FREE_MB, free_mb),
            f"{stalled:.0f} % waiting for memory": bisect_left(STALLED, stalled),
            f"{waited:.0%} waiting for a processor": bisect_left(WAITED, waited),
        }
        worst = max(steps, key=lambda said: steps[said])
        self.times = TIMES[steps[worst]]
        self.why = worst if steps[worst] else ""
        if self.why and not self._short.is_failing:
            self._short.failed()
        elif not self.why:
            self._short.works()

    def _waited_s(self) -> float:
        """Return how long this process's main thread has waited for a processor so far."""
        try:
            return int((self._root / "proc/self/schedstat").read_text().split()[1]) / NS_PER_S
        except (OSError, ValueError, IndexError):
            return 0.0
