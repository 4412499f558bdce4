"""The pinned card of a chat: kept up to date in place, made anew where it was deleted.

It comes after all that a person waits for: its message has the lowest priority, gives way to
whatever is queued after it, and is not tried again; the next one is newer anyway.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from telegram import Bot
from telegram.error import TelegramError

from bot.answer import Answer
from bot.dispatch import Dispatcher
from bot.render import words
from bot.render.card import CardFacts, card_buttons, render_card
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Outgoing, Priority, Settled
from bot.telegram.replies import make_messages
from bot.threads import Threads
from engine.domain.errors import SyndicateError
from engine.domain.modes import Mode
from engine.domain.redaction import redact
from engine.domain.units import NS_PER_S
from engine.requests.approvals import GetApprovals, GetMandates
from engine.requests.chat import PinThread
from engine.requests.life import GetExposure
from engine.requests.overview import GetLimits, GetStatus

_log = logging.getLogger(__name__)

THREAD: Final = "card"
"""Its name among the threads; what news is about is named otherwise."""

FORCED_AFTER: Final = 6
"""Looks after which it is written anew though nothing changed."""

VALID_FOR: Final = 18
"""Looks for which it counts: two that are not delivered do not make it void."""


@dataclass(slots=True, kw_only=True)
class LiveCard:
    """Keeps one card.

    Attributes:
        every_s: time between two looks, and least time between two edits.
        eased: returns how long that is while the machine is short.
    """

    dispatcher: Dispatcher
    outbox: Outbox
    bot: Bot = field(repr=False)
    chat_id: int
    threads: Threads
    every_s: float
    eased: Callable[[float], float] = lambda every_s: every_s
    _message_id: int | None = field(default=None, init=False)
    _shown: tuple[object, ...] = field(default=(), init=False)
    _looks: int = field(default=0, init=False)
    _unpinned: set[int] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Keep the card for ever."""
        await self.threads.loaded.wait()
        self._message_id = self.threads.message_of(THREAD)
        while True:
            facts = await self._look()
            content = (render_card(facts), card_buttons(facts))
            self._looks += 1
            if content != self._shown or self._looks >= FORCED_AFTER:
                await self._write(Answer(screen=content[0], buttons=content[1]), content)
            await asyncio.sleep(self.eased(self.every_s))

    async def _look(self) -> CardFacts:
        ask = self.dispatcher.ask
        try:
            status, limits = await ask(GetStatus()), await ask(GetLimits())
            exposure = await ask(GetExposure())
            asks = status.mode is Mode.APPROVE
            approvals = await ask(GetApprovals()) if asks else None
            mandates = await ask(GetMandates()) if asks else None
        except SyndicateError as error:
            return CardFacts(trouble=redact(str(error)))
        return CardFacts(
            status=status,
            limits=limits,
            exposure=exposure,
            approvals=approvals,
            mandates=mandates,
        )

    async def _write(self, answer: Answer, content: tuple[object, ...]) -> None:
        if self.outbox.waiting_count:
            return  # a person waits for something
        message_id = self._message_id
        until_ns = self.dispatcher.clock() + int(VALID_FOR * self.eased(self.every_s) * NS_PER_S)
        screen = answer.screen
        note = f"valid until {words.clock(until_ns)}, {screen.note}".rstrip(", ")
        (message,) = make_messages(
            replace(answer, screen=replace(screen, note=note)),
            priority=Priority.CARD,
            edits=message_id,
        )
        message.is_silent = True
        message.is_screen = message_id is not None
        if await self.outbox.deliver(message) is Settled.DELIVERED:
            self._shown, self._looks = content, 0
            await self._keep(message, message_id)

    async def _keep(self, message: Outgoing, before: int | None) -> None:
        """Pin a card that is new, remember it, and let go of the one before."""
        if message.sent_id is None:
            return
        if message.sent_id != before:
            self._message_id = message.sent_id
            self._unpinned.add(message.sent_id)
            if before is not None:
                await self._try(self.bot.unpin_chat_message(self.chat_id, message_id=before))
        if message.sent_id in self._unpinned and await self._pin(message.sent_id):
            self._unpinned.clear()

    async def _pin(self, message_id: int) -> bool:
        """Remember and pin; says whether both were done."""
        pin = PinThread(chat=self.threads.chat, name=THREAD, message_id=message_id)
        try:
            await self.dispatcher.ask(pin)
        except SyndicateError as error:
            _log.info("the card is not remembered yet: %s", error)
            return False
        return await self._try(
            self.bot.pin_chat_message(self.chat_id, message_id, disable_notification=True)
        )

    async def _try(self, call: Awaitable[Any]) -> bool:
        try:
            await call
        except (TelegramError, TimeoutError) as error:
            _log.info("the card is not pinned yet: %s", redact(str(error)))
            return False
        return True
