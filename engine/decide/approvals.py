"""Approvals that wait: asked, answered once, or ended by time, a kill, a pause.

One plan of a route waits at a time. What is approved is looked up here again by whoever carries it
out; an approval serves one plan.
"""

from decimal import Decimal
from typing import Final

import msgspec

from engine.decide.left_out import LeftOutRoutes
from engine.decide.limits import Finding
from engine.domain.approvals import Approval, ApprovalAct, ApprovalEnd, ApprovalState
from engine.domain.opportunities import Reason, route_of
from engine.domain.plans import Plan, digest_of_plan, is_live, worth_usd
from engine.domain.units import NS_PER_S

PENDING_MAX: Final = 3
"""More cannot be read in the time that they have."""

TAKES_PLACE_RATIO: Final = Decimal("1.5")
"""Worth so many times the least that waits, another takes its place. What both are worth changes
by a tenth within seconds, and somebody may be reading: for less no prompt is taken away. With it
each place changes a few times at most before it is answered or expires."""

QUIET_S: Final = {
    ApprovalState.REJECTED: 300,
    ApprovalState.SNOOZED: 900,
    ApprovalState.EXPIRED: 60,
    ApprovalState.UNDELIVERED: 60,
    ApprovalState.STALE: 20,
}
"""How long nothing is asked of a route after an approval of it ended so."""

QUIET_ROUTES_MAX: Final = 1_000


class ApprovalRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a person is asked.

    Attributes:
        wait_s: how long an approval waits.
        usd_min: least expected profit that a person is asked for.
        two_operators_usd: from this notional on two people have to approve; None if never.
    """

    wait_s: int = 60
    usd_min: Decimal = Decimal(0)
    two_operators_usd: Decimal | None = None

    @property
    def deliver_ns(self) -> int:
        """How long a chat has for showing it, so that half its time is left for reading it."""
        return self.wait_s * NS_PER_S // 2

    def needs_two(self, plan: Plan) -> bool:
        """Say whether one person's word is not enough for a plan, whatever form it has."""
        return self.two_operators_usd is not None and plan.notional_usd >= self.two_operators_usd


