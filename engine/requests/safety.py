"""What an operator changes. Tightening acts at once; loosening first has to be stored."""

import asyncio
from typing import TYPE_CHECKING

from engine.bus.command import LOOSENS, Command, Envelope, seal
from engine.bus.records import LatchRecord, kill_record
from engine.bus.reports import Acknowledged, Declined, KillReport
from engine.bus.request import Roles
from engine.domain.errors import TransientError
from engine.domain.modes import Mode, is_upward

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers

Changed = Acknowledged | Declined


class Pause(Command[Acknowledged], frozen=True, kw_only=True):
    """Stop making plans; idempotent."""

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Changed:
        """See `Command.act`."""
        return await engine.change(envelope, "pause", is_paused=True)


class Resume(Command[Acknowledged], frozen=True, kw_only=True):
    """Make plans again after a pause; what was tightened since it was asked declines it."""

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Changed:
        """See `Command.act`."""
        void = engine.kill_switches.voids_loosening(envelope.at_ns)
        if void is not None:
            return Declined(why=void)
        return await engine.change(envelope, "resume", is_paused=False)


class SetMode(Command[Acknowledged], frozen=True, kw_only=True):
    """Change the mode; going up needs `is_confirmed`, and a code where there is an authenticator.

    What was tightened since it was asked declines going up. Going down is never declined, and waits
    for no ledger.

    Attributes:
        only_tightens: going up is declined, with whatever it comes.
    """

    mode: Mode
    is_confirmed: bool = False
    code: str | None = None
    only_tightens: bool = False

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Changed:
        """See `Command.act`."""
        current = engine.control.mode
        is_up = is_upward(current=current, wanted=self.mode)
        if self.only_tightens and is_up:
            return Declined(why=LOOSENS)
        is_sent = self.mode is Mode.LIVE or (
            is_up and self.mode is Mode.APPROVE and engine.control.sends_approved
        )
        if is_sent and (why := engine.why_not_live()):
            return Declined(why=why)
        if is_up:
            return await engine.loosen(
                envelope,
                engine.step_up.to_mode(current, self.mode),
                is_confirmed=self.is_confirmed,
                code=self.code,
            )
        return await engine.change(envelope, f"mode {self.mode}", mode=self.mode)

    async def ask(self, roles: Roles, /) -> Changed:
        """Tell the signer who goes live, before the engine; what goes down, after it."""
        envelope = self.envelope
        is_live = self.mode is Mode.LIVE
        if envelope is None or (is_live and not self.is_confirmed and self.code is None):
            return await roles.engine.call(self, timeout_s=self.timeout_s)
        if is_live and (why := await roles.witness.went_live(envelope, self.code)):
            return Declined(why=why)
        reply: Changed | None = None
        try:
            reply = await roles.engine.call(self, timeout_s=self.timeout_s)
        finally:
            is_down = self.mode in {Mode.OBSERVE, Mode.PAPER}
            if is_down or (is_live and isinstance(reply, Declined)):
                await roles.witness.took_back(envelope.target, is_all=True)
        return reply


class CancelDelayed(Command[Acknowledged], frozen=True, kw_only=True):
    """Cancel every loosening that waits; idempotent."""

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Changed:
        """See `Command.act`."""
        return await engine.cancel_delayed(envelope)


class ResetBalance(Command[Acknowledged], frozen=True, kw_only=True):
    """Set the paper inventory back to its capital."""

    is_confirmed: bool = False

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Changed:
        """See `Command.act`."""
        if not self.is_confirmed:
            return Declined(
                why="every venue's paper money is set back to its start at the prices of now; "
                "what was won, lost or shifted stays in /pnl and in the exports",
                needs_confirmation=True,
            )
        return await engine.reset_balance(envelope)


class Unkill(Command[Acknowledged], frozen=True, kw_only=True):
    """Clear a kill latch with a one-time code; a kill since it was asked declines it.

    Attributes:
        engine: whose own latch; empty for that of all engines.
        code: None from a person on the host, who could write the latch file as well.
    """

    code: str | None
    engine: str = ""

    async def ask(self, roles: Roles, /) -> Changed:
        """Ask the engine whose latch it is, the chat's own for that of all."""
        caller = await roles.engine_named(self.engine) if self.engine else roles.engine
        if isinstance(caller, Declined):
            return caller
        return await caller.call(self, timeout_s=self.timeout_s)

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Changed:
        """See `Command.act`."""
        switches = engine.kill_switches
        switch = switches.of(self.engine)
        if switch is None:
            return Declined(why=f"this is the engine {switches.engine_id!r}, not {self.engine!r}")
        other = switches.besides(switch)
        whose = f"that of {other.engine}" if other.engine else "that of all engines"
        held = f"; but {whose} is set: no plan is made until it is cleared too"
        if not switch.is_killed():
            return engine.now(f"the latch is clear already{held if other.is_killed() else ''}")
        allowed = "; plans are made again as the mode allows"
        done = Acknowledged(
            text=f"the latch is clear{held if other.is_killed() else allowed}",
            is_killed=other.is_killed(),
            is_paused=engine.control.is_paused,
            mode=engine.control.mode,
        )
        try:
            refusal = await switch.unkill(
                envelope, self.code, outcome=engine.once.outcome(envelope, done)
            )
        except (TransientError, asyncio.CancelledError) as error:
            engine.once.took_back(envelope, str(error) or "whoever asked went away")
            raise
        return done if refusal is None else engine.once.took_back(envelope, refusal)


class Kill(Command[Acknowledged | KillReport], frozen=True, kw_only=True):
    """Kill: each engine acknowledges it, a front-end is told what each path came to.

    It is obeyed whatever its envelope says, and as often as it comes.

    Attributes:
        engine: the only one that it is for; empty for all engines.
    """

    is_for_any = True

    why: str
    engine: str = ""

    @property
    def sealed(self) -> Envelope:
        """The envelope; a kill without one is nobody's, and of a time before all others."""
        envelope = self.envelope or seal(self, by="unknown", at_ns=0).envelope
        assert envelope is not None
        return envelope

    def record(self) -> LatchRecord:
        """Return what is stored of it."""
        return kill_record(self.sealed, why=self.why, engine=self.engine)

    async def answer(self, engine: "EngineAnswers", /) -> Changed:
        """See `Request.answer`."""
        switch = engine.kill_switches.of(self.engine)
        if switch is None:
            return Declined(why=f"this is not the engine {self.engine!r}")
        switch.kill(self.record())
        return engine.now("killed: no plan is made until the latch is cleared")

    async def ask(self, roles: Roles, /) -> KillReport | Declined:
        """Go by every path at once."""
        report: KillReport | Declined = await roles.kill(self)
        return report
