"""The desk: decides whether an arrival may still be carried out, and carries it out in its lane.

Reads run side by side; what changes the engine runs one after another, in the order in which it
was sent; kills do not come here at all.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.answer import Answer
from bot.charts import ChartDrawer, ChartError
from bot.command import Kind
from bot.confirmations import Confirmations
from bot.dispatch import Dispatcher, Invocation, Refused
from bot.render.troubles import (
    render_busy,
    render_conflict_refusal,
    render_ledger_away,
    render_left,
    render_not_text,
    render_stale,
    render_voided,
)
from bot.telegram.arrivals import Arrival
from bot.telegram.inbox import Inbox
from bot.telegram.keyboards import ConfirmTap, make_second_step
from bot.telegram.kill_lane import KillLane
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority
from bot.telegram.replies import make_messages
from bot.telegram.taps import TapAnswers
from engine.domain.units import NS_PER_S

_log = logging.getLogger(__name__)

RUNNING_MAX: Final = 64
"""Reads that run at once; each ends within the facade's time limit."""

WAITING_MAX: Final = 500
"""Arrivals under way in all; later ones are refused with a word, protective ones at double."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An arrival that was admitted.

    Attributes:
        epoch: number of kills when it was admitted.
        is_stored: it is durably in the inbox.
    """

    arrival: Arrival
    epoch: int
    is_stored: bool


