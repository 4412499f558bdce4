"""How each engine of an installation is reached."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.bus.reports import Declined
from engine.bus.request import Caller
from engine.operate.kill_latch import KillLatch

LOOK_S: Final = 0.5

SignalEngine = Callable[[bool], int | None]
"""Signals the process that it is killed, with all engines or by its name; returns its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineDoor:
    """One engine.

    Attributes:
        latch: its own.
        signal: what reaches its process when nothing else does, None where it is in this one.
    """

    caller: Caller
    latch: KillLatch
    signal: SignalEngine | None = None


class Doors:
    """The engine of a front-end, and those beside it.

    Args:
        engine_id: of the own one.
        own: how it is reached.
        read_ids: finds out which engines there are: a kill of the own one does not wait for it.
        open_door: makes the way to another one.
    """

    def __init__(
        self,
        engine_id: str,
        own: EngineDoor,
        *,
        read_ids: Callable[[], Awaitable[Sequence[str]]] | None = None,
        open_door: Callable[[str], EngineDoor] | None = None,
    ) -> None:
        self.engine_id = engine_id
        self.own = own
        self._read_ids = read_ids
        self._open_door = open_door
        self._opened: dict[str, EngineDoor] = {}

    async def others(self) -> Mapping[str, EngineDoor]:
        """Return the engines beside the own one, as far as is known in time."""
        if self._open_door is None or self._read_ids is None:
            return {}
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(LOOK_S):
                for engine_id in await self._read_ids():
                    if engine_id != self.engine_id and engine_id not in self._opened:
                        self._opened[engine_id] = self._open_door(engine_id)
        return self._opened

    async def named(self, name: str) -> EngineDoor | Declined:
        """Return an engine by its name, or which names there are."""
        if name == self.engine_id:
            return self.own
        others = await self.others()
        if name in others:
            return others[name]
        known = ", ".join(sorted({self.engine_id, *others}))
        return Declined(why=f"no engine is named {name!r}; known: {known}. Nothing was done")
