"""The terminal learns which bot to write to, and the chat's menu which commands there are."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    MenuButtonCommands,
    MenuButtonDefault,
    MenuButtonWebApp,
    User,
    WebAppInfo,
)
from telegram.error import InvalidToken, RetryAfter, TelegramError

from bot import command_table
from bot.ranks import RANK_OF_KIND
from bot.telegram.requests import wait_of
from engine.domain.people import Person, Rank
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

RETRY_S: Final = 5.0


UNKNOWN_RETRY_S: Final = 60.0
"""Telegram knows nobody who has not written to the bot yet."""


async def introduce(
    bot: Bot,
    people: Sequence[Person],
    tell_terminal: Callable[[str], None],
    *,
    page_url: str | None = None,
) -> None:
    """Tell whether Telegram answers, and by which name, and fill the menus; tries until it works.

    A menu has what its person may do; with a page, the button beside it opens that one.
    """
    me: User | None = None
    is_silence_told = False
    while True:
        try:
            if me is None:
                me = await bot.get_me()
                name = me.username
                tell_terminal(f"Telegram answers: write /start to @{name}, https://t.me/{name}")
            await bot.set_my_commands(_menu_of(Rank.ADMIN))
            await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
        except TelegramError as error:
            why = redact(str(error))
            _log.info("not introduced yet: %s", why)
            if me is None and not is_silence_told:
                is_silence_told = True
                tell_terminal(
                    "Telegram refuses the bot token so far; trying on"
                    if isinstance(error, InvalidToken)
                    else f"Telegram does not answer yet ({why}); trying on"
                )
            await asyncio.sleep(wait_of(error) if isinstance(error, RetryAfter) else RETRY_S)
        else:
            _log.info("serving as @%s", me.username)
            break
    await asyncio.gather(*(_fill_menu(bot, one, page_url) for one in people))


def _menu_of(rank: Rank) -> list[BotCommand]:
    return [
        BotCommand(one.name, one.short_help)
        for one in command_table.COMMANDS
        if rank.is_at_least(RANK_OF_KIND[one.kind])
    ]


async def _fill_menu(bot: Bot, person: Person, page_url: str | None) -> None:
    """Fill one person's menu and set their button, once Telegram knows them.

    Strangers are shown no page: the button is set by chat.
    """
    scope = BotCommandScopeChat(person.user_id)
    button = (
        MenuButtonDefault()
        if page_url is None
        else MenuButtonWebApp(text="Syndicate", web_app=WebAppInfo(url=page_url))
    )
    while True:
        try:
            if person.rank is not Rank.ADMIN:
                await bot.set_my_commands(_menu_of(person.rank), scope=scope)
            await bot.set_chat_menu_button(chat_id=person.user_id, menu_button=button)
        except TelegramError as error:
            _log.info("a menu waits: %s", redact(str(error)))
            await asyncio.sleep(
                wait_of(error) if isinstance(error, RetryAfter) else UNKNOWN_RETRY_S
            )
        else:
            return
