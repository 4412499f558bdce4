"""A person's word that something may go on which was stopped: judged as any loosening.

It is in the audit, with the code that it used up, before whoever carries it out hears of it.
"""

from typing import Protocol

from engine.bus.command import Envelope
from engine.bus.reports import Declined
from engine.decide.switches import Switches
from engine.operate.clock import Clock
from engine.operate.step_up import Allowed, Loosening, StepUp


class Letting(Protocol):
    """The engine as such a word sees it."""

    step_up: StepUp
    clock: Clock

    @property
    def control(self) -> Switches:
        """What the operator asked of the core."""
        ...

    def voids(self, at_ns: int) -> str | None:
        """Return why what was asked then may not let the engine do more, None if it may."""
        ...

    async def note(
        self,
        envelope: Envelope,
        action: str,
        *,
        is_looser: bool = False,
        code_step: int | None = None,
    ) -> Declined | None:
        """Put an act into the audit and wait until it is durable."""
        ...


async def let(
    engine: Letting,
    envelope: Envelope,
    asked: Loosening,
    *,
    is_confirmed: bool,
    code: str | None,
) -> Declined | None:
    """Let it go on, once that has all that a loosening needs and is stored; None if it may."""
    is_told = is_confirmed or code is not None
    allowed: Allowed | Declined | None = _void(engine, envelope) if is_told else None
    if allowed is None:
        allowed = await engine.step_up.judge(asked, envelope, is_confirmed=is_confirmed, code=code)
    if isinstance(allowed, Allowed):
        # Something may have overtaken it while a wrong code was stored.
        allowed = _void(engine, envelope) or allowed
    if isinstance(allowed, Declined):
        return allowed
    return await engine.note(envelope, asked.what, is_looser=True, code_step=allowed.code_step)


def _void(engine: Letting, envelope: Envelope) -> Declined | None:
    why = engine.voids(envelope.at_ns)
    return None if why is None else Declined(why=why)
