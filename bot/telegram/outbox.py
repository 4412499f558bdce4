"""Messages on their way to one person's chat: in order, paced, retried, bounded.

Telegram's limits are per chat (one message a second, a small burst); what it allows a bot in all is
far more than the few people of an installation can be told.
What is urgent has a lane of its own: it waits for no call that hangs.
"""

import asyncio
import heapq
import itertools
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from telegram.error import (
    BadRequest,
    Forbidden,
    RetryAfter,
    TelegramError,
)

from bot.telegram.outgoing import Outgoing, Priority, Settled
from bot.telegram.pacing import Pace
from bot.telegram.requests import may_have_arrived, wait_of
from bot.telegram.sender import SendsMessages
from engine.domain.backoff import Backoff
from engine.domain.recovery import TELEGRAM
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

WAITING_MAX: Final = 500
"""Messages that may wait; beyond it the oldest answer is dropped, never a kill's or a notice."""

RESERVED_FOR_ANSWERS: Final = 2.0
"""Of a burst so much is left to what a person asked for; news and the card wait a second more."""

ANSWER_AGE_S_MAX: Final = 600.0
"""An answer that could not be delivered for this long is dropped and counted."""

BACK_OFF_S_MIN: Final = 0.2
BACK_OFF_S_MAX: Final = 30.0
UNEXPECTED_MAX: Final = 8
"""Attempts after errors that nobody foresaw."""


@dataclass(order=True, slots=True)
class _Waiting:
    priority: int
    number: int
    put_at_s: float = field(compare=False)
    message: Outgoing = field(compare=False)
    unexpected: int = field(compare=False, default=0)


