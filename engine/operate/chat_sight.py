"""Whether any chat reaches the operator, by the signs that chats give; none is no sign.

A chat says with each sign how long it could not hear or tell the operator. When that is too long,
or no chat's process gives signs any more, the core is told so by an input.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.core.inputs.chat_seen import ChatSeen

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers

log = logging.getLogger(__name__)

LOOK_S: Final = 0.5


class ChatSight:
    """When a chat last reached the operator, by a clock that nobody sets.

    The start counts as a sign: a chat has so much time to open.
    """

    def __init__(self, blind_s: float, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._blind_s = blind_s
        self._now_s = now_s
        self._seen_s = now_s()

    def sign(self, silent_s: float) -> None:
        """Take a chat's sign; of several chats the one that sees best counts."""
        self._seen_s = max(self._seen_s, self._now_s() - max(silent_s, 0.0))

    @property
    def is_blind(self) -> bool:
        """Whether no chat has reached the operator for too long."""
        return self._now_s() - self._seen_s >= self._blind_s


async def watch_sight(engine: "EngineAnswers") -> None:
    """Look for ever."""
    while True:
        await asyncio.sleep(LOOK_S)
        look(engine)


def look(engine: "EngineAnswers") -> None:
    """Tell the core what has changed."""
    is_blind = engine.sight.is_blind
    if is_blind is engine.control.is_blind:
        return
    log.warning("no chat reaches the operator" if is_blind else "a chat reaches the operator again")
    engine.core.hot_path.command(ChatSeen(is_blind=is_blind), engine.clock())
