"""What is left over, what closing it would cost now, and the word to close it."""

from typing import TYPE_CHECKING

from engine.bus.closings import ClosingsReport
from engine.bus.command import Command, Envelope
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import EngineRequest, Roles
from engine.domain.plans import LeggedPlan, digest_of_plan, is_live

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class GetClosings(EngineRequest[ClosingsReport], frozen=True, kw_only=True):
    """By the books as they are; nothing is sent."""

    async def answer(self, engine: "EngineAnswers", /) -> ClosingsReport:
        """See `Request.answer`."""
        return engine.closings.report()

    async def ask(self, roles: Roles, /) -> ClosingsReport:
        """Ask, and keep what is shown by it: a person's word is for that alone."""
        report = await roles.engine.call(self, timeout_s=self.timeout_s)
        for one in report.closings:
            if one.terms is not None:
                digest = digest_of_plan(one.terms)
                roles.witness.showed(digest, digest, is_sent=is_live(one.terms))
        return report


class CloseLeftovers(Command[Acknowledged], frozen=True, kw_only=True):
    """Close what is left over, on the terms that were shown; each is one order, once.

    Attributes:
        closings: their terms.
    """

    timeout_s = 20.0

    closings: tuple[LeggedPlan, ...]

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        return await engine.closings.close(envelope, self.closings)

    async def ask(self, roles: Roles, /) -> Acknowledged | Declined:
        """Vouch for the person to whoever signs, then tell the engine."""
        if self.envelope is not None:
            for one in self.closings:
                if why := await roles.witness.approved(self.envelope, digest_of_plan(one)):
                    return Declined(why=why)
        return await roles.engine.call(self, timeout_s=self.timeout_s)
