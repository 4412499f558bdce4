"""Approvals and mandates: what waits for a person's word, and what people may say."""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.bus.command import Command, Envelope
from engine.bus.permit_reports import ApprovalsReport, MandatesReport, WaitingReport
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import EngineRequest, LedgerRequest
from engine.domain.approvals import ApprovalAct
from engine.domain.mandates import Scope

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


class RevokeMandate(Command[Acknowledged], frozen=True, kw_only=True):
    """Take a mandate back at once; all of them where none is named."""

    mandate_id: str = ""

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        return await engine.approvals.revoke(envelope, self.mandate_id)


class GetWaiting(LedgerRequest[WaitingReport], frozen=True, kw_only=True):
    """Ask what people were asked in some days, and what came of it."""

    days: int

    async def answer(self, ledger: "Ledger", /) -> WaitingReport:
        """See `Request.answer`."""
        return await ledger.approvals(self.days)
