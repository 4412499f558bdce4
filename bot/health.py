"""Looks now and then whether the parts answer that a chat depends on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from engine.bus.notices import Notice, RoleAway, RoleBack
from engine.bus.request import Request
from engine.domain.errors import SyndicateError
from engine.domain.modes import Basis
from engine.facade.engine import Facade
from engine.requests.chat import GetThreads
from engine.requests.overview import GetVersion

AWAY_S: Final = 60.0
"""A part that answered is told to be away after so long; it is started again within seconds."""

AWAY_AT_START_S: Final = 360.0
"""The same of one that has not answered yet: kernels may be compiled first."""

ANSWER_S: Final = 5.0

QUESTIONS: Final[dict[str, Request[Any]]] = {
    "engine": GetVersion(),
    "ledger": GetThreads(chat=""),
}


@dataclass(slots=True)
class _Part:
    silent_since_s: float
    away_s: float = AWAY_AT_START_S
    answers: bool = False
    is_told: bool = False


@dataclass(slots=True, kw_only=True)
class HealthWatch:
    """Asks engine and ledger, and tells of one that does not answer for long.

    Attributes:
        hear: takes what is found.
        is_told_away: says whether a part is told to be away, by a former process perhaps.
        every_s: interval of the looks.
    """

    facade: Facade
    clock: Callable[[], int]
    hear: Callable[[Notice], None]
    is_told_away: Callable[[str], bool]
    every_s: float
    _parts: dict[str, _Part] = field(default_factory=dict, init=False)

    @property
    def is_well(self) -> bool:
        """Say whether all parts answered at the last look."""
        return bool(self._parts) and all(part.answers for part in self._parts.values())

    async def run(self) -> None:
        """Look for ever."""
        now_s = asyncio.get_running_loop().time()
        self._parts = {role: _Part(silent_since_s=now_s) for role in QUESTIONS}
        while True:
            await asyncio.sleep(self.every_s)
            await asyncio.gather(*(self._look(role) for role in QUESTIONS))

    async def _look(self, role: str) -> None:
        part = self._parts[role]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_S):
                await self.facade.ask(QUESTIONS[role])
        except (SyndicateError, TimeoutError) as error:
            if part.answers:
                part.silent_since_s = loop.time()
            part.answers = False
            if not part.is_told and loop.time() - part.silent_since_s >= part.away_s:
                part.is_told = True
                why = str(error) or f"no answer within {ANSWER_S:g} s"
                self.hear(RoleAway(at_ns=self.clock(), basis=Basis.SANDBOX, role=role, why=why))
            return
        away_s = loop.time() - part.silent_since_s
        if part.is_told or self.is_told_away(role):
            self.hear(
                RoleBack(
                    at_ns=self.clock(),
                    basis=Basis.SANDBOX,
                    role=role,
                    away_ms=int(away_s * 1_000),
                )
            )
        part.answers, part.is_told, part.away_s = True, False, AWAY_S
