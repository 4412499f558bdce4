"""The terminal learns which bot to write to, and the chat's menu which commands there are."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from telegram import Bot, BotCommand, MenuButtonCommands, User
from telegram.error import InvalidToken, RetryAfter, TelegramError

from bot import command_table
from bot.telegram.requests import wait_of
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

RETRY_S: Final = 5.0


async def introduce(bot: Bot, tell_terminal: Callable[[str], None]) -> None:
    """Tell whether Telegram answers, and by which name, and fill the menu; tries until it works."""
    me: User | None = None
    is_silence_told = False
    while True:
        try:
            if me is None:
                me = await bot.get_me()
                name = me.username
                tell_terminal(f"Telegram answers: write /start to @{name}, https://t.me/{name}")
            await bot.set_my_commands(
                [BotCommand(one.name, one.short_help) for one in command_table.COMMANDS]
            )
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
            return
