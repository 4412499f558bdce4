"""The kill lane: nothing is awaited between a kill's arrival and the latch.

Also remembers when a kill came, so that nothing which the operator sent before it can loosen the
engine after it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from bot.answer import Answer
from bot.confirmations import Confirmations
from bot.dispatch import Dispatcher, Invocation
from bot.telegram.arrivals import Arrival
from engine.bus.command import seal
from engine.domain.errors import SyndicateError
from engine.domain.units import NS_PER_S
from engine.requests.safety import Kill

_log = logging.getLogger(__name__)

ANSWER_S_MAX: Final = 0.5
"""How long the next batch of updates waits for the engine's answer to a kill."""


@dataclass(slots=True)
class KillLane:
    """Carries out kills ahead of everything.

    Attributes:
        bot_id: whose updates these are; each bot numbers its own.
        epoch: number of kills so far; a command of an earlier epoch may not loosen anything.
    """

    dispatcher: Dispatcher
    confirmations: Confirmations
    spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
    reply: Callable[[Arrival, Answer], None]
    bot_id: str
    epoch: int = field(default=0, init=False)

    async def act(self, kills: list[Arrival], *, by: str, is_late: bool) -> None:
        """Carry these kills out, then answer each.

        With `is_late` they may have waited; the latch may have been cleared since they were sent.
        """
        self.epoch += 1
        self.confirmations.void_all()
        acting = self.spawn(self._kill(kills, by=by, is_late=is_late))
        # The engine may hang; the latch is set in the first step of the facade's answer.
        await asyncio.wait({acting}, timeout=ANSWER_S_MAX)

    async def assert_again(self, *, by: str, epoch: int) -> None:
        """Kill once more where a kill came while a loosening command was under way."""
        if epoch == self.epoch:
            return
        why = "a kill came while a command was under way"
        try:
            await self.dispatcher.ask(seal(Kill(why=why), by=by, at_ns=self.dispatcher.clock()))
        except SyndicateError as error:
            _log.warning("the repeated kill was not confirmed: %s", error)

    def ref_of(self, arrival: Arrival) -> str:
        """Return what an arrival is called in envelopes, however often it is told."""
        return f"telegram-{self.bot_id}-{arrival.update_id}"

    async def _kill(self, kills: list[Arrival], *, by: str, is_late: bool) -> None:
        asked = kills[0].asked
        assert isinstance(asked, Invocation)
        newest = kills[-1].incoming.sent_at_s  # a tap has no date: it counts as of now
        is_late = is_late and newest is not None
        answer = await self.dispatcher.carry_out(
            asked,
            by=by,
            # Dates are whole seconds: the end of the second, so that in doubt the kill is newer.
            given_at_ns=(newest + 1) * NS_PER_S if newest is not None and is_late else None,
            is_late=is_late,
            ref=self.ref_of(kills[-1]),
        )
        for arrival in kills:
            self.reply(arrival, answer)
