"""Approvals and mandates: what waits for a person's word, and what people may say."""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.bus.command import Command, Envelope
from engine.bus.permit_reports import ApprovalsReport, MandatesReport, WaitingReport
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import EngineRequest, LedgerRequest, Roles
from engine.domain.approvals import ApprovalAct
from engine.domain.mandates import Scope, mandate_of
from engine.domain.words import mandate_id_of

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers
    from engine.storage.ledger import Ledger


class GetApprovals(EngineRequest[ApprovalsReport], frozen=True, kw_only=True):
    """Ask what waits."""

    async def answer(self, engine: "EngineAnswers", /) -> ApprovalsReport:
        """See `Request.answer`."""
        return engine.approvals.report()


class AnswerApproval(Command[Acknowledged], frozen=True, kw_only=True):
    """Say what shall become of a plan that waits.

    Attributes:
        nonce: of its buttons.
    """

    nonce: str
    said: ApprovalAct

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        return await engine.approvals.answer(envelope, self.nonce, self.said)

    async def ask(self, roles: Roles, /) -> Acknowledged | Declined:
        """Vouch for the person who approves, then tell the engine."""
        if self.said is ApprovalAct.APPROVE and self.envelope is not None:
            why = await roles.witness.approved(self.envelope, self.nonce)
            if why:
                return Declined(why=why)
        return await roles.engine.call(self, timeout_s=self.timeout_s)


class GetMandates(EngineRequest[MandatesReport], frozen=True, kw_only=True):
    """Ask what is granted."""

    async def answer(self, engine: "EngineAnswers", /) -> MandatesReport:
        """See `Request.answer`."""
        return engine.approvals.mandates()


class GrantMandate(Command[Acknowledged], frozen=True, kw_only=True):
    """Grant a standing permission; it needs `is_confirmed`.

    Attributes:
        lasts_s: how long it holds from when it is granted.
    """

    scope: Scope
    each_usd_max: Decimal
    total_usd_max: Decimal
    edge_bps_min: Decimal
    lasts_s: int
    is_confirmed: bool = False

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        return await engine.approvals.grant(envelope, self)

    async def ask(self, roles: Roles, /) -> Acknowledged | Declined:
        """Vouch for the person who grants it, then tell the engine."""
        envelope = self.envelope
        if envelope is None or not self.is_confirmed:
            return await roles.engine.call(self, timeout_s=self.timeout_s)
        mandate = mandate_of(self, mandate_id_of(envelope.id), by=envelope.by, at_ns=envelope.at_ns)
        why = await roles.witness.mandated(envelope, mandate)
        if why:
            return Declined(why=why)
        reply = await roles.engine.call(self, timeout_s=self.timeout_s)
        if isinstance(reply, Declined):
            await roles.witness.took_back(envelope.target, mandate_id=mandate.mandate_id)
        return reply


class RevokeMandate(Command[Acknowledged], frozen=True, kw_only=True):
    """Take a mandate back at once; all of them where none is named."""

    mandate_id: str = ""

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        return await engine.approvals.revoke(envelope, self.mandate_id)

    async def ask(self, roles: Roles, /) -> Acknowledged | Declined:
        """Tell the engine, which acts at once, and the signer."""
        try:
            return await roles.engine.call(self, timeout_s=self.timeout_s)
        finally:
            if self.envelope is not None:
                await roles.witness.took_back(self.envelope.target, mandate_id=self.mandate_id)


class GetWaiting(LedgerRequest[WaitingReport], frozen=True, kw_only=True):
    """Ask what people were asked in some days, and what came of it."""

    days: int

    async def answer(self, ledger: "Ledger", /) -> WaitingReport:
        """See `Request.answer`."""
        return await ledger.approvals(self.days)
