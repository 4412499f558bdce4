"""Threads: what goes on about one thing is one message of a chat, which later news edits.

The ledger keeps the ids of the messages with the notices that they told: a chat that starts again
goes on editing.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from cachetools import FIFOCache

from engine.bus.reports import Thread
from engine.domain.errors import SyndicateError
from engine.facade.engine import Facade
from engine.requests.chat import GetThreads

_log = logging.getLogger(__name__)

THREADS_MAX: Final = 256
"""Messages that may still be edited; the oldest gives way."""

LOAD_S_MAX: Final = 10.0
RETRY_S: Final = 0.5


@dataclass(slots=True)
class Threads:
    """The threads of one chat.

    Attributes:
        chat: names it to the ledger; empty if nothing in it can be edited.
    """

    chat: str
    _messages: FIFOCache[str, int | None] = field(
        default_factory=lambda: FIFOCache(THREADS_MAX), init=False
    )
    loaded: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set once what a former process told is taken up."""

    _unsaved: dict[str, int] = field(default_factory=dict, init=False)

    def __contains__(self, name: str) -> bool:
        """Say whether something was told."""
        return name in self._messages

    def message_of(self, name: str | None) -> int | None:
        """Return the message in which something was told, None if it cannot be edited."""
        return None if name is None else self._messages.get(name)

    def keep(self, name: str, message_id: int | None) -> None:
        """Remember that something was told, and in which message."""
        self._messages[name] = message_id
        if message_id is not None:
            self._unsaved[name] = message_id

    def take_unsaved(self) -> tuple[Thread, ...]:
        """Return what the ledger does not know yet."""
        taken = tuple(Thread(name=name, message_id=one) for name, one in self._unsaved.items())
        self._unsaved.clear()
        return taken

    async def load(self, facade: Facade) -> None:
        """Take up what a former process told; waits for the ledger."""
        while self.chat:
            try:
                async with asyncio.timeout(LOAD_S_MAX):
                    report = await facade.ask(GetThreads(chat=self.chat))
            except (SyndicateError, TimeoutError) as error:
                _log.info("threads wait for the ledger: %s", error)
            else:
                self._messages.update((one.name, one.message_id) for one in report.threads)
                self.loaded.set()
                return
            await asyncio.sleep(RETRY_S)
