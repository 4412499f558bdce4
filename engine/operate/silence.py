"""The dead-man timer: an operator who gives no sign of life for long enough has it pause.

Whatever the operator says in a chat is a sign. When the last one came is kept in a file, so that a
restart is none; a warning comes before, with a button that is one.
"""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.bus.command import Envelope
from engine.bus.notices import StillThere
from engine.decide.limit_list import SILENCE_H
from engine.domain.errors import TransientError
from engine.domain.units import NS_PER_HOUR, NS_PER_S
from engine.operate.clock import Clock

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers

log = logging.getLogger(__name__)

FILE_NAME: Final = "sign-of-life"
BY: Final = "the dead-man timer"
WARNED_BEFORE: Final = 10
"""The warning comes when this part of the time is left."""

LOOK_S: Final = 1.0
RETRY_S: Final = 15.0
KEPT_EVERY_NS: Final = 60 * NS_PER_S


class Silence:
    """When the last sign of life came; kept to the minute."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._path = directory / FILE_NAME
        self._clock = clock
        now_ns = clock()
        kept_ns = self._load()
        self.seen_ns = now_ns if kept_ns is None else min(kept_ns, now_ns)
        self.warned_of_ns = 0
        self._kept_ns = 0
        if kept_ns is None:
            self._keep()  # the first start: from here on it counts, over restarts too

    def sign(self) -> None:
        """Note a sign of life."""
        self.seen_ns = self._clock()
        if not 0 <= self.seen_ns - self._kept_ns < KEPT_EVERY_NS:
            self._keep()

    def step_clock(self, step_ns: int) -> None:
        """Keep the silence as long as it is when the clock is set."""
        self.seen_ns += step_ns
        self._keep()

    def _load(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int(self._path.read_text(encoding="ascii"))
        return None

    def _keep(self) -> None:
        aside = self._path.with_name(f".{FILE_NAME}.new")
        try:
            aside.write_text(f"{self.seen_ns}\n", encoding="ascii")
            aside.replace(self._path)
        except OSError as error:
            log.warning("the sign of life is not kept: %s", error.strerror)
        self._kept_ns = self.seen_ns


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
