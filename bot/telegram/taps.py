"""Answers to taps: they only stop the button's spinner, so they are sent at best effort."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from telegram import Bot
from telegram.error import TelegramError

from bot.render.clean import clean
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

UNDER_WAY_MAX: Final = 50
"""Answers under way at once; more are left out."""

TEXT_LIMIT: Final = 180


@dataclass(slots=True)
class TapAnswers:
    """Sends each tap one answer."""

    bot: Bot = field(repr=False)
    spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
    send_s: float
    _under_way: int = field(default=0, init=False)

    def answer(self, query_id: str, text: str | None = None) -> None:
        """Answer a tap, with a line shown over the chat where there is one."""
        if self._under_way < UNDER_WAY_MAX:
            self._under_way += 1
            self.spawn(
                self._answer(query_id, None if text is None else clean(text, limit=TEXT_LIMIT))
            )

    async def _answer(self, query_id: str, text: str | None) -> None:
        try:
            async with asyncio.timeout(2 * self.send_s):
                await self.bot.answer_callback_query(query_id, text=text)
        except (TelegramError, TimeoutError) as error:
            # Too old, or Telegram is away: what the tap asked for was done all the same.
            _log.info("a tap was not answered: %s", redact(str(error)))
        finally:
            self._under_way -= 1
