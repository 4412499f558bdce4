"""A person's word that our contract may run again after a pause: judged as any loosening.

It is in the audit, with the code that it used up, before whoever sends hears of it.
"""

from collections.abc import Callable
from typing import Protocol

from engine.bus.command import Envelope
from engine.bus.reports import Declined
from engine.bus.request import Caller
from engine.bus.sending import AskContract
from engine.bus.work_reports import WorkDone
from engine.decide.switches import Switches
from engine.domain.errors import TransientError
from engine.domain.told import Asked
from engine.operate.clock import Clock
from engine.operate.step_up import Allowed, StepUp


class Letting(Protocol):
    """The engine as what lets the contract run sees it."""

    sender: Caller | None
    why_not_live: Callable[[], str]
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


async def unpause(
    engine: Letting, envelope: Envelope, chain: str, *, is_confirmed: bool, code: str | None
) -> WorkDone | Declined:
    """Let our contract on a chain run again, once that has all that a loosening needs."""
    if engine.sender is None:
        return Declined(why=engine.why_not_live())
    asked = engine.step_up.letting_run(chain, mode=engine.control.mode)
    is_told = is_confirmed or code is not None
    allowed: Allowed | Declined | None = _void(engine, envelope) if is_told else None
    if allowed is None:
        allowed = await engine.step_up.judge(asked, envelope, is_confirmed=is_confirmed, code=code)
    if isinstance(allowed, Allowed):
        # Something may have overtaken it while a wrong code was stored.
        allowed = _void(engine, envelope) or allowed
    if isinstance(allowed, Declined):
        return allowed
    unstored = await engine.note(envelope, asked.what, is_looser=True, code_step=allowed.code_step)
    if unstored is not None:
        return unstored
    word = Asked(
        command_id=envelope.id, chain=chain, is_pause=False, by=envelope.by, at_ns=engine.clock()
    )
    try:
        return await engine.sender.call(AskContract(asked=word), timeout_s=AskContract.timeout_s)
    except TransientError as error:
        return Declined(why=f"allowed, and perhaps not done: {error}; look at /contract")


def _void(engine: Letting, envelope: Envelope) -> Declined | None:
    why = engine.voids(envelope.at_ns)
    return None if why is None else Declined(why=why)
