"""Mandates of a run: which plans they cover, what was spent, and what ends them."""

import msgspec

from engine.domain.instruments import VenueId
from engine.domain.mandates import PLANS_MAX, Mandate, MandateUse, ScopeKind
from engine.domain.orders import Execution, Purpose
from engine.domain.permits import PermitKind
from engine.domain.plans import Plan


class Mandates:
    """What was granted and has not ended."""

    def __init__(self) -> None:
        self.open: dict[str, MandateUse] = {}
        self._venues: dict[str, set[VenueId]] = {}
        self._changed: list[MandateUse] = []

    def grant(self, mandate: Mandate) -> None:
        """Add a mandate; one of the same id stays as it is."""
        if mandate.mandate_id not in self.open:
            self._put(MandateUse(mandate=mandate))
            self._venues[mandate.mandate_id] = set()

    def covering(self, plan: Plan, at_ns: int) -> Mandate | None:
        """Return the mandate that covers a plan whole, the one that ends first if several do."""
        found = [use.mandate for use in self.open.values() if not self._refusal(use, plan, at_ns)]
        return min(found, key=lambda one: (one.expires_at_ns, one.mandate_id), default=None)

    def refusal(self, mandate_id: str, plan: Plan, at_ns: int) -> str:
        """Say why a mandate does not cover a plan, nothing if it does."""
        use = self.open.get(mandate_id)
        return "there is no such mandate" if use is None else self._refusal(use, plan, at_ns)

    def spend(self, mandate_id: str, plan: Plan) -> None:
        """Count a plan that is started."""
        use = self.open[mandate_id]
        self._venues[mandate_id].update(hop.venue for hop in plan.opportunity.hops)
        spent_usd = use.spent_usd + plan.notional_usd
        self._put(msgspec.structs.replace(use, spent_usd=spent_usd, plans=use.plans + 1))

    def finished(self, plan: Plan, execution: Execution) -> None:
        """Count what came of a plan; one that failed in part ends its mandate."""
        permit = plan.permit
        if permit is None or permit.kind is not PermitKind.MANDATE or permit.id not in self.open:
            return
        use, at_ns = self.open[permit.id], execution.closed_at_ns
        realised_usd = use.realised_usd + execution.profit_usd
        self._put(msgspec.structs.replace(use, realised_usd=realised_usd))
        if _has_failed_leg(execution):
            self.end(permit.id, why="a leg failed: it was filled in part or not", at_ns=at_ns)
        elif execution.why_reverted:
            self.end(permit.id, why="a transaction reverted", at_ns=at_ns)

    def venue_lost(self, venue: VenueId, at_ns: int) -> None:
        """End what trades at a venue that was lost: it would decide by stale prices."""
        for mandate_id, use in [*self.open.items()]:
            scope = use.mandate.scope
            is_named = scope.kind is ScopeKind.VENUE and scope.name == venue
            # A route begins each of its legs with the venue and a stroke.
            on_route = scope.kind is ScopeKind.ROUTE and f"{venue}/" in scope.name
            if is_named or on_route or venue in self._venues[mandate_id]:
                self.end(mandate_id, why=f"{venue} was lost", at_ns=at_ns)

    def end(self, mandate_id: str, *, why: str, at_ns: int, by: str = "") -> None:
        """End a mandate; one that has ended stays as it is."""
        use = self.open.pop(mandate_id, None)
        if use is None:
            return
        del self._venues[mandate_id]
        self._changed.append(
            msgspec.structs.replace(use, ended=why, ended_at_ns=at_ns, ended_by=by)
        )

    def end_all(self, *, why: str, at_ns: int, by: str = "") -> None:
        """End all."""
        for mandate_id in [*self.open]:
            self.end(mandate_id, why=why, at_ns=at_ns, by=by)

    def expire(self, at_ns: int) -> None:
        """End what has run its time."""
        for mandate_id, use in [*self.open.items()]:
            if at_ns >= use.mandate.expires_at_ns:
                self.end(mandate_id, why="its time is over", at_ns=at_ns)

    @property
    def has_news(self) -> bool:
        """Whether any changed that was not taken yet."""
        return bool(self._changed)

    def take_changed(self) -> list[MandateUse]:
        """Return how mandates are that changed since the last call, in order."""
        changed, self._changed = self._changed, []
        return changed

    def step_clock(self, step_ns: int) -> None:
        """Keep the time that is left over a step of the clock."""
        for mandate_id, use in self.open.items():
            ends_ns = use.mandate.expires_at_ns + step_ns
            mandate = msgspec.structs.replace(use.mandate, expires_at_ns=ends_ns)
            self.open[mandate_id] = msgspec.structs.replace(use, mandate=mandate)

    def _put(self, use: MandateUse) -> None:
        self.open[use.mandate.mandate_id] = use
        self._changed.append(use)

    def _refusal(self, use: MandateUse, plan: Plan, at_ns: int) -> str:
        mandate, edge_bps, usd = use.mandate, plan.net_edge_bps, plan.notional_usd
        if at_ns >= mandate.expires_at_ns:
            return "its time is over"
        if not mandate.scope.covers(plan.opportunity):
            return "it is for something else"
        if edge_bps < mandate.edge_bps_min:
            return f"{edge_bps:f} bps is below its {mandate.edge_bps_min:f} bps"
        if usd > mandate.each_usd_max:
            return f"{usd:.2f} USD is above its {mandate.each_usd_max:f} USD each"
        if usd > use.left_usd:
            return f"{usd:.2f} USD is above the {use.left_usd:.2f} USD left"
        return f"its {PLANS_MAX} plans are done" if use.plans >= PLANS_MAX else ""


def _has_failed_leg(execution: Execution) -> bool:
    """Say whether some legs were filled and others not, or not whole; dust is no failure."""
    legs = [order for order in execution.orders if order.purpose is Purpose.LEG]
    return execution.is_traded and any(leg.filled_base < leg.size_base for leg in legs)
