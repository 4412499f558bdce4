"""Start the engine anew, in order, when that takes more of the market in.

The arrays of a run are as large as its instruments and its recording begins with them, so a venue
that had no list at the start, a pair listed since and changed rules need a new run. What is traded
now goes on until no plan is under way; the supervisor starts the engine again and tells why.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId

RUN_S_MIN: Final = 300.0
"""Least length of a run: a list that comes and goes must not keep the engine away from the rest."""

PLANS_S_MAX: Final = 30.0
"""Longest wait for a moment without a plan under way."""

LOOK_S: Final = 0.05


class Anew:
    """What a new run would take in, by venue.

    Args:
        is_idle: says whether no plan is under way.
    """

    def __init__(self, is_idle: Callable[[], bool]) -> None:
        self.why: dict[VenueId, str] = {}
        self._is_idle = is_idle

    def want(self, venue: VenueId, why: str) -> None:
        """Note why a venue wants a new run; empty if it wants none, or no longer."""
        if why:
            self.why[venue] = why
        else:
            self.why.pop(venue, None)

    async def run(self) -> None:
        """Wait until a new run is wanted and it is time for one.

        Raises:
            TransientError: the engine is to start anew; says why.
        """
        now_s = asyncio.get_running_loop().time
        started_s = wanted_s = now_s()
        while True:
            await asyncio.sleep(LOOK_S)
            if not self.why or now_s() - started_s < RUN_S_MIN:
                wanted_s = now_s()
            elif self._is_idle() or now_s() - wanted_s > PLANS_S_MAX:
                said = "; ".join(f"{venue}: {why}" for venue, why in self.why.items())
                raise TransientError(f"{said}; the engine starts anew to take that in")
