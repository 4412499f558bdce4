"""Tells the core by an input when no chat reaches the operator, and when one does again."""

import asyncio
import logging
from typing import Final

from engine.core.inputs.chat_seen import ChatSeen
from engine.operate.engine_answers import EngineAnswers

log = logging.getLogger(__name__)

LOOK_S: Final = 0.5


async def watch_sight(engine: EngineAnswers) -> None:
    """Look for ever."""
    while True:
        await asyncio.sleep(LOOK_S)
        look(engine)


def look(engine: EngineAnswers) -> None:
    """Tell the core what has changed."""
    is_blind = engine.sight.is_blind
    if is_blind is engine.control.is_blind:
        return
    log.warning("no chat reaches the operator" if is_blind else "a chat reaches the operator again")
    engine.core.hot_path.command(ChatSeen(is_blind=is_blind), engine.clock())
