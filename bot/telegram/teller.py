"""Notices as messages: what goes on about one opportunity becomes one message that is edited.

Message ids are remembered in memory. After a restart, or where Telegram refuses an edit (the
message was deleted), the news comes as a message of its own: late news may cost a line, not be
lost.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from bot.answer import Answer
from bot.notices import Telling
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority, Settled
from bot.telegram.replies import make_messages

_log = logging.getLogger(__name__)

THREADS_MAX: Final = 256
"""Messages that may still be edited; the oldest gives way."""


@dataclass(slots=True)
class Teller:
    """Delivers tellings in order."""

    outbox: Outbox
    _sent: OrderedDict[str, int] = field(default_factory=OrderedDict, init=False)

    async def deliver(self, telling: Telling) -> None:
        """Send or edit; returns once all is settled."""
        messages = make_messages(
            Answer(screen=telling.screen, buttons=telling.buttons),
            priority=Priority.URGENT if telling.is_urgent else Priority.NOTICE,
            edits=None if telling.thread is None else self._sent.get(telling.thread),
        )
        for message in messages:
            message.is_silent = telling.is_silent
            if await self.outbox.deliver(message) is not Settled.DELIVERED:
                _log.error("a notice was not delivered: Telegram refused even its plain text")
        sent_id = messages[0].sent_id
        if telling.thread is not None and sent_id is not None:
            self._sent[telling.thread] = sent_id
            self._sent.move_to_end(telling.thread)
            if len(self._sent) > THREADS_MAX:
                self._sent.popitem(last=False)
