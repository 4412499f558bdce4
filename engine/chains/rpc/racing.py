"""One question to several providers, one after the other, until one answers well.

The next one is asked when the one before it fails, or takes longer than it usually does; whoever is
still at it when an answer is there is not waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from engine.chains.ports import Json
from engine.chains.rpc.standing import Standing
from engine.chains.rpc.troubles import ProviderError

Answers = list[Json | ProviderError]
"""To each question of a batch its own."""

HEDGE_SHARE: Final = 0.1
"""So many second requests there may be for each first one: slowness of all is no reason to double
what they are asked."""

HEDGES_MAX: Final = 10.0


class Hedges:
    """Counts second requests and bounds them.

    Attributes:
        asked, won: how many there were, and how many of them answered first.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.won = 0
        self._left = HEDGES_MAX

    def first(self) -> None:
        """Note a first request."""
        self._left = min(HEDGES_MAX, self._left + HEDGE_SHARE)

    @property
    def is_left(self) -> bool:
        """Whether there may be a second one."""
        return self._left >= 1.0

    def second(self) -> None:
        """Note a second request."""
        self._left -= 1.0
        self.asked += 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one provider gave: an answer, or why there is none; never both."""

    standing: Standing
    answers: Answers | None
    error: ProviderError | None
    is_hedge: bool = False


Attempt = Callable[[Standing], Awaitable[Answers]]
"""Asks one provider; raises ProviderError."""


class Race:
    """One question on its way to several providers; used once.

    Args:
        standings: whom to ask, in this order.
        attempt: asks one of them.
        patience_s: how long one may take before the next is asked too, None if for ever.
        within_s: how long all may take together.
    """

    def __init__(
        self,
        standings: Iterator[Standing],
        attempt: Attempt,
        *,
        patience_s: Callable[[Standing], float | None],
        within_s: float,
        hedges: Hedges,
    ) -> None:
        self._standings = standings
        self._attempt = attempt
        self._patience_s = patience_s
        self._within_s = within_s
        self._hedges = hedges
        self._running: set[asyncio.Task[Outcome]] = set()

    async def run(self, take: Callable[[Outcome], bool], *, at_once: int = 1) -> bool:
        """Hand over outcomes as they come until one is taken; say whether one was.

        Args:
            take: takes an outcome; True ends the race.
            at_once: so many are asked from the beginning.
        """
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + self._within_s
        async with asyncio.TaskGroup() as group:
            try:
                newest = None
                for _ in range(at_once):
                    newest = self._start(group) or newest
                while self._running:
                    left_s = ends_at_s - loop.time()
                    patience_s = None if newest is None else self._patience_s(newest)
                    wait_s = left_s if patience_s is None else min(left_s, patience_s)
                    done, _ = await asyncio.wait(
                        self._running, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
                    )
                    if not done:
                        if wait_s >= left_s:
                            return False
                        newest = self._hedge(group)
                        continue
                    for task in done:
                        self._running.discard(task)
                        outcome = task.result()
                        if take(outcome):
                            self._hedges.won += outcome.is_hedge
                            return True
                        newest = self._start(group) or newest
            finally:
                for task in self._running:
                    task.cancel()
        return False

    def _hedge(self, group: asyncio.TaskGroup) -> Standing | None:
        """Ask one more beside those who are at it; None if nobody is to be waited for anew."""
        if not self._hedges.is_left:
            return None
        standing = self._start(group, is_hedge=True)
        if standing is not None:
            self._hedges.second()
        return standing

    def _start(self, group: asyncio.TaskGroup, *, is_hedge: bool = False) -> Standing | None:
        standing = next(self._standings, None)
        if standing is not None:
            self._running.add(group.create_task(self._try(standing, is_hedge=is_hedge)))
        return standing

    async def _try(self, standing: Standing, *, is_hedge: bool) -> Outcome:
        try:
            return Outcome(standing, await self._attempt(standing), None, is_hedge)
        except ProviderError as error:
            return Outcome(standing, None, error, is_hedge)
