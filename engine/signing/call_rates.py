"""How fast may be signed: a bucket that fills by itself; whoever asks faster is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.domain.units import NS_PER_S


@dataclass(slots=True, kw_only=True)
class Bucket:
    """So many at once, and so many a second.

    Attributes:
        clock_ns: one that is never set back.
    """

    per_s: float
    burst: float
    clock_ns: Callable[[], int]
    _left: float = field(init=False)
    _at_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._at_ns = self.burst, self.clock_ns()

    def takes(self, count: float = 1.0) -> bool:
        """Take so many, if there are as many; else nothing."""
        now_ns = self.clock_ns()
        filled = self._left + (now_ns - self._at_ns) / NS_PER_S * self.per_s
        self._left, self._at_ns = min(filled, self.burst), now_ns
        if self._left < count:
            return False
        self._left -= count
        return True
