"""What is done while the operator can be neither heard nor told: it pauses, and tells of it later.

A chat that cannot be reached is no reason to stop at once; one that stays so is. Killing by file,
by shell and by HTTP works meanwhile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

_log = logging.getLogger(__name__)

LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Gap:
    """How long nobody was reached, and whether that paused the engine."""

    lasted_s: float
    is_paused: bool


@dataclass(slots=True, kw_only=True)
class Blindness:
    """Looks how long the operator was not reached.

    Attributes:
        blind_s: a shorter silence is no gap.
        pause_s: after this it pauses.
        silent_s: says how long the operator could not be heard, or told anything.
        pause: pauses the engine; says whether it did.
        tell: tells a gap once it is over.
    """

    blind_s: float
    pause_s: float
    silent_s: Callable[[], float]
    pause: Callable[[float], Awaitable[bool]]
    tell: Callable[[Gap], None]
    _longest_s: float = field(default=0.0, init=False)
    _is_paused: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Pause where it is time; tell a gap that is over."""
        silent_s = self.silent_s()
        if silent_s < self._longest_s:
            if self._longest_s >= self.blind_s:
                self.tell(Gap(self._longest_s, self._is_paused))
            self._longest_s, self._is_paused = 0.0, False
            return
        self._longest_s = silent_s
        if silent_s >= self.pause_s and not self._is_paused:
            self._is_paused = await self.pause(silent_s)
            if self._is_paused:
                _log.warning("paused: nobody could be reached for %.0f s", silent_s)
