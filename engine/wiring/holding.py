"""Who pushes background work aside in a run, and for what."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from engine.background.hold import Hold, HoldTerms
from engine.background.switches import Trigger
from engine.domain.units import NS_PER_MS
from engine.settings.schema import BackgroundSettings, Settings
from engine.wiring.paths import Paths

if TYPE_CHECKING:  # the role `chains` does without what the engine loads
    from engine.operate.core_parts import Core

LOOK_S: Final = 0.25
"""Whether there is background work is looked at so often."""


CHAINS_RATIO_MAX: Final = 0.1
"""Most share of time that trades on chains hold background work, whoever makes them."""


class EngineHold:
    """How an engine pushes background work aside; without such work it does nothing.

    Attributes:
        kill, approval: push it aside for a kill, and for what a person answered.
    """

    def __init__(self, settings: Settings, paths: Paths) -> None:
        """Make it, in the thread whose event loop lets go."""
        self._loop = asyncio.get_running_loop()
        self._hold = Hold(
            f"engine-{settings.engine.id}",
            paths.hold_page,
            terms=hold_terms(settings.background),
            call_later=self._loop.call_later,
            call_soon=self._loop.call_soon,
        )
        self._usd_min = float(settings.background.hold_usd_min)
        self.kill = partial(self._hold.trigger, Trigger.KILL)
        self.approval = partial(self._hold.trigger, Trigger.APPROVAL)

    def alarm(self, opportunity_id: str, profit_usd: float) -> None:
        """Push it aside for an opportunity that is worth it, or nobody knows what it is worth."""
        if not profit_usd < self._usd_min:
            self._hold.trigger(Trigger.OPPORTUNITY, opportunity_id)

    def kill_by_signal(self) -> None:
        """Push it aside for a kill that came between any two instructions."""
        with suppress(RuntimeError):  # the loop is closed: nothing is held any more
            self._loop.call_soon_threadsafe(self.kill)

    @contextmanager
    def of(self, core: "Core") -> Iterator[None]:
        """Hold on while a plan of a core is under way; let go when the block ends."""

        def led_to(opportunity_id: str) -> str:
            entry = core.journal.recent.find(opportunity_id)
            return "" if entry is None else entry.outcome

        self._hold.is_busy = lambda: bool(core.plans)
        self._hold.led_to = led_to
        try:
            yield
        finally:
            self._hold.close()

    async def keep_looking(self) -> None:
        """Look for background work until cancelled."""
        await keep_looking(self._hold)


@contextmanager
def chains_hold(settings: Settings, paths: Paths, *, role: str = "chains") -> Iterator[Hold]:
    """Return by what a role of chains pushes it aside for trades that move prices far."""
    loop = asyncio.get_running_loop()
    hold = Hold(
        role,
        paths.hold_page,
        terms=hold_terms(settings.background, held_ratio_max=CHAINS_RATIO_MAX),
        call_later=loop.call_later,
        call_soon=loop.call_soon,
    )
    try:
        yield hold
    finally:
        hold.close()


def hold_terms(settings: BackgroundSettings, *, held_ratio_max: float = 0.5) -> HoldTerms:
    """Return how long is held."""
    return HoldTerms(
        quiet_ns=settings.hold_ms * NS_PER_MS,
        longest_ns=settings.hold_ms_max * NS_PER_MS,
        held_ratio_max=held_ratio_max,
    )


async def keep_looking(hold: Hold) -> None:
    """Look for background work until cancelled."""
    while True:
        hold.look()
        await asyncio.sleep(LOOK_S)
