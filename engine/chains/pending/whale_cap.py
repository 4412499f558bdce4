"""How many whales are told: some in a minute, the worthiest of those that wait first."""

import heapq
from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import Final

from engine.chains.pending.whales import Whale
from engine.domain.units import NS_PER_S

WINDOW_NS: Final = 60 * NS_PER_S
WAITING_MAX: Final = 64
TOLD_TX_MAX: Final = 1_024
"""So many transactions are remembered as told."""


class WhaleCap:
    """Lets whales through; each transaction once, whether it waits or came into a block.

    Attributes:
        left_out: how many were not told, as worthier ones were.
    """

    def __init__(self, told_max: int) -> None:
        self.left_out = 0
        self._told_max = told_max
        self._told_at: deque[int] = deque()
        self._told: dict[str, None] = {}
        self._waiting: list[tuple[tuple[Decimal, Fraction], int, int, Whale]] = []
        self._heard = 0

    def hear(self, whale: Whale, *, now_ns: int) -> None:
        """Take a whale; `take` gives it when its turn comes."""
        if whale.tx_hash in self._told:
            return
        self._told[whale.tx_hash] = None
        if len(self._told) > TOLD_TX_MAX:
            del self._told[next(iter(self._told))]
        self._heard += 1
        heapq.heappush(self._waiting, (whale.rank, now_ns, self._heard, whale))
        if len(self._waiting) > WAITING_MAX:
            heapq.heappop(self._waiting)
            self.left_out += 1

    def take(self, *, now_ns: int) -> list[Whale]:
        """Return the whales to tell now, the worthiest first."""
        while self._told_at and self._told_at[0] <= now_ns - WINDOW_NS:
            self._told_at.popleft()
        fresh = [one for one in self._waiting if one[1] > now_ns - WINDOW_NS]
        self.left_out += len(self._waiting) - len(fresh)
        fresh.sort(reverse=True)
        room = self._told_max - len(self._told_at)
        told = [one[-1] for one in fresh[:room]]
        self._told_at.extend([now_ns] * len(told))
        self._waiting = fresh[room:]
        heapq.heapify(self._waiting)
        return told
