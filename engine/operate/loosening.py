"""Loosenings on their way: judged, then carried out at once or after a wait that can be cancelled.

What waits is part of the state that the ledger keeps, so a restart forgets none of it, and whatever
tightens, or kills, leaves nothing waiting.
"""

import asyncio
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Protocol

from engine.bus.command import Envelope
from engine.bus.notices import LooseningWaits, Notice
from engine.bus.reports import Acknowledged, Declined
from engine.decide.switches import Switches
from engine.domain.delays import Delayed
from engine.domain.errors import BadValueError, TransientError
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode, is_upward
from engine.domain.switched_off import Off
from engine.operate.clock import Clock
from engine.operate.core_parts import Core
from engine.operate.kill_switches import KillSwitches
from engine.operate.step_up import Loosening, StepUp, in_minutes

log = logging.getLogger(__name__)

WAITING_MAX: Final = 8
"""Loosenings that may wait at once."""

LOOK_S: Final = 0.2
RETRY_S: Final = 15.0
"""After a ledger that was away: each try leaves records that wait for it."""


class Loosened(Protocol):
    """The engine as what loosens it sees it."""

    core: Core
    clock: Clock
    kill_switches: KillSwitches
    step_up: StepUp
    waiting: tuple[Delayed, ...]

    @property
    def control(self) -> Switches:
        """What the operator asked of the core."""
        ...

    @property
    def delayed(self) -> tuple[Delayed, ...]:
        """Loosenings that will act unless something is done."""
        ...

    @property
    def basis(self) -> Basis:
        """Where the figures of this run come from."""
        ...

    def tell(self, notice: Notice) -> None:
        """Tell a notice."""
        ...

    async def change(
        self,
        envelope: Envelope,
        action: str,
        *,
        mode: Mode | None = None,
        limits: Mapping[str, Decimal] | None = None,
        delayed: tuple[Delayed, ...] | None = None,
        off: tuple[Off, ...] | None = None,
        fees: Mapping[VenueId, FeeWord] | None = None,
        settings: Mapping[str, Decimal] | None = None,
        code_step: int | None = None,
    ) -> Acknowledged | Declined:
        """Set some of what the operator sets, once the ledger has it."""
        ...


async def loosen(
    engine: Loosened,
    envelope: Envelope,
    asked: Loosening,
    *,
    is_confirmed: bool,
    code: str | None,
) -> Acknowledged | Declined:
    """Carry a loosening out once it has all that it needs, at once or after its wait."""
    if (is_confirmed or code is not None) and (void := _void(engine, envelope.at_ns)) is not None:
        return Declined(why=void)
    allowed = await engine.step_up.judge(asked, envelope, is_confirmed=is_confirmed, code=code)
    if isinstance(allowed, Declined):
        return allowed
    if (void := _void(engine, envelope.at_ns)) is not None:  # while a wrong code was stored
        return Declined(why=void)
    waits_ns = engine.step_up.waits_ns(asked)
    if not waits_ns:
        return await _carry_out(engine, envelope, asked, code_step=allowed.code_step)
    if len(engine.delayed) >= WAITING_MAX:
        return Declined(why=f"{WAITING_MAX} changes wait already: /cancel them first")
    now_ns = engine.clock()
    one = asked.delayed(envelope, now_ns=now_ns, delay_ns=waits_ns)
    done = await engine.change(
        envelope,
        f"{asked.what}: waits {in_minutes(waits_ns)}",
        delayed=(*engine.delayed, one),
        code_step=allowed.code_step,
    )
    if isinstance(done, Acknowledged):
        engine.tell(
            LooseningWaits(
                at_ns=now_ns,
                basis=engine.basis,
                what=one.what,
                due_at_ns=one.due_at_ns,
                by=one.by,
            )
        )
    return done


async def watch_delays(engine: Loosened) -> None:
    """Look for ever whether a loosening is due, or was cancelled."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await end_delays(engine)
        except TransientError as error:
            log.warning("a change that waited is not done yet: %s", error)
            await asyncio.sleep(RETRY_S)


async def end_delays(engine: Loosened) -> None:
    """Carry out what is due; drop what something overtook, and tell it."""
    for one in engine.waiting:
        left = tuple(other for other in engine.waiting if other != one)
        why = _void(engine, one.asked_at_ns)
        if why is None and engine.clock() < one.due_at_ns:
            continue
        envelope = _envelope(engine, one)
        if why is None and not _is_looser(engine, one):
            why = "it lets no more through than now"
        if why is None:
            asked = Loosening(
                what=f"{one.what}, after its wait",
                why="",
                is_largest=False,
                is_paper=True,
                mode=one.mode,
                limit=one.limit,
                value=one.value,
            )
            done = await _carry_out(engine, envelope, asked, delayed=left)
            if isinstance(done, Acknowledged):
                continue
            why = done.why
        await engine.change(envelope, f"{one.what} is cancelled: {why}", delayed=left)


def _is_looser(engine: Loosened, one: Delayed) -> bool:
    if one.mode is not None:
        return is_upward(current=engine.control.mode, wanted=one.mode)
    if one.limit is None or one.value is None:
        return False
    limits = engine.core.decider.limits
    term = limits.find(one.limit)
    return term.is_looser(one.value, than=limits[term])


async def _carry_out(
    engine: Loosened,
    envelope: Envelope,
    asked: Loosening,
    *,
    code_step: int | None = None,
    delayed: tuple[Delayed, ...] | None = None,
) -> Acknowledged | Declined:
    limits = None
    if asked.limit is not None and asked.value is not None:
        try:
            limits = engine.core.decider.limits.with_one(asked.limit, asked.value)
        except BadValueError as error:
            return Declined(why=str(error))
    off = None
    if asked.switches_on is not None:
        held = engine.core.decider.off.all
        off = tuple(one for one in held if one.key != asked.switches_on)
    fees = None
    if asked.fee is not None:
        venue, bps = asked.fee
        fees = engine.core.fees.with_one(venue, bps, at_ns=engine.clock())
    return await engine.change(
        envelope,
        asked.what,
        mode=asked.mode,
        limits=limits,
        delayed=delayed,
        off=off,
        fees=fees,
        settings=asked.settings,
        code_step=code_step,
    )


def _void(engine: Loosened, given_at_ns: int) -> str | None:
    return engine.kill_switches.voids_loosening(given_at_ns)


def _envelope(engine: Loosened, one: Delayed) -> Envelope:
    return Envelope(
        id=f"{engine.core.header.run_id}-waited-{one.asked_at_ns}",
        by=one.by,
        at_ns=one.asked_at_ns,
        expires_at_ns=None,
        target=engine.core.header.engine_id,
        digest="",
    )
