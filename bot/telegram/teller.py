"""Notices as messages.

Where Telegram refuses an edit (the message was deleted), the news comes as a message of its own:
late news may cost a line, not be lost.
"""

import logging
from dataclasses import dataclass

from bot.answer import Answer
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority, Settled
from bot.telegram.replies import make_messages
from bot.telling import Telling

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Teller:
    """Delivers tellings in order."""

    outbox: Outbox

    async def deliver(self, telling: Telling) -> int | None:
        """Send or edit; returns the id of the message once all is settled."""
        messages = make_messages(
            Answer(screen=telling.screen, buttons=telling.buttons),
            priority=Priority.URGENT if telling.is_urgent else Priority.NOTICE,
            edits=telling.edits,
        )
        is_shown = True
        for message in messages:
            message.is_silent = telling.is_silent
            if await self.outbox.deliver(message) is not Settled.DELIVERED:
                _log.error("a notice was not delivered: Telegram refused even its plain text")
                is_shown = False
        if is_shown and telling.on_shown is not None:
            telling.on_shown()
        return messages[0].sent_id
