"""The Telegram front-end: joins poller, inbox, session, desk, outbox and notices."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from telegram.error import TelegramError

from bot.access import Access
from bot.alert_desk import hear_news, ping
from bot.answer import Theme
from bot.charts import ChartDrawer
from bot.news import News
from bot.notice_buttons import AFTER_CONFLICT, AFTER_GAP, AFTER_NEWS, Row
from bot.render.screen import Screen
from bot.render.troubles import (
    render_answers_dropped,
    render_conflict,
    render_gap,
    render_webhook_trouble,
)
from bot.session import Shared
from bot.signs import give_signs
from bot.telegram.blindness import Blindness
from bot.telegram.chat import Around, Chat
from bot.telegram.inbox import Inbox
from bot.telegram.intake import Intake
from bot.telegram.introduction import introduce
from bot.telegram.pager_bot import MainBot, PagerBot
from bot.telegram.pager_chat import PagerChat
from bot.telegram.requests import opt_in_to_durations
from bot.telegram.sender import Line
from bot.telegram.source import make_source
from bot.telegram.token_trust import TokenTrust
from engine.bus.command import seal
from engine.bus.reports import Acknowledged
from engine.domain.errors import FatalError, SyndicateError
from engine.domain.redaction import redact
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

_NEVER: Final = -1e9


async def run_telegram(
    facade: Facade,
    settings: FrontEndSettings,
    *,
    stop: asyncio.Event,
    clock: Callable[[], int],
    news: News,
) -> None:
    """Serve the chats until `stop` is set.

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
        self._facade = facade
        self._settings = settings
        self._clock = clock
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()
        self._now_s = asyncio.get_running_loop().time
        self._conflict_at_s = _NEVER
        self._conflict_told_at_s = _NEVER
        self._answered_at_s: float | None = None
        self._is_refused = False
        self._opened_at_s = self._told_at_s = self._now_s()
        people = settings.telegram_people
        self.line = Line(
            token=settings.telegram_token,
            base_url=settings.telegram_base_url,
            file_url=settings.telegram_file_url,
            send_s=settings.send_s,
            proxy=settings.telegram_proxy,
        )
        self.token_trust = TokenTrust(
            self.line.bot, refusals_max=settings.token_refusals_max, send_s=settings.send_s
        )
        self.inbox = Inbox(facade)
        self.poller = make_source(
            settings,
            bot=self.line.bot,
            is_kept=self.inbox.is_kept,
            spawn=self._spawn,
            on_success=self._saw_success,
            on_conflict=self._saw_conflict,
            on_refused=self._refused,
            on_trouble=lambda why: self._say(render_webhook_trouble(why), AFTER_NEWS),
        )
        self.shared = Shared(settings.confirm_s)
        around = Around(
            facade=facade,
            settings=settings,
            clock=clock,
            line=self.line,
            bot_id=settings.telegram_token.partition(":")[0],
            inbox=self.inbox,
            shared=self.shared,
            charts=ChartDrawer(settings.chart_cache_directory, Theme(settings.chart_theme)),
            is_conflicted=self._is_conflicted,
            reached=self._reached,
            spawn=self._spawn,
        )
        self.owners = Chat(around, people[0])
        others = [Chat(around, person, owners=self.owners) for person in people[1:]]
        self.chats = {chat.person.user_id: chat for chat in (self.owners, *others)}
        self.pager = self._make_pager(around)
        self.intake = Intake(
            source=self.poller,
            inbox=self.inbox,
            access=Access({person.user_id: person.rank for person in people}, clock),
            desk_of=lambda user_id: self.chats[user_id].desk,
            shared=self.shared,
            clock=clock,
        )

    async def serve(self, stop: asyncio.Event, *, news: News) -> None:
        """Open, wait for `stop`, close in order."""
        chats, alerts = self.chats.values(), self.owners.alerts
        pagers = [] if self.pager is None else [self.pager]
        places: list[Chat | PagerChat] = [*chats]
        places += [chat for pager in pagers for chat in pager.chats.values()]
        taking_in = [
            self._spawn(self.intake.run()),
            self._spawn(self.intake.take_unfinished()),
            *(self._spawn(work) for chat in chats for work in chat.telling()),
            *(self._spawn(work) for pager in pagers for work in pager.taking_in()),
            self._spawn(hear_news(news, [chat.alerts for chat in self._told()])),
            self._spawn(ping(alerts, self._settings, is_chat_well=self._is_chat_well)),
            self._spawn(self._blindness().run()),
            self._spawn(give_signs(self._facade, self._silent_s, every_s=self._settings.sign_s)),
            self._spawn(
                introduce(
                    self.line.bot,
                    self._settings.telegram_people,
                    self._settings.tell_terminal,
                    page_url=self._settings.page_url,
                )
            ),
        ]
        sending: list[Chat | PagerBot] = [*chats, *pagers]
        for work in (work for one in sending for work in one.sending()):
            self._spawn(work)
        self._spawn(self.inbox.report_done())
        try:
            await stop.wait()
            await _cancel(taking_in)
            await self._of_all(one.session.drain(deadline_s=DESK_S) for one in places)
            await self._of_all(one.outbox.drain(deadline_s=OUTBOX_S) for one in places)
            inboxes = [self.inbox, *(pager.inbox for pager in pagers)]
            await self._of_all(inbox.flush(deadline_s=FLUSH_S) for inbox in inboxes)
        finally:
            await _cancel(list(self._tasks))
            await self._of_all([self._close_lines(), *(pager.close() for pager in pagers)])

    async def _close_lines(self) -> None:
        await self.poller.close()
        await self.line.close()

    def _make_pager(self, around: Around) -> PagerBot | None:
        if self._settings.telegram_pager_token is None:
            return None
        main = MainBot(
            is_refused=lambda: self._is_refused,
            is_conflicted=self._is_conflicted,
            silent_s=self._silent_s,
            say=self._say,
        )
        return PagerBot(around, main, self.chats)

    async def _refused(self) -> None:
        """Give the token up, and the chat with it, unless the pager is there for it."""
        try:
            await self.token_trust.refused()
        except FatalError as error:
            if self.pager is None or not await self.pager.works():
                raise
            if not self._is_refused:
                self._is_refused = True
                self._settings.tell_terminal(f"{error}; the pager goes on")

    @staticmethod
    async def _of_all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
        await asyncio.gather(*works)

    def _told(self) -> list[Chat]:
        """Return the chats of those who are told unasked."""
        return [chat for chat in self.chats.values() if chat.is_told_unasked]

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
        """Say how long nobody who can act could be heard, or told anything."""
        now_s = self._now_s()
        if not all(chat.outbox.is_failing for chat in self._told()):
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
            report = await self.owners.session.dispatcher.ask(pause)
        except SyndicateError as error:
            _log.warning("blind, and the engine did not take a pause: %s", error)
            return False
        return isinstance(report, Acknowledged)

    def _reached(self) -> tuple[float | None, int | None]:
        """Say how long ago Telegram answered, and how far this machine's clock is ahead of it."""
        at_s = self._answered_at_s
        return None if at_s is None else self._now_s() - at_s, self.intake.ahead_s

    def _is_chat_well(self) -> bool:
        """Say whether the owner would be reached now."""
        answered_s, _ = self._reached()
        is_heard = answered_s is not None and answered_s < 3 * self._settings.poll_s + UNHEARD_S
        return is_heard and not self.owners.outbox.is_failing

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
        self._is_refused = False
        for chat in self.chats.values():
            chat.outbox.poke()
            if dropped := chat.take_dropped():
                chat.say(render_answers_dropped(dropped), AFTER_NEWS)

    def _say(self, screen: Screen, row: Row) -> None:
        for chat in self._told():
            chat.say(screen, row)

    async def _remove_webhook(self) -> None:
        try:
            await self.line.bot.delete_webhook(drop_pending_updates=False)
        except TelegramError as error:
            _log.warning("the webhook could not be removed: %s", redact(str(error)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


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