@dataclass(slots=True, kw_only=True)
class Desk:
    """Carries out what was accepted."""

    dispatcher: Dispatcher
    confirmations: Confirmations
    inbox: Inbox
    outbox: Outbox
    kill_lane: KillLane
    taps: TapAnswers
    charts: ChartDrawer
    clock: Callable[[], int]
    age_s_max: int
    show_activity: Callable[[], object]
    is_conflicted: Callable[[], bool]
    refused_busy_count: int = field(default=0, init=False)
    _under_way: int = field(default=0, init=False)
    _is_idle: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _reading: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(RUNNING_MAX), init=False
    )
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        self._is_idle.set()

    async def carry_out(self, accepted: Accepted) -> None:
        """Answer one arrival; whatever happens, it ends with an answer."""
        is_protective = accepted.arrival.kind is Kind.PROTECTIVE
        if self._under_way >= WAITING_MAX * (2 if is_protective else 1):
            self.refused_busy_count += 1
            self.reply(accepted.arrival, Answer(screen=render_busy(accepted.arrival.shown)))
            return
        self._under_way += 1
        self._is_idle.clear()
        try:
            lane = self._reading if accepted.arrival.kind is Kind.READ else self._changing
            async with lane:
                await self._carry_out(accepted)
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._is_idle.set()

    async def drain(self, *, deadline_s: float) -> None:
        """Wait until all is carried out, as far as the time allows."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._is_idle.wait()
        except TimeoutError:
            _log.warning("%d commands end unfinished; they run again at start", self._under_way)

    def reply(self, arrival: Arrival, answer: Answer) -> None:
        """Queue an answer; the update is done once it is delivered or given up."""
        if arrival.incoming.tap is not None:
            self.taps.answer(arrival.incoming.tap.query_id)
        self._put(arrival, answer)

    async def _carry_out(self, accepted: Accepted) -> None:
        arrival = accepted.arrival
        refusal = self._refusal(accepted)
        if refusal is not None:
            self.reply(arrival, refusal)
        elif isinstance(arrival.asked, ConfirmTap):
            await self._confirm(accepted, arrival.asked)
        elif isinstance(arrival.asked, Invocation):
            await self._invoke(accepted, arrival.asked)
        elif isinstance(arrival.asked, Refused):
            self.reply(arrival, arrival.asked.answer)
        elif arrival.incoming.tap is not None:
            self.taps.answer(arrival.incoming.tap.query_id, "This button no longer works.")
            self.inbox.done(arrival.update_id)
        else:
            self.reply(arrival, Answer(screen=render_not_text()))

    def _refusal(self, accepted: Accepted) -> Answer | None:
        """Return why an arrival may not be carried out, or None where it may."""
        arrival = accepted.arrival
        if arrival.kind is not Kind.PROTECTIVE and self.is_conflicted():
            return Answer(screen=render_conflict_refusal(arrival.shown))
        if arrival.kind is not Kind.CHANGE:
            return None
        sent_at_s = arrival.incoming.sent_at_s
        if sent_at_s is not None:
            age_s = self.clock() // NS_PER_S - sent_at_s
            if abs(age_s) > self.age_s_max:
                screen = render_stale(line=arrival.shown, age_s=age_s, age_s_max=self.age_s_max)
                return Answer(screen=screen)
        if not accepted.is_stored:
            return Answer(screen=render_ledger_away())
        if accepted.epoch != self.kill_lane.epoch:
            return Answer(screen=render_voided(arrival.shown))
        return None

    async def _invoke(self, accepted: Accepted, invocation: Invocation) -> None:
        arrival = accepted.arrival
        by = by_of(arrival)
        sent_at_s = arrival.incoming.sent_at_s
        answer = await self.dispatcher.carry_out(
            invocation,
            by=by,
            given_at_ns=None if sent_at_s is None else sent_at_s * NS_PER_S,
            ref=self.kill_lane.ref_of(arrival),
        )
        if invocation.kind is Kind.CHANGE:
            await self.kill_lane.assert_again(by=by, epoch=accepted.epoch)
        if answer.confirmation is not None:
            nonce = self.confirmations.offer(
                answer.confirmation,
                user_id=arrival.incoming.user_id,
                chat_id=arrival.incoming.chat_id,
                now_ns=self.clock(),
            )
            if arrival.incoming.tap is not None:
                self.taps.answer(arrival.incoming.tap.query_id)
            buttons = make_second_step(action=answer.confirmation.action, nonce=nonce)
            for message in make_messages(
                answer,
                priority=Priority.ANSWER,
                buttons=buttons,
                on_settled=lambda _: self.inbox.done(arrival.update_id),
            ):
                self.outbox.put(message)
            return
        await self._reply_with_picture(arrival, answer)

    async def _confirm(self, accepted: Accepted, tapped: ConfirmTap) -> None:
        arrival = accepted.arrival
        tap = arrival.incoming.tap
        assert tap is not None
        confirmation = self.confirmations.take(
            tapped.nonce,
            user_id=arrival.incoming.user_id,
            chat_id=arrival.incoming.chat_id,
            now_ns=self.clock(),
        )
        if confirmation is None:
            self.taps.answer(tap.query_id, "Already answered, or too late. Nothing was done.")
            self.inbox.done(arrival.update_id)
            return
        if not tapped.is_yes:
            self.taps.answer(tap.query_id, "Left as it is.")
            self._put(
                arrival, Answer(screen=render_left(confirmation.action)), edits=tap.message_id
            )
            return
        answer = await self.dispatcher.confirm(confirmation)
        await self.kill_lane.assert_again(by=by_of(arrival), epoch=accepted.epoch)
        self.taps.answer(tap.query_id, answer.screen.title)
        self._put(arrival, answer, edits=tap.message_id)

    async def _reply_with_picture(self, arrival: Arrival, answer: Answer) -> None:
        if arrival.incoming.tap is not None:
            self.taps.answer(arrival.incoming.tap.query_id)
        photo = None
        if answer.chart is not None:
            self.show_activity()
            try:
                photo = await self.charts.draw(answer.chart)
            except ChartError as error:
                _log.warning("no chart: %s", error)
        self._put(arrival, answer, photo=photo)

    def _put(
        self,
        arrival: Arrival,
        answer: Answer,
        *,
        photo: bytes | None = None,
        edits: int | None = None,
    ) -> None:
        for message in make_messages(
            answer,
            priority=Priority.URGENT if arrival.is_kill else Priority.ANSWER,
            photo=photo,
            edits=edits,
            on_settled=lambda _: self.inbox.done(arrival.update_id),
        ):
            self.outbox.put(message)


def by_of(arrival: Arrival) -> str:
    """Return who asks, as the records will show it."""
    return f"telegram:{arrival.incoming.user_id}"