class Outbox:
    """The queue and the one task that sends from it."""

    def __init__(self, sender: SendsMessages, *, pace: Pace) -> None:
        self._sender = sender
        self._pace = pace
        self._urgent: list[_Waiting] = []
        self._others: list[_Waiting] = []
        self._under_way = 0
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        self._retried = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._backoff = Backoff(
            TELEGRAM, first_s=BACK_OFF_S_MIN, longest_s=BACK_OFF_S_MAX, of="telegram"
        )
        self._closed_until_s = 0.0
        self.is_failing = False
        self.dropped_count = 0

    @property
    def waiting_count(self) -> int:
        """Return how many messages are on their way."""
        return len(self._urgent) + len(self._others) + self._under_way

    def put(self, message: Outgoing) -> None:
        """Queue a message; returns at once."""
        self._drop_overtaken(message)
        if self.waiting_count >= WAITING_MAX:
            self._drop_oldest_answer()
        now_s = asyncio.get_running_loop().time()
        lane = self._urgent if message.priority is Priority.URGENT else self._others
        heapq.heappush(lane, _Waiting(message.priority, next(self._numbers), now_s, message))
        self._idle.clear()
        self._notify()

    async def deliver(self, message: Outgoing) -> Settled:
        """Queue a message and wait until it is settled."""
        settled: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()

        def settle(how: Settled) -> None:
            if not settled.done():
                settled.set_result(how)

        message.on_settled = settle
        self.put(message)
        return await settled

    def poke(self) -> None:
        """Try again now: Telegram answers."""
        self._backoff.reset()
        self._retried.set()

    async def drain(self, *, deadline_s: float) -> None:
        """Wait until everything is sent, as far as the time allows."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("%d messages end unsent", self.waiting_count)

    async def run(self) -> None:
        """Send for ever; the poller judges a token that is refused."""
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._send_from(self._urgent))
            lanes.create_task(self._send_from(self._others))

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _send_from(self, lane: list[_Waiting]) -> None:
        while True:
            while not lane:
                if not self.waiting_count:
                    self._idle.set()
                await self._changed.wait()
            if lane is self._others and self._urgent:
                await self._changed.wait()  # the urgent one goes first
                continue
            if not await self._is_permitted(lane[0].message.priority):
                continue
            waiting = heapq.heappop(lane)
            self._under_way += 1
            self._notify()
            try:
                is_settled = await self._attempt(waiting)
            finally:
                self._under_way -= 1
            if not is_settled:
                heapq.heappush(lane, waiting)

    async def _is_permitted(self, priority: Priority) -> bool:
        """Say whether the next may go; else wait for the pace, the end of a 429, or for news."""
        wait_s = max(
            self._closed_until_s - asyncio.get_running_loop().time(), self._paced_s(priority)
        )
        if wait_s <= 0:
            return True
        changed = self._changed
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await changed.wait()
        return False

    def _paced_s(self, priority: Priority) -> float:
        """Return how long the pace has a message wait; a person who looks waits for no news."""
        if priority is Priority.URGENT:
            return 0.0
        is_asked = priority is Priority.ANSWER
        return self._pace.wait_s(reserve=0.0 if is_asked else RESERVED_FOR_ANSWERS)

    async def _attempt(self, waiting: _Waiting) -> bool:
        """Send one message; returns whether it is settled."""
        loop = asyncio.get_running_loop()
        message = waiting.message
        self._pace.take()
        try:
            await self._sender.send(message)
        except RetryAfter as error:
            self._closed_until_s = loop.time() + wait_of(error)
            return self._gave_up_card(waiting)
        except Exception as error:  # noqa: BLE001 - one bad message must not stop the others
            return await self._not_sent(waiting, error)
        self._succeeded()
        self._settle(waiting, Settled.DELIVERED)
        return True

    async def _not_sent(self, waiting: _Waiting, error: Exception) -> bool:
        """Decide what an error means; returns whether the message is settled."""
        if not isinstance(error, BadRequest) and self._gave_up_card(waiting):
            return True
        if isinstance(error, BadRequest):
            return await self._refused(waiting, error)
        if isinstance(error, Forbidden):
            # The operator blocked the bot: only the operator can change that.
            return await self._failed(waiting, error, back_off_s=BACK_OFF_S_MAX)
        if not isinstance(error, (TelegramError, TimeoutError)):
            waiting.unexpected += 1
            if waiting.unexpected >= UNEXPECTED_MAX:
                _log.error("message given up: %s", redact(repr(error)))
                self._settle(waiting, Settled.REFUSED)
                return True
        waiting.message.is_repeat |= may_have_arrived(error)
        return await self._failed(waiting, error, back_off_s=None)

    def _gave_up_card(self, waiting: _Waiting) -> bool:
        """Let go of a card, and say so: the next one is newer."""
        if waiting.message.priority is not Priority.CARD:
            return False
        self._settle(waiting, Settled.OVERTAKEN)
        return True

    def _succeeded(self) -> None:
        if self.is_failing:
            _log.warning("messages go out again")
        self.is_failing = False
        self._backoff.reset()

    async def _failed(
        self, waiting: _Waiting, error: Exception, *, back_off_s: float | None
    ) -> bool:
        """Wait before the next attempt; whether the message arrived is unknown, so it is sent anew.

        Returns True where an answer has become too old to be worth it.
        """
        loop = asyncio.get_running_loop()
        if not self.is_failing:
            self.is_failing = True
            _log.warning("a message could not be sent, trying on: %s", redact(str(error)))
        age_s = loop.time() - waiting.put_at_s
        if waiting.message.priority is Priority.ANSWER and age_s > ANSWER_AGE_S_MAX:
            self._drop(waiting)
            return True
        self._retried.clear()
        own_s = self._backoff.next_s()
        with suppress(TimeoutError):
            async with asyncio.timeout(own_s if back_off_s is None else back_off_s):
                await self._retried.wait()
        return False

    async def _refused(self, waiting: _Waiting, error: BadRequest) -> bool:
        """Send less: as new instead of as an edit, without markup, without picture and buttons."""
        message, text = waiting.message, error.message.lower()
        if message.edits is not None:
            if "not modified" in text:
                message.sent_id = message.edits
                self._settle(waiting, Settled.DELIVERED)
                return True
            message.edits = None
            return False
        if "chat not found" in text:
            # The operator has not opened the chat yet; Telegram lets no bot write first.
            return self._gave_up_card(waiting) or await self._failed(
                waiting, error, back_off_s=BACK_OFF_S_MAX
            )
        _log.warning("Telegram refused a message: %s", redact(error.message))
        if not message.is_plain:
            message.is_plain = True
            return False
        if message.buttons is not None or message.photo is not None or message.document is not None:
            message.buttons, message.photo, message.document = None, None, None
            return False
        self._settle(waiting, Settled.REFUSED)
        return True

    def _drop_overtaken(self, newer: Outgoing) -> None:
        """Leave out what a newer message makes needless: a screen in its place, and any card."""
        for waiting in [w for w in self._others if _is_needless(w.message, newer)]:
            self._others.remove(waiting)
            self._settle(waiting, Settled.OVERTAKEN)
        heapq.heapify(self._others)

    def _drop_oldest_answer(self) -> None:
        answers = [w for w in self._others if w.priority == Priority.ANSWER]
        if answers:
            oldest = min(answers)
            self._others.remove(oldest)
            heapq.heapify(self._others)
            self._drop(oldest)

    def _drop(self, waiting: _Waiting) -> None:
        self.dropped_count += 1
        self._settle(waiting, Settled.DROPPED)

    def _settle(self, waiting: _Waiting, how: Settled) -> None:
        if waiting.message.on_settled is not None:
            waiting.message.on_settled(how)


def _is_needless(message: Outgoing, newer: Outgoing) -> bool:
    """Say whether what is queued newly makes a message that waits needless."""
    if message.priority is Priority.CARD:
        return True
    is_there = message.is_screen and message.edits is not None
    return is_there and newer.is_screen and message.edits == newer.edits
