"""The Telegram front-end: joins poller, inbox, session, desk, outbox and notices."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from telegram.error import TelegramError

from bot.access import Access
from bot.alert_desk import make_alert_desk, ping
from bot.answer import Answer, Theme
from bot.charts import ChartDrawer
from bot.chat_state import ChatState
from bot.dispatch import Dispatcher
from bot.news import News
from bot.notice_buttons import AFTER_CONFLICT, AFTER_GAP, AFTER_NEWS, Row
from bot.notices import NoticeFeed
from bot.render.screen import Screen
from bot.render.troubles import (
    render_answers_dropped,
    render_conflict,
    render_gap,
    render_webhook_trouble,
)
from bot.session import ChatSession
from bot.signs import give_signs
from bot.telegram.arrivals import Arrival, read_arrival
from bot.telegram.blindness import Blindness
from bot.telegram.card import LiveCard
from bot.telegram.desk import Desk
from bot.telegram.inbox import SOURCE, Inbox
from bot.telegram.introduction import introduce
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority
from bot.telegram.pacing import Pace
from bot.telegram.replies import make_messages
from bot.telegram.requests import opt_in_to_durations
from bot.telegram.sender import Sender
from bot.telegram.source import make_source
from bot.telegram.taps import TapAnswers
from bot.telegram.teller import Teller
from bot.telegram.token_trust import TokenTrust
from bot.threads import Threads
from engine.bus.command import seal
from engine.bus.reports import Acknowledged
from engine.domain.errors import FatalError, SyndicateError
from engine.domain.redaction import redact
from engine.domain.units import NS_PER_S
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.requests.safety import Pause

_log = logging.getLogger(__name__)

CONFLICT_TOLD_S: Final = 600.0
"""A conflict that lasts is told again after this time."""

UNHEARD_S: Final = 15.0
"""Beside three long polls, the longest silence of Telegram that is no trouble."""

DESK_S: Final = 1.5
OUTBOX_S: Final = 2.0
FLUSH_S: Final = 1.0
"""Time for each step of closing: commands under way, messages on their way, inbox. With the closing
of the connections they add up to less than the supervisor gives this role, so that a Telegram that
is away does not cost what the inbox has to tell the ledger."""

HELD_MAX: Final = 2_000
"""Arrivals that wait while more are fetched; beyond, they are begun with before all is."""

_NEVER: Final = -1e9


async def run_telegram(
    facade: Facade,
    settings: FrontEndSettings,
    *,
    stop: asyncio.Event,
    clock: Callable[[], int],
    news: News,
) -> None:
    """Serve the operator's chat until `stop` is set.

    Raises:
        FatalError: Telegram refuses the token for good.
    """
    opt_in_to_durations()
    failure: FatalError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            await FrontEnd(facade, settings, clock=clock, group=group).serve(stop, news=news)
    except* FatalError as fatal:
        failure = _first(fatal)
    if failure is not None:
        raise failure


class FrontEnd:
    """What runs while the chat is served."""

    def __init__(
        self,
        facade: Facade,
        settings: FrontEndSettings,
        *,
        clock: Callable[[], int],
        group: asyncio.TaskGroup,
    ) -> None:
        assert settings.telegram_token is not None
        assert settings.telegram_operator_id is not None
        bot_id = settings.telegram_token.partition(":")[0]
        self._facade = facade
        self._settings = settings
        self._clock = clock
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()
        self._now_s = asyncio.get_running_loop().time
        self._conflict_at_s = _NEVER
        self._conflict_told_at_s = _NEVER
        self._dropped_told_count = 0
        self._answered_at_s: float | None = None
        self._opened_at_s = self._told_at_s = self._now_s()
        self._ahead_s: int | None = None
        self._is_unfinished_taken = False
        self._held: list[Callable[[], None]] = []
        self._wanted_by_take: set[int] = set()
        self.access = Access(settings.telegram_operator_id, clock)
        self.sender = Sender(
            token=settings.telegram_token,
            chat_id=settings.telegram_operator_id,
            base_url=settings.telegram_base_url,
            file_url=settings.telegram_file_url,
            send_s=settings.send_s,
            proxy=settings.telegram_proxy,
        )
        self.token_trust = TokenTrust(
            self.sender.bot, refusals_max=settings.token_refusals_max, send_s=settings.send_s
        )
        self.outbox = Outbox(
            self.sender,
            pace=Pace(
                per_s=settings.chat_sends_per_s,
                burst=settings.chat_send_burst,
                now_s=self._now_s,
            ),
        )
        self.inbox = Inbox(facade)
        self.poller = make_source(
            settings,
            bot=self.sender.bot,
            is_kept=self.inbox.is_kept,
            spawn=self._spawn,
            on_success=self._saw_success,
            on_conflict=self._saw_conflict,
            on_refused=self.token_trust.refused,
            on_trouble=lambda why: self._say(render_webhook_trouble(why), AFTER_NEWS),
        )
        own_by = f"telegram:{settings.telegram_operator_id}"
        chat = f"telegram-{bot_id}-{settings.telegram_operator_id}"
        deliver = Teller(self.outbox).deliver
        self.alerts = make_alert_desk(
            facade,
            settings,
            source=SOURCE,
            chat=chat,
            own_by=own_by,
            deliver=deliver,
            clock=clock,
        )
        self.notices = NoticeFeed(
            facade=facade,
            reader=SOURCE,
            opportunity_usd_min=settings.opportunity_notice_usd_min,
            deliver=deliver,
            threads=Threads(chat),
            alerts=self.alerts,
        )
        self.session = ChatSession(
            Dispatcher(
                facade=facade,
                settings=settings,
                clock=clock,
                read_chat=self._read_chat,
                alerts=self.alerts,
            ),
            self._is_conflicted,
        )
        self.desk = Desk(
            session=self.session,
            bot_id=bot_id,
            inbox=self.inbox,
            outbox=self.outbox,
            taps=TapAnswers(self.sender.bot, self._spawn, settings.send_s),
            charts=ChartDrawer(settings.chart_cache_directory, Theme(settings.chart_theme)),
            spawn=self._spawn,
            show_activity=lambda: self._spawn(self._show_activity()),
        )

    async def serve(self, stop: asyncio.Event, *, news: News) -> None:
        """Open, wait for `stop`, close in order."""
        taking_in = [
            self._spawn(self._poll()),
            self._spawn(self._take_unfinished()),
            self._spawn(self.notices.run()),
            self._spawn(self.alerts.run()),
            self._spawn(self.alerts.hear_news(news)),
            self._spawn(ping(self.alerts, self._settings, is_chat_well=self._is_chat_well)),
            self._spawn(self._blindness().run()),
            self._spawn(give_signs(self._facade, self._silent_s, every_s=self._settings.sign_s)),
            self._spawn(introduce(self.sender.bot, self._settings.tell_terminal)),
        ]
        if self._settings.card_s is not None:
            self._spawn(self._card(self._settings.card_s).run())
        self._spawn(self.outbox.run())
        self._spawn(self.inbox.report_done())
        try:
            await stop.wait()
            await _cancel(taking_in)
            await self.session.drain(deadline_s=DESK_S)
            await self.outbox.drain(deadline_s=OUTBOX_S)
            await self.inbox.flush(deadline_s=FLUSH_S)
        finally:
            await _cancel(list(self._tasks))
            await self.poller.close()
            await self.sender.close()

    def _card(self, every_s: float) -> LiveCard:
        assert self._settings.telegram_operator_id is not None
        return LiveCard(
            dispatcher=self.session.dispatcher,
            outbox=self.outbox,
            bot=self.sender.bot,
            chat_id=self._settings.telegram_operator_id,
            threads=self.notices.threads,
            every_s=every_s,
        )

    def _blindness(self) -> Blindness:
        return Blindness(
            blind_s=self._settings.blind_s,
            pause_s=self._settings.blind_pause_s,
            silent_s=self._silent_s,
            pause=self._pause_blindly,
            tell=lambda gap: self._say(
                render_gap(gap.lasted_s, is_paused=gap.is_paused), AFTER_GAP
            ),
        )

    def _silent_s(self) -> float:
        """Say how long the operator could not be heard, or told anything."""
        now_s = self._now_s()
        if not self.outbox.is_failing:
            self._told_at_s = now_s
        heard_at_s = self._opened_at_s if self._answered_at_s is None else self._answered_at_s
        return now_s - min(heard_at_s, self._told_at_s)

    async def _pause_blindly(self, silent_s: float) -> bool:
        pause = seal(
            Pause(),
            by=f"the chat, blind for {silent_s:.0f} s",
            at_ns=self._clock(),
            target=self._settings.engine_id,
        )
        try:
            report = await self.session.dispatcher.ask(pause)
        except SyndicateError as error:
            _log.warning("blind, and the engine did not take a pause: %s", error)
            return False
        return isinstance(report, Acknowledged)

    async def _poll(self) -> None:
        while True:
            updates = await self.poller.fetch()
            await self._accept(updates)
            if updates:
                self.poller.confirm(updates[-1]["update_id"])
            if not self.poller.has_more or len(self._held) >= HELD_MAX:
                for start in self._held:
                    start()
                self._held.clear()

    async def _accept(self, updates: list[dict[str, Any]]) -> None:
        """Take a batch in: kills at once, then the ledger, then the desk."""
        fresh = [update for update in updates if self.inbox.is_new(update["update_id"])]
        arrivals = [a for update in fresh if (a := read_arrival(update, self.access)) is not None]
        if not arrivals:
            return
        epochs = _epochs(arrivals, base=self.session.epoch)
        sent_at_s = arrivals[-1].incoming.sent_at_s
        if sent_at_s is not None and not self.poller.has_waited:
            self._ahead_s = self._clock() // NS_PER_S - sent_at_s
        await self._kill(arrivals, is_late=self.poller.has_waited)
        stored = await self.inbox.store(arrival.raw for arrival in arrivals)
        for arrival, epoch in zip(arrivals, epochs, strict=True):
            if stored is None or arrival.update_id in stored:
                self._start(arrival, epoch=epoch, is_stored=stored is not None)
            elif not self._is_unfinished_taken:
                # A former process stored it; whether it was finished is for `_take_unfinished`.
                self.inbox.forget(arrival.update_id)
            elif arrival.update_id in self._wanted_by_take:
                self._start(arrival, epoch=epoch, is_stored=True)

    async def _take_unfinished(self) -> None:
        """Carry out what a former process accepted and did not finish; kills first."""
        arrivals: list[Arrival] = []
        for update in await self.inbox.take():
            update_id = update["update_id"]
            if not self.inbox.is_new(update_id):
                self._wanted_by_take.add(update_id)
                continue
            arrival = read_arrival(update, self.access)
            if arrival is None:
                self.inbox.done(update_id)
            else:
                arrivals.append(arrival)
        self._is_unfinished_taken = True
        # All of these are older than whatever this process fetched: a kill since voids them.
        epochs = _epochs(arrivals, base=0)
        await self._kill(arrivals, is_late=True)
        for arrival, epoch in zip(arrivals, epochs, strict=True):
            self._start(arrival, epoch=epoch, is_stored=True)

    async def _kill(self, arrivals: list[Arrival], *, is_late: bool) -> None:
        kills = [arrival for arrival in arrivals if arrival.is_kill]
        if kills:
            await self.desk.kill(kills, is_late=is_late)

    def _start(self, arrival: Arrival, *, epoch: int, is_stored: bool) -> None:
        """Have an arrival answered, but not before a kill that may be in the next batch.

        What only protects waits for nothing.
        """
        if arrival.is_kill:
            return
        start = partial(self.desk.start, arrival, epoch=epoch, is_stored=is_stored)
        if self.poller.has_more and not arrival.is_protective:
            self._held.append(start)
        else:
            start()

    def _read_chat(self) -> ChatState:
        """Say how the way to the operator is."""
        at_s = self._answered_at_s
        return ChatState(
            waiting=self.outbox.waiting_count,
            answered_s=None if at_s is None else self._now_s() - at_s,
            ahead_s=self._ahead_s,
        )

    def _is_chat_well(self) -> bool:
        """Say whether the operator would be reached now."""
        answered_s = self._read_chat().answered_s
        is_heard = answered_s is not None and answered_s < 3 * self._settings.poll_s + UNHEARD_S
        return is_heard and not self.outbox.is_failing

    def _is_conflicted(self) -> bool:
        """Say whether somebody else used the token a short while ago."""
        return self._now_s() - self._conflict_at_s < self._settings.conflict_s

    def _saw_conflict(self, text: str) -> None:
        now_s = self._now_s()
        self._conflict_at_s = now_s
        if "webhook" in text.lower():
            self._spawn(self._remove_webhook())
        if now_s - self._conflict_told_at_s > CONFLICT_TOLD_S:
            self._conflict_told_at_s = now_s
            _log.error("another program uses this bot's token; only protective commands are taken")
            self._say(render_conflict(), AFTER_CONFLICT)

    def _saw_success(self) -> None:
        self._answered_at_s = self._now_s()
        self.token_trust.accepted()
        self.outbox.poke()
        dropped = self.outbox.dropped_count - self._dropped_told_count
        if dropped:
            self._dropped_told_count = self.outbox.dropped_count
            self._say(render_answers_dropped(dropped), AFTER_NEWS)

    def _say(self, screen: Screen, row: Row) -> None:
        answer = Answer(screen=screen, buttons=(row,))
        for message in make_messages(answer, priority=Priority.URGENT):
            self.outbox.put(message)

    async def _remove_webhook(self) -> None:
        try:
            await self.sender.bot.delete_webhook(drop_pending_updates=False)
        except TelegramError as error:
            _log.warning("the webhook could not be removed: %s", redact(str(error)))

    async def _show_activity(self) -> None:
        try:
            await self.sender.show_activity()
        except TelegramError as error:
            _log.info("no activity shown: %s", redact(str(error)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _epochs(arrivals: list[Arrival], *, base: int) -> list[int]:
    """Return the epoch of each arrival: what follows the last kill belongs to the next one."""
    kills = [index for index, arrival in enumerate(arrivals) if arrival.is_kill]
    if not kills:
        return [base] * len(arrivals)
    return [base + (index > kills[-1]) for index in range(len(arrivals))]


async def _cancel(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _first(group: BaseExceptionGroup[FatalError]) -> FatalError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, FatalError)
    return error
