"""The share of processor time for what can always go on, such as playing recordings again.

What is due runs whenever there is room. What only has more to do does so within a share of a core
on average, as processor time may be a credit that is spent (small rented machines) or heat.
"""

import math
from collections.abc import Callable
from typing import Final

SAVED_S: Final = 300.0
"""What was not used for longer is forfeited: no hour of a quiet night is made up for by day."""


class Share:
    """Counts what work took against what it may.

    Args:
        cores: how many cores it may use on average; 0: none of it begins.
        steady: seconds that no set clock changes.
    """

    def __init__(self, cores: float, *, steady: Callable[[], float]) -> None:
        self._cores = cores
        self._steady = steady
        self._at_s = math.inf  # it grows from the first look on
        self._left_s = 0.0

    def take(self, cpu_s: float) -> None:
        """Note that work took so much."""
        self._grow()
        self._left_s -= cpu_s

    def is_left(self) -> bool:
        """Say whether work may begin; it may then take more than is left, and waits after it."""
        self._grow()
        return self._cores > 0 and self._left_s >= 0

    def _grow(self) -> None:
        now_s = self._steady()
        grown_s = max(now_s - self._at_s, 0.0) * self._cores
        self._at_s = now_s
        self._left_s = min(self._left_s + grown_s, SAVED_S * self._cores)