class Approvals:
    """The approvals of a run.

    Attributes:
        pending: what waits, by its id, oldest first.
        left_out: what was not asked for, since as many waited as can be read.
    """

    def __init__(self, run_id: str, rules: ApprovalRules) -> None:
        self.rules = rules
        self.pending: dict[str, Approval] = {}
        self.left_out = LeftOutRoutes()
        self._run_id = run_id
        self._count = 0
        self._quiet_until_ns: dict[str, int] = {}
        self._undelivered_until_ns: dict[str, int] = {}
        self._approved: dict[str, Approval] = {}
        self._asked: list[Approval] = []
        self._ended: list[ApprovalEnd] = []

    def ask(
        self,
        plan: Plan,
        *,
        size_base: Decimal,
        worst: Decimal,
        why: str,
        at_ns: int,
        is_requested: bool = False,
    ) -> Finding:
        """Ask for a plan, or say why not; a plan that is asked for is refused until then.

        Args:
            plan: the terms.
            size_base: what its first leg receives.
            worst: least profit within the terms.
            why: why a person is asked.
            at_ns: now.
            is_requested: a person wants to be asked: only the number of those that wait counts.
        """
        route = route_of(plan.opportunity)
        plan = self._until_answered(plan, at_ns)
        if not is_requested:
            held = self._held(plan, route, at_ns)
            if held is not None:
                return held
        profit_usd = worth_usd(plan)
        if len(self.pending) >= PENDING_MAX and not self._makes_room(profit_usd, at_ns):
            self.left_out.add(plan, profit_usd, at_ns)
            return Finding(
                reason=Reason.NOT_ASKED,
                detail=f"{len(self.pending)} plans wait for approval already; "
                f"this one was worth {profit_usd:.2f} USD",
            )
        self.left_out.asked(route)
        self._count += 1
        approval = Approval(
            approval_id=f"{self._run_id}-a{self._count}",
            plan=plan,
            digest=digest_of_plan(plan),
            size_base=size_base,
            worst_quote=worst,
            why=why,
            asked_at_ns=at_ns,
            expires_at_ns=at_ns + self.rules.wait_s * NS_PER_S,
            operators_needed=2 if self.rules.needs_two(plan) else 1,
            is_requested=is_requested,
        )
        self.pending[approval.approval_id] = approval
        self._undelivered_until_ns[approval.approval_id] = at_ns + self.rules.deliver_ns
        self._asked.append(approval)
        return Finding(reason=Reason.ASKED, detail=f"asked as {approval.approval_id}")

    def _until_answered(self, plan: Plan, at_ns: int) -> Plan:
        """Return the terms of a plan that is sent: they say until when it may be, at the latest.

        What is approved is planned anew then, with as much time as this one.
        """
        if not is_live(plan):
            return plan
        lasts_ns = plan.deadline_ns - plan.decided_at_ns
        return msgspec.structs.replace(
            plan, deadline_ns=at_ns + self.rules.wait_s * NS_PER_S + lasts_ns
        )

    def _makes_room(self, usd: Decimal, at_ns: int) -> bool:
        """End the least of what waits if this is clearly worth more.

        What a person asked for, and what one of two has approved, keeps its place.
        """
        free = [one for one in self.pending.values() if not (one.is_requested or one.approved_by)]
        least = min(free, key=lambda one: one.worth_usd, default=None)
        if least is None or usd <= 0 or usd < TAKES_PLACE_RATIO * least.worth_usd:
            return False
        why = f"a plan worth {usd:.2f} USD took its place"
        self.end(least, ApprovalState.OUTBID, at_ns=at_ns, why=why)
        return True

    def _held(self, plan: Plan, route: str, at_ns: int) -> Finding | None:
        """Return why nothing is asked of a route now, None if it may be."""
        for one in self.pending.values():
            if route_of(one.plan.opportunity) == route:
                return Finding(reason=Reason.ASKED, detail=f"asked as {one.approval_id}")
        until_ns = self._quiet_until_ns.get(route, 0)
        if at_ns < until_ns:
            left_s = (until_ns - at_ns) // NS_PER_S + 1
            return Finding(
                reason=Reason.NOT_ASKED, detail=f"this route is not asked for {left_s} s yet"
            )
        profit_usd = worth_usd(plan)
        if profit_usd < self.rules.usd_min:
            return Finding(
                reason=Reason.NOT_ASKED,
                detail=f"{profit_usd:.2f} USD is below the {self.rules.usd_min:f} USD"
                " from which on is asked",
            )
        return None

    def answer(
        self, approval_id: str, act: ApprovalAct, *, by: str, digest: str, at_ns: int
    ) -> Approval | None:
        """Take a person's word; return the approval if that makes it approved, or halves it.

        Whatever is not pending, has expired, or is of other terms than were shown stays as it is.
        """
        approval = self.pending.get(approval_id)
        if approval is None or digest != approval.digest:
            return None
        self.expire(at_ns)
        if approval_id not in self.pending:
            return None
        self.delivered(approval_id, at_ns)  # who answers it has seen it
        match act:
            case ApprovalAct.REJECT:
                self.end(approval, ApprovalState.REJECTED, by=by, at_ns=at_ns)
            case ApprovalAct.SNOOZE:
                self.end(approval, ApprovalState.SNOOZED, by=by, at_ns=at_ns)
            case ApprovalAct.HALVE:
                self.end(approval, ApprovalState.HALVED, by=by, at_ns=at_ns)
                return approval
            case ApprovalAct.APPROVE:
                return self._approve(approval, by)
        return None

    def _approve(self, approval: Approval, by: str) -> Approval | None:
        if by in approval.approved_by:
            return None
        approval = msgspec.structs.replace(approval, approved_by=(*approval.approved_by, by))
        if len(approval.approved_by) < approval.operators_needed:
            self.pending[approval.approval_id] = approval
            self._asked.append(approval)
            return None
        del self.pending[approval.approval_id]
        self._approved[approval.approval_id] = approval
        return approval

    def end(
        self,
        approval: Approval,
        state: ApprovalState,
        *,
        at_ns: int,
        by: str = "",
        why: str = "",
        now_quote: Decimal | None = None,
    ) -> None:
        """End an approval, whether it waits or was approved."""
        self.pending.pop(approval.approval_id, None)
        self._undelivered_until_ns.pop(approval.approval_id, None)
        self._approved.pop(approval.approval_id, None)
        quiet_s = QUIET_S.get(state)
        if quiet_s is not None and (state is ApprovalState.SNOOZED or not approval.is_requested):
            if len(self._quiet_until_ns) >= QUIET_ROUTES_MAX:
                self._forget_quiet(at_ns)
            self._quiet_until_ns[route_of(approval.plan.opportunity)] = at_ns + quiet_s * NS_PER_S
        self._ended.append(
            ApprovalEnd(
                approval_id=approval.approval_id,
                state=state,
                at_ns=at_ns,
                by=by,
                why=why,
                now_quote=now_quote,
            )
        )

    def cover(self, plan: Plan, why: str, at_ns: int) -> None:
        """End what waits of a route that is carried out by other words."""
        route = route_of(plan.opportunity)
        for approval in [*self.pending.values()]:
            if route_of(approval.plan.opportunity) == route:
                self.end(approval, ApprovalState.COVERED, why=why, at_ns=at_ns)

    def expire(self, at_ns: int) -> None:
        """End what has waited for too long, or was not shown in time."""
        for approval in [*self.pending.values()]:
            until_ns = self._undelivered_until_ns.get(approval.approval_id)
            if until_ns is not None and at_ns >= until_ns:
                why = "no chat has shown it in time"
                self.end(approval, ApprovalState.UNDELIVERED, at_ns=at_ns, why=why)
            elif at_ns >= approval.expires_at_ns:
                self.end(approval, ApprovalState.EXPIRED, at_ns=at_ns, why="nobody answered")

    def delivered(self, approval_id: str, at_ns: int) -> None:
        """Learn that a chat has shown it; too late it changes nothing."""
        if at_ns < self._undelivered_until_ns.get(approval_id, at_ns):
            del self._undelivered_until_ns[approval_id]

    def void(self, state: ApprovalState, *, why: str, at_ns: int) -> None:
        """End all that wait."""
        for approval in [*self.pending.values()]:
            self.end(approval, state, at_ns=at_ns, why=why)

    def approved(self, approval_id: str) -> Approval | None:
        """Return an approval that was approved and not used yet."""
        return self._approved.get(approval_id)

    @property
    def has_news(self) -> bool:
        """Whether anything was asked or ended that was not taken yet."""
        return bool(self._asked or self._ended)

    def take_asked(self) -> list[Approval]:
        """Return what was asked, or approved by one of two, since the last call."""
        asked, self._asked = self._asked, []
        return asked

    def take_ended(self) -> list[ApprovalEnd]:
        """Return what ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def step_clock(self, step_ns: int) -> None:
        """Keep what time there was over a step of the clock."""
        self.pending = {
            name: msgspec.structs.replace(one, expires_at_ns=one.expires_at_ns + step_ns)
            for name, one in self.pending.items()
        }
        self._undelivered_until_ns = {
            name: until_ns + step_ns for name, until_ns in self._undelivered_until_ns.items()
        }
        self._quiet_until_ns = {
            route: until_ns + step_ns for route, until_ns in self._quiet_until_ns.items()
        }
        self.left_out.step_clock(step_ns)

    def _forget_quiet(self, at_ns: int) -> None:
        kept = {one: until for one, until in self._quiet_until_ns.items() if until > at_ns}
        while len(kept) >= QUIET_ROUTES_MAX:
            kept.pop(min(kept, key=kept.__getitem__))
        self._quiet_until_ns = kept
