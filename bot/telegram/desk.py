"""The desk: hands what arrived to the session, and puts the answers into the outbox."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from cachetools import FIFOCache

from bot.answer import Answer
from bot.charts import ChartDrawer, ChartError
from bot.dispatch import Invocation
from bot.permitted import with_buttons_for
from bot.render.troubles import render_not_text
from bot.session import ChatSession, Choice, Turn
from bot.telegram.arrivals import Arrival
from bot.telegram.inbox import Inbox
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority
from bot.telegram.places import Place, Spot, read_place, show_page
from bot.telegram.replies import make_messages, make_screen
from bot.telegram.taps import TapAnswers
from engine.domain.units import NS_PER_S

_log = logging.getLogger(__name__)

SCREENS_MAX: Final = 64
"""Screens on which the order of taps is kept."""

KILL_S_MAX: Final = 0.5
"""How long the next batch of updates waits for the engine's answer to a kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Has arrivals answered.

    Attributes:
        bot_id: whose updates these are; each bot numbers its own.
        narrow: leaves out of an answer what this bot does not take.
    """

    session: ChatSession
    bot_id: str
    inbox: Inbox
    outbox: Outbox
    taps: TapAnswers
    charts: ChartDrawer
    spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
    show_activity: Callable[[], object]
    narrow: Callable[[Answer], Answer] = lambda answer: answer
    _newest_tap: FIFOCache[int, int] = field(
        default_factory=lambda: FIFOCache(SCREENS_MAX), init=False
    )

    def start(self, arrival: Arrival, *, epoch: int, is_stored: bool) -> None:
        """Have one arrival answered; that it tightens counts at once."""
        sent_at_s = arrival.incoming.sent_at_s
        turn = Turn(
            asked=arrival.asked,
            by=_by(arrival),
            epoch=epoch,
            given_at_ns=None if sent_at_s is None else sent_at_s * NS_PER_S,
            is_stored=is_stored,
            ref=self._ref(arrival),
        )
        tap = arrival.incoming.tap
        if tap is not None and tap.message_id is not None:
            self._newest_tap[tap.message_id] = arrival.update_id
        self.spawn(self.session.answer(turn, partial(self._reply, [arrival])))

    async def kill(self, kills: list[Arrival], *, is_late: bool) -> None:
        """Have these kills carried out, those that say the same as one, then answer each.

        They count at once, the widest of them first: two may name different engines.
        With `is_late` they may have waited; the latch may have been cleared since they were sent.
        """
        acting = set()
        for said in sorted({_said(one) for one in kills}):
            same = [one for one in kills if _said(one) == said]
            acting.add(self._kill(same, is_late=is_late))
        # The engine may hang; the latch is set in the first step of the facade's answer.
        await asyncio.wait(acting, timeout=KILL_S_MAX)

    def _kill(self, kills: list[Arrival], *, is_late: bool) -> "asyncio.Task[None]":
        newest = kills[-1].incoming.sent_at_s  # a tap has no date: it counts as of now
        is_late = is_late and newest is not None
        turn = Turn(
            asked=kills[0].asked,
            by=_by(kills[0]),
            epoch=self.session.epoch,
            # Dates are whole seconds: the end of the second, so that in doubt the kill is newer.
            given_at_ns=(newest + 1) * NS_PER_S if newest is not None and is_late else None,
            is_late=is_late,
            ref=self._ref(kills[-1]),
        )
        return self.spawn(self.session.answer(turn, partial(self._reply, kills)))

    async def _reply(self, arrivals: list[Arrival], answer: Answer | None) -> None:
        for arrival in arrivals:
            await self._reply_to(arrival, answer)

    async def _reply_to(self, arrival: Arrival, answer: Answer | None) -> None:
        """Queue an answer; the update is done once it is delivered or given up."""
        tap = arrival.incoming.tap
        if answer is None and tap is not None:
            is_choice = isinstance(arrival.asked, Choice)
            late = "Already answered, or too late. Nothing was done."
            self.taps.answer(tap.query_id, late if is_choice else "This button no longer works.")
            self.inbox.done(arrival.update_id)
            return
        answer = answer or Answer(screen=render_not_text())
        answer = self.narrow(with_buttons_for(arrival.incoming.rank, answer))
        if tap is not None and answer.is_brief:
            self.taps.answer(tap.query_id, f"{answer.screen.mark}{answer.screen.title}")
            self.inbox.done(arrival.update_id)
            return
        if self._is_screen(arrival, answer):
            self._show(arrival, answer)
            return
        is_settling = answer.nonce is not None and answer.confirmation is None
        if tap is not None:
            self.taps.answer(tap.query_id, answer.screen.title if is_settling else None)
        for message in make_messages(
            answer,
            priority=Priority.URGENT if arrival.is_kill else Priority.ANSWER,
            photo=await self._draw(answer),
            edits=tap.message_id if tap is not None and is_settling else None,
            on_settled=lambda _: self.inbox.done(arrival.update_id),
        ):
            self.outbox.put(message)

    @staticmethod
    def _is_screen(arrival: Arrival, answer: Answer) -> bool:
        """Say whether an answer only shows something: the next screen may stand in its place."""
        is_asked = isinstance(arrival.asked, Invocation) and arrival.asked.is_screen
        return is_asked and not (answer.chart or answer.document or answer.confirmation)

    def _show(self, arrival: Arrival, answer: Answer) -> None:
        """Queue a screen, in the place of the one that it was asked for from."""
        assert isinstance(arrival.asked, Invocation)
        tap = arrival.incoming.tap
        place = None if tap is None else read_place(tap.payload)
        edits = tap.message_id if tap is not None and place is not None else None
        if tap is not None:
            self.taps.answer(tap.query_id)
        if edits is not None and self._newest_tap.get(edits) != arrival.update_id:
            self.inbox.done(arrival.update_id)  # a later tap on this screen has the last word
            return
        page = show_page(
            answer,
            place=place or Place(Spot(1, arrival.asked.line)),
            parent=arrival.asked.entry.parent,
            now_ns=self.session.dispatcher.clock(),
        )
        for message in make_screen(
            page, edits=edits, on_settled=lambda _: self.inbox.done(arrival.update_id)
        ):
            self.outbox.put(message)

    async def _draw(self, answer: Answer) -> bytes | None:
        if answer.chart is None:
            return None
        self.show_activity()
        try:
            return await self.charts.draw(answer.chart, answer.theme)
        except ChartError as error:
            _log.warning("no chart: %s", error)
            return None

    def _ref(self, arrival: Arrival) -> str:
        return f"telegram-{self.bot_id}-{arrival.update_id}"


def _said(arrival: Arrival) -> str:
    asked = arrival.asked
    return (asked.arguments.text("why") or "") if isinstance(asked, Invocation) else ""


def _by(arrival: Arrival) -> str:
    return f"telegram:{arrival.incoming.user_id}"
