"""Who speaks to a venue next: what places an order before what cancels, looks up or reads.

Where a call that overtakes another shuts it out there is one turn at a time.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum


class Urgency(IntEnum):
    """What goes first."""

    PLACE = 0
    CANCEL = 1
    LOOK_UP = 2
    READ = 3


class Turns:
    """So many at once; of those that wait the most urgent is next, and the oldest of these."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._count = 0
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, urgency: Urgency) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the block ends."""
        await self._take(urgency)
        try:
            yield
        finally:
            self.give()

    def take_at_once(self) -> bool:
        """Take a turn if one is free, without waiting; whoever has it gives it back."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def _take(self, urgency: Urgency) -> None:
        if self.take_at_once():
            return
        self._count += 1
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, self._count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()  # it was given in the same moment
            raise

    def give(self) -> None:
        """Give a turn back."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
