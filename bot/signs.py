"""Signs to the engine that this chat is there, and how long it has not reached the operator."""

import asyncio
import logging
from collections.abc import Callable

from engine.domain.errors import SyndicateError
from engine.domain.recovery import TALLY
from engine.facade.engine import Facade
from engine.requests.presence import ChatSees

_log = logging.getLogger(__name__)


async def give_signs(facade: Facade, silent_s: Callable[[], float], *, every_s: float) -> None:
    """Give signs for ever; an engine that is away hears the next one."""
    while True:
        try:
            await facade.ask(ChatSees(silent_s=silent_s(), tallied=tuple(TALLY.all())))
        except SyndicateError as error:
            _log.info("the engine heard no sign of the chat: %s", error)
        await asyncio.sleep(every_s)
