"""Replies about approvals and mandates."""

from decimal import Decimal

import msgspec

from engine.bus.reports import Report
from engine.domain.approvals import Approval, ApprovalEnd, ApprovalState, LeftOut
from engine.domain.mandates import MandateUse
from engine.domain.modes import Basis, Mode


class WaitingApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that waits, and what answers it."""

    approval: Approval
    nonce: str


class ApprovalsReport(Report, frozen=True, kw_only=True):
    """What waits for a person's word now.

    Attributes:
        ended: the newest that ended, newest first.
        left_out: what was not asked for in the last hour, since enough waited; the dearest few.
        left_out_count: how many routes that were in all.
    """

    at_ns: int
    mode: Mode
    basis: Basis
    waiting: list[WaitingApproval]
    ended: list[ApprovalEnd]
    left_out: list[LeftOut]
    left_out_count: int


class MandatesReport(Report, frozen=True, kw_only=True):
    """What is granted now."""

    at_ns: int
    mode: Mode
    basis: Basis
    open: list[MandateUse]


class WaitingLine(msgspec.Struct, frozen=True, kw_only=True):
    """Approvals of some days that came to the same end.

    Attributes:
        asked_usd: what they were expected to give when people were asked.
        answered_usd: the same when what was approved was carried out.
        realised_usd: what they gave.
        waited_ms: how long all of them waited together.
    """

    state: ApprovalState
    count: int = 0
    asked_usd: Decimal = Decimal(0)
    answered_usd: Decimal = Decimal(0)
    realised_usd: Decimal = Decimal(0)
    waited_ms: int = 0


class WaitingReport(Report, frozen=True, kw_only=True):
    """What people were asked in some days, and what came of it."""

    since_ns: int
    lines: list[WaitingLine]
    basis: Basis

    @property
    def cost_usd(self) -> Decimal:
        """What waiting cost: expected when people were asked, less what was realised.

        What waits still has cost nothing yet.
        """
        ended = [line for line in self.lines if line.state is not ApprovalState.PENDING]
        return sum((line.asked_usd - line.realised_usd for line in ended), Decimal(0))
