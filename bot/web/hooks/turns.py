"""Bodies that come together are read a few at a time, so that what follows of the first goes on.

A loop runs all that is ready before it looks further. Of a hundred bodies that came at once the
first one's events would wait until the last one is read, and then be handed over all together.
"""

import asyncio
from collections import deque
from typing import Final

AT_ONCE: Final = 8
"""Some two milliseconds."""


class Turns:
    """Lets so many on in each turn of the loop, in the order in which they came."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once: Final = at_once
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Return in a turn of the loop in which there is room."""
        loop = asyncio.get_running_loop()
        if self._taken >= self._at_once or self._waiting:
            self._waiting.append(loop.create_future())
            await self._waiting[-1]
            return
        if not self._taken:
            loop.call_soon(self._next)
        self._taken += 1

    def _next(self) -> None:
        self._taken = 0
        while self._waiting and self._taken < self._at_once:
            one = self._waiting.popleft()
            if not one.done():
                one.set_result(None)
                self._taken += 1
        if self._taken:
            asyncio.get_running_loop().call_soon(self._next)
