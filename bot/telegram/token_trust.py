"""Whether Telegram still takes the bot token.

A single 401 or 404 may come from a fault at Telegram or from something that stands before it. The
token is given up only after several refusals in a row which `getMe` confirms.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.telegram.requests import refused_token
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

NEW_REFUSALS_MAX: Final = 3


@dataclass(slots=True)
class TokenTrust:
    """Counts refusals in a row.

    Attributes:
        refusals_max: so many in a row are checked with `getMe`; `NEW_REFUSALS_MAX` of a token that
            this process has not seen accepted, for it is probably mistyped.
    """

    bot: Bot = field(repr=False)
    refusals_max: int
    send_s: float
    _refusals: int = field(default=0, init=False)
    _is_new: bool = field(default=True, init=False)

    def accepted(self) -> None:
        """Note that the token was taken."""
        if self._refusals:
            _log.warning("Telegram takes the bot token again")
        self._refusals = 0
        self._is_new = False

    async def refused(self) -> None:
        """Note that the token was refused.

        Raises:
            FatalError: it was refused too often, and `getMe` confirms it.
        """
        self._refusals += 1
        if self._refusals == 1:
            _log.warning("Telegram refuses the bot token; trying on before giving it up")
        if self._refusals < (NEW_REFUSALS_MAX if self._is_new else self.refusals_max):
            return
        try:
            async with asyncio.timeout(2 * self.send_s):
                await self.bot.get_me()
        except InvalidToken:
            raise refused_token() from None
        except (TelegramError, TimeoutError) as error:
            _log.info("getMe confirms nothing: %s", redact(str(error)))
        else:
            _log.warning("getMe takes the bot token that getUpdates refuses; trying on")
            self._refusals = 0
