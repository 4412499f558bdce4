"""The dead-man timer: an operator who gives no sign of life for long enough has it pause.

A warning comes before, with a button that is a sign.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from engine.bus.command import Envelope
from engine.bus.notices import StillThere
from engine.decide.limit_list import SILENCE_H
from engine.domain.errors import TransientError
from engine.domain.units import NS_PER_HOUR, NS_PER_S

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers

log = logging.getLogger(__name__)

BY: Final = "the dead-man timer"
WARNED_BEFORE: Final = 10
"""The warning comes when this part of the time is left."""

LOOK_S: Final = 1.0
RETRY_S: Final = 15.0


async def watch_silence(engine: "EngineAnswers") -> None:
    """Look for ever whether the operator is silent for too long."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await look(engine)
        except TransientError as error:  # it is paused; the ledger does not have it yet
            log.warning("the pause of the dead-man timer is not stored yet: %s", error)
            await asyncio.sleep(RETRY_S)


async def look(engine: "EngineAnswers") -> None:
    """Warn or pause where it is time; what makes no plans is left alone."""
    if engine.control.is_paused or engine.latches.is_killed():
        return
    silence, now_ns = engine.silence, engine.clock()
    hours = int(engine.core.decider.limits[SILENCE_H])
    due_ns = silence.seen_ns + hours * NS_PER_HOUR
    if now_ns >= due_ns:
        why = f"pause: no sign of life from the operator for {hours} h"
        await engine.change(_envelope(engine, now_ns), why, is_paused=True)
    elif (
        now_ns >= due_ns - hours * NS_PER_HOUR // WARNED_BEFORE
        and silence.warned_of_ns != silence.seen_ns
    ):
        silence.warned_of_ns = silence.seen_ns
        engine.tell(
            StillThere(
                at_ns=now_ns,
                basis=engine.basis,
                silent_s=(now_ns - silence.seen_ns) // NS_PER_S,
                pauses_at_ns=due_ns,
            )
        )


def _envelope(engine: "EngineAnswers", at_ns: int) -> Envelope:
    return Envelope(
        id=f"{engine.core.header.run_id}-silence-{at_ns}",
        by=BY,
        at_ns=at_ns,
        expires_at_ns=None,
        target=engine.core.header.engine_id,
        digest="",
    )
