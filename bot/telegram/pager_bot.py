"""The pager: a second bot, for when the first is stolen, refused or held up.

Telegram counts each token by itself, so a flood, a theft or a revocation of the one does not touch
the other. It takes only what protects, by a poller, an inbox and an outbox of its own.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from telegram import BotCommand
from telegram.error import InvalidToken, RetryAfter, TelegramError

from bot.access import Access
from bot.command_table import find
from bot.notice_buttons import AFTER_NEWS, Row
from bot.render.pager import (
    Trouble,
    render_main_back,
    render_pager_conflict,
    render_pager_refused,
    render_trouble,
)
from bot.render.screen import Screen
from bot.telegram.chat import Around, Chat
from bot.telegram.inbox import Inbox
from bot.telegram.intake import Intake
from bot.telegram.pager_chat import PagerChat
from bot.telegram.pager_words import MENU, narrow_arrival
from bot.telegram.poller import Poller
from bot.telegram.requests import wait_of
from bot.telegram.sender import Line
from bot.telegram.token_trust import TokenTrust
from engine.domain.errors import FatalError
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

CONFLICT_TOLD_S: Final = 600.0
RETRY_S: Final = 30.0
_NEVER: Final = -1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class MainBot:
    """What the pager knows of the main bot.

    Attributes:
        silent_s: how long it has not reached anybody who can act.
        say: says something in its chats.
    """

    is_refused: Callable[[], bool]
    is_conflicted: Callable[[], bool]
    silent_s: Callable[[], float]
    say: Callable[[Screen, Row], None]


class PagerBot:
    """What runs for the second bot."""

    def __init__(self, around: Around, main: MainBot, chats: Mapping[int, Chat]) -> None:
        settings = around.settings
        token = settings.telegram_pager_token
        assert token is not None
        bot_id = token.partition(":")[0]
        self._settings = settings
        self._main = main
        self._now_s = asyncio.get_running_loop().time
        self._answered_at_s = self._now_s()
        self._conflict_told_at_s = _NEVER
        self._is_refused = False
        self._spawn = around.spawn
        self.line = Line(
            token=token,
            base_url=settings.telegram_base_url,
            file_url=settings.telegram_file_url,
            send_s=settings.send_s,
            proxy=settings.telegram_proxy,
        )
        self._trust = TokenTrust(
            self.line.bot, refusals_max=settings.token_refusals_max, send_s=settings.send_s
        )
        self.inbox = Inbox(around.facade, f"pager-{bot_id}")  # each bot numbers its own updates
        own = replace(around, line=self.line, bot_id=bot_id, inbox=self.inbox)
        self.chats = {user_id: PagerChat(own, chat) for user_id, chat in chats.items()}
        self._poller = Poller(
            token=token,
            base_url=settings.telegram_base_url,
            proxy=settings.telegram_proxy,
            poll_s=settings.poll_s,
            send_s=settings.send_s,
            on_success=self._saw_success,
            on_conflict=self._saw_conflict,
            on_refused=self._refused,
            is_kept=self.inbox.is_kept,
        )
        self._intake = Intake(
            source=self._poller,
            inbox=self.inbox,
            access=Access(
                {user_id: chat.person.rank for user_id, chat in chats.items()}, around.clock
            ),
            desk_of=lambda user_id: self.chats[user_id].desk,
            shared=around.shared,
            clock=around.clock,
            narrow=narrow_arrival,
        )

    def taking_in(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Return what hears and tells, for ever."""
        yield self._intake.run()
        yield self._intake.take_unfinished()
        yield self._watch()
        yield self._introduce()
        for chat in self._told():
            yield chat.tell()

    def sending(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Return what carries messages out, for ever."""
        yield self.inbox.report_done()
        for chat in self._all():
            yield chat.outbox.run()

    async def close(self) -> None:
        """Close the connections."""
        await self._poller.close()
        await self.line.close()

    async def works(self) -> bool:
        """Say whether Telegram takes this token, as far as can be told now."""
        try:
            async with asyncio.timeout(2 * self._settings.send_s):
                await self.line.bot.get_me()
        except InvalidToken:
            return False
        except (TelegramError, TimeoutError):
            return not self._is_refused
        return True

    def _all(self) -> list[PagerChat]:
        return [*self.chats.values()]

    def _told(self) -> list[PagerChat]:
        return [chat for chat in self._all() if chat.main.is_told_unasked]

    async def _watch(self) -> None:
        """Tell what is the matter with the main bot, and when it is over."""
        told: Trouble | None = None
        while True:
            trouble = self._trouble()
            if trouble is not None and trouble is not told:
                screen = render_trouble(trouble, blind_s=self._main.silent_s())
                self._say(screen, is_silent=False)
            elif trouble is None and told is not None:
                self._say(render_main_back(), is_silent=True)
            told = trouble
            await asyncio.sleep(self._settings.alert_look_s)

    def _trouble(self) -> Trouble | None:
        if self._main.is_refused():
            return Trouble.REFUSED
        if self._main.is_conflicted():
            return Trouble.CONFLICT
        silent_s, blind_s = self._main.silent_s(), self._settings.blind_s
        # Where Telegram itself is away, it is so for both, and the gap is told afterwards.
        own_s = self._now_s() - self._answered_at_s
        is_alone = silent_s >= blind_s and own_s <= silent_s - blind_s / 2
        return Trouble.BLIND if is_alone else None

    def _say(self, screen: Screen, *, is_silent: bool) -> None:
        for chat in self._told():
            chat.say(screen, is_silent=is_silent)

    def _saw_success(self) -> None:
        self._answered_at_s = self._now_s()
        self._trust.accepted()
        if self._is_refused:
            self._is_refused = False
            _log.warning("Telegram takes the pager's token again")
        for chat in self._all():
            chat.outbox.poke()

    def _saw_conflict(self, text: str) -> None:
        if "webhook" in text.lower():
            self._spawn(self._remove_webhook())
        now_s = self._now_s()
        if now_s - self._conflict_told_at_s > CONFLICT_TOLD_S:
            self._conflict_told_at_s = now_s
            _log.error("another program uses the pager's token")
            self._main.say(render_pager_conflict(), AFTER_NEWS)

    async def _refused(self) -> None:
        """Go on trying: the main chat must not end for this."""
        try:
            await self._trust.refused()
        except FatalError:
            if not self._is_refused:
                self._is_refused = True
                _log.error("Telegram refuses the pager's token")
                self._main.say(render_pager_refused(), AFTER_NEWS)

    async def _remove_webhook(self) -> None:
        try:
            await self.line.bot.delete_webhook(drop_pending_updates=False)
        except TelegramError as error:
            _log.warning("the pager's webhook could not be removed: %s", redact(str(error)))

    async def _introduce(self) -> None:
        """Fill the menu, and tell the terminal the pager's name; tries until it works."""
        entries = (find(name) for name in MENU)
        menu = [BotCommand(one.name, one.short_help) for one in entries if one is not None]
        while True:
            try:
                await self.line.bot.set_my_commands(menu)
                name = (await self.line.bot.get_me()).username
            except TelegramError as error:
                _log.info("the pager is not introduced yet: %s", redact(str(error)))
                await asyncio.sleep(wait_of(error) if isinstance(error, RetryAfter) else RETRY_S)
            else:
                self._settings.tell_terminal(
                    f"The pager answers: write /start to @{name}, https://t.me/{name}"
                )
                return
