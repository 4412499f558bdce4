"""Orders that leave together: once each of them is signed, or none at all.

A leg that is refused when the other is under way leaves a position that has to be traded back.
"""

import asyncio
from collections.abc import Iterable

from engine.domain.instruments import VenueId


class Departure:
    """Orders of one plan, at a venue each; whoever is ready says so and waits for the others.

    While it waits it has the line to its venue. So lines are taken in one order by all: two plans
    that wait for each other's would both come to nothing.
    """

    def __init__(self, venues: Iterable[VenueId]) -> None:
        self._order = sorted(venues)
        self._has_line = {venue: asyncio.Event() for venue in self._order}
        self._left = len(self._order)
        self._why = ""
        self._is_decided = asyncio.Event()

    async def may_take_line(self, venue: VenueId) -> None:
        """Wait until those before have their lines, or need none any more."""
        at = self._order.index(venue)
        if at:
            await self._has_line[self._order[at - 1]].wait()

    def has_line(self, venue: VenueId) -> None:
        """Say that the line was had, or is not needed any more."""
        self._has_line[venue].set()

    def fail(self, why: str) -> None:
        """Let none leave; nothing changes once they have left."""
        if not self._is_decided.is_set():
            self._why = why
            self._is_decided.set()

    async def ready(self) -> str:
        """Wait until all are ready; return why none leaves, empty if they leave."""
        self._left -= 1
        if self._left == 0:
            self._is_decided.set()
            # In one turn with those that waited: the next may be a slice of a core later.
            await asyncio.sleep(0)
        await self._is_decided.wait()
        return self._why
