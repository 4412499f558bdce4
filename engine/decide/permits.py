"""Permits: whether a plan may be carried out by somebody's word, asked twice.

The decider asks when it makes a plan; whoever carries plans out asks again, and trusts nothing that
the plan says of itself.
"""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from engine.decide.approvals import Approvals
from engine.decide.limits import Finding
from engine.decide.mandates import Mandates
from engine.decide.off_list import OffList
from engine.decide.switches import Switches
from engine.decide.terms import cut_to_terms, worst_quote
from engine.domain.approvals import Approval, ApprovalState
from engine.domain.modes import Mode
from engine.domain.opportunities import Reason
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import Plan, digest_of_plan


@dataclass(slots=True)
class Permits:
    """By whose word plans are carried out in a run."""

    switches: Switches
    approvals: Approvals
    mandates: Mandates

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is granted."""
        return not (self.approvals.pending or self.mandates.open)

    @property
    def has_news(self) -> bool:
        """Whether anything was asked, ended or changed that was not taken yet."""
        return self.approvals.has_news or self.mandates.has_news

    def look(self, at_ns: int, *, is_killed: bool) -> None:
        """End what has run its time, and what a kill, a pause or another mode ends."""
        mode = self.switches.mode
        if is_killed:
            self.void(ApprovalState.VOID_KILL, why="the kill latch is set", at_ns=at_ns)
        elif mode is not Mode.APPROVE:
            self.void(ApprovalState.VOID_MODE, why=f"the mode is {mode} now", at_ns=at_ns)
        elif self.switches.is_paused:
            why = "trading is paused"
            self.approvals.void(ApprovalState.VOID_MODE, why=why, at_ns=at_ns)
        elif self.switches.is_blind:
            self.approvals.void(ApprovalState.VOID_BLIND, why="the chat is blind", at_ns=at_ns)
        self.approvals.expire(at_ns)
        self.mandates.expire(at_ns)

    def end_off(self, off: OffList, at_ns: int) -> None:
        """End what waits at a place that is switched off, and mandates that name one."""
        for approval in [*self.approvals.pending.values()]:
            if what := off.of_route(approval.plan.opportunity.hops):
                why = f"{what} was switched off"
                self.approvals.end(approval, ApprovalState.VOID_OFF, why=why, at_ns=at_ns)
        for mandate_id, use in [*self.mandates.open.items()]:
            if what := off.of_scope(use.mandate.scope):
                self.mandates.end(mandate_id, why=f"{what} was switched off", at_ns=at_ns)

    def permit(self, plan: Plan, *, size_base: Decimal, at_ns: int) -> Plan | Finding:
        """Return the plan with its permit; where there is none, ask, and say that."""
        if self.switches.mode is not Mode.APPROVE:
            return plan
        needs_two = self.approvals.rules.needs_two(plan)
        mandate = None if needs_two else self.mandates.covering(plan, at_ns)
        if mandate is not None:
            permit = Permit(kind=PermitKind.MANDATE, id=mandate.mandate_id)
            return msgspec.structs.replace(plan, permit=permit)
        why = "no mandate covers it" if self.mandates.open else "every trade is asked for"
        if needs_two:
            why = "its size takes two people"
        return self.approvals.ask(
            plan, size_base=size_base, worst=worst_quote(plan), why=why, at_ns=at_ns
        )

    def by_approval(self, plan: Plan, approval: Approval) -> Plan | Finding:
        """Return the plan of now, cut to what was approved; else why it is not within that."""
        cut = cut_to_terms(plan, approval.plan, worst=approval.worst_quote)
        if isinstance(cut, str):
            return Finding(reason=Reason.TERMS_LEFT, detail=cut)
        permit = Permit(kind=PermitKind.APPROVAL, id=approval.approval_id, digest=approval.digest)
        return msgspec.structs.replace(cut, permit=permit)

    def started(self, plan: Plan, at_ns: int) -> None:
        """Use a permit up, as far as the plan does."""
        permit = plan.permit
        if permit is None:
            return
        if permit.kind is PermitKind.MANDATE:
            self.mandates.spend(permit.id, plan)
            self.approvals.cover(plan, f"{permit.id} covers it now", at_ns)
        elif (approval := self.approvals.approved(permit.id)) is not None:
            self.approvals.end(
                approval,
                ApprovalState.EXECUTED,
                by=", ".join(approval.approved_by),
                at_ns=at_ns,
                now_quote=plan.profit_quote,
            )

    def refusal(self, plan: Plan, at_ns: int) -> str:
        """Say why a plan may not be carried out, nothing if it may."""
        permit = plan.permit
        if permit is None:
            return "" if self.switches.mode is not Mode.APPROVE else "nobody has permitted it"
        if self.switches.is_blind:
            return "the chat is blind"
        return self._refusal_of(permit, plan, at_ns)

    def _refusal_of(self, permit: Permit, plan: Plan, at_ns: int) -> str:
        if permit.kind is PermitKind.MANDATE:
            if self.approvals.rules.needs_two(plan):
                return "its size takes two people, and one granted the mandate"
            return self.mandates.refusal(permit.id, plan, at_ns)
        approval = self.approvals.approved(permit.id)
        if approval is None:
            return f"{permit.id} is not approved, or was used"
        if not digest_of_plan(approval.plan) == approval.digest == permit.digest:
            return f"the terms of {permit.id} are not those that were approved"
        bare = msgspec.structs.replace(plan, permit=None)
        cut = cut_to_terms(bare, approval.plan, worst=approval.worst_quote)
        if cut != bare:
            return cut if isinstance(cut, str) else "it is looser than what was approved"
        return ""

    def terms_of(self, plan: Plan) -> Plan | None:
        """Return the terms that a plan is carried out by, where it is by an approval."""
        if plan.permit is None or plan.permit.kind is not PermitKind.APPROVAL:
            return None
        approval = self.approvals.approved(plan.permit.id)
        return None if approval is None else approval.plan

    def void(self, state: ApprovalState, *, why: str, at_ns: int) -> None:
        """End all that was asked for or granted."""
        self.approvals.void(state, why=why, at_ns=at_ns)
        self.mandates.end_all(why=why, at_ns=at_ns)

    def step_clock(self, step_ns: int) -> None:
        """Keep times over a step of the clock."""
        self.approvals.step_clock(step_ns)
        self.mandates.step_clock(step_ns)
