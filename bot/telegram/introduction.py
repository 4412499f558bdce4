"""The terminal learns which bot to write to, and the chat's menu which commands there are."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from telegram import Bot, BotCommand, BotCommandScopeChat, MenuButtonCommands, User
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
    bot: Bot, people: Sequence[Person], tell_terminal: Callable[[str], None]
) -> None:
    """Tell whether Telegram answers, and by which name, and fill the menus; tries until it works.

    A menu has what its person may do.
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
    await asyncio.gather(*(_fill_menu(bot, one) for one in people if one.rank is not Rank.ADMIN))


def _menu_of(rank: Rank) -> list[BotCommand]:
    return [
        BotCommand(one.name, one.short_help)
        for one in command_table.COMMANDS
        if rank.is_at_least(RANK_OF_KIND[one.kind])
    ]


async def _fill_menu(bot: Bot, person: Person) -> None:
    """Fill one person's menu, once Telegram knows them."""
    scope = BotCommandScopeChat(person.user_id)
    while True:
        try:
            await bot.set_my_commands(_menu_of(person.rank), scope=scope)
        except TelegramError as error:
            _log.info("a menu waits: %s", redact(str(error)))
            await asyncio.sleep(
                wait_of(error) if isinstance(error, RetryAfter) else UNKNOWN_RETRY_S
            )
        else:
            return
