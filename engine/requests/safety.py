"""What an operator changes. Tightening acts at once; loosening first has to be stored."""

from typing import TYPE_CHECKING

from engine.bus.reports import Acknowledged, Declined, KillReport
from engine.bus.request import EngineRequest, Roles
from engine.domain.modes import Mode, is_upward

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers

Changed = Acknowledged | Declined


class Pause(EngineRequest[Changed], frozen=True, kw_only=True):
    """Stop making plans; idempotent."""

    by: str

    async def answer(self, engine: "EngineAnswers", /) -> Changed:
        """See `Request.answer`."""
        return await engine.change(self.by, "pause", is_paused=True)


class Resume(EngineRequest[Changed], frozen=True, kw_only=True):
    """Make plans again after a pause.

    Attributes:
        given_at_ns: when the operator asked; what was tightened since declines it.
    """

    by: str
    given_at_ns: int

    async def answer(self, engine: "EngineAnswers", /) -> Changed:
        """See `Request.answer`."""
        void = engine.kill_switch.voids_loosening(self.given_at_ns)
        if void is not None:
            return Declined(why=void)
        return await engine.change(self.by, "resume", is_paused=False)


class SetMode(EngineRequest[Changed], frozen=True, kw_only=True):
    """Change the mode; going up needs `is_confirmed`.

    Attributes:
        given_at_ns: when the operator asked; what was tightened since declines going up.
    """

    by: str
    mode: Mode
    given_at_ns: int
    is_confirmed: bool = False

    async def answer(self, engine: "EngineAnswers", /) -> Changed:
        """See `Request.answer`."""
        current = engine.control.mode
        if is_upward(current=current, wanted=self.mode):
            if not self.is_confirmed:
                return Declined(
                    why=f"going up from {current} to {self.mode} needs a confirmation",
                    needs_confirmation=True,
                )
            void = engine.kill_switch.voids_loosening(self.given_at_ns)
            if void is not None:
                return Declined(why=void)
        return await engine.change(self.by, f"mode {self.mode}", mode=self.mode)


class ResetBalance(EngineRequest[Changed], frozen=True, kw_only=True):
    """Set the paper inventory back to its capital."""

    by: str
    is_confirmed: bool = False

    async def answer(self, engine: "EngineAnswers", /) -> Changed:
        """See `Request.answer`."""
        if not self.is_confirmed:
            return Declined(
                why="every venue's paper money is set back to its start at the prices of now; "
                "what was won, lost or shifted stays in /pnl and in the exports",
                needs_confirmation=True,
            )
        return await engine.reset_balance(self.by)


class Unkill(EngineRequest[Changed], frozen=True, kw_only=True):
    """Clear the kill latch with a one-time code.

    Attributes:
        code: None from a person on the host, who could write the latch file as well.
        given_at_ns: when the operator asked; a kill since then declines it.
    """

    by: str
    code: str | None
    given_at_ns: int

    async def answer(self, engine: "EngineAnswers", /) -> Changed:
        """See `Request.answer`."""
        if not engine.latch.is_killed():
            return engine.now("the latch is clear already")
        refusal = await engine.kill_switch.unkill(
            by=self.by, code=self.code, given_at_ns=self.given_at_ns
        )
        if refusal is not None:
            return Declined(why=refusal)
        return engine.now("the latch is clear; plans are made again as the mode allows")


class Kill(EngineRequest[Acknowledged | KillReport | Declined], frozen=True, kw_only=True):
    """Kill: the engine acknowledges it, a front-end is told what each path came to.

    Attributes:
        at_ns: when the operator gave it.
        is_late: it waited until somebody took it; a clearing since then is the newer act.
        ref: the message that it came in, which a restart may tell again; empty if nothing can.
    """

    is_for_any = True

    by: str
    why: str
    at_ns: int
    is_late: bool = False
    ref: str = ""

    async def answer(self, engine: "EngineAnswers", /) -> Acknowledged:
        """See `Request.answer`."""
        engine.kill_switch.kill(by=self.by, why=self.why, at_ns=self.at_ns, ref=self.ref)
        return engine.now("killed: no plan is made until the latch is cleared")

    async def ask(self, roles: Roles, /) -> KillReport | Declined:
        """Go by every path at once."""
        report: KillReport | Declined = await roles.kill(self)
        return report
