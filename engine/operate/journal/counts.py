"""What a run has come to so far, in figures for reports."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.exact import exact_sum
from engine.domain.mixed_routes import why_watched
from engine.domain.opportunities import HopKind, Opportunity, Reason, Refusal
from engine.domain.orders import Execution
from engine.domain.plans import Plan, is_live


@dataclass(slots=True)
class Counts:
    """Counts since the start of the run; an opportunity's refusals count once per reason.

    Attributes:
        traded, profit_usd: on paper, as the figures by kind.
        traded_live, profit_usd_live: of what was signed and sent.
    """

    found: int = 0
    found_by_legs: Counter[int] = field(default_factory=Counter)
    found_by_kind: Counter[str] = field(default_factory=Counter)
    """Through books, pools, or both."""

    watched: Counter[str] = field(default_factory=Counter)
    """Found beside these: what no executor carries out, by why; it is in no other count."""

    planned: int = 0
    traded: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    profit_usd: Decimal = Decimal(0)
    traded_live: int = 0
    profit_usd_live: Decimal = Decimal(0)
    traded_by_kind: Counter[str] = field(default_factory=Counter)
    profit_usd_by_kind: dict[str, Decimal] = field(default_factory=dict)
    """As `found_by_kind`."""

    def add_found(self, opportunity: Opportunity) -> None:
        """Count a new opportunity."""
        if why := why_watched(opportunity.hops):
            self.watched[why] += 1
            return
        self.found += 1
        self.found_by_legs[len(opportunity.hops)] += 1
        self.found_by_kind[_kind_of(opportunity)] += 1

    def add_decision(self, decision: Plan | Refusal) -> None:
        """Count a decision that is another than those on the same opportunity before."""
        if isinstance(decision, Refusal):
            self.refused[decision.reason] += 1
        else:
            self.planned += 1

    def add_execution(self, plan: Plan, execution: Execution) -> None:
        """Count what a plan came to; what corrects one is no trade more."""
        kind, is_more = _kind_of(plan.opportunity), execution.is_traded and not execution.corrects
        if is_live(plan):
            self.traded_live += is_more
            self.profit_usd_live = exact_sum((self.profit_usd_live, execution.realised_usd))
            return
        self.traded += is_more
        self.traded_by_kind[kind] += is_more
        self.profit_usd = exact_sum((self.profit_usd, execution.realised_usd))
        before = self.profit_usd_by_kind.get(kind, Decimal(0))
        self.profit_usd_by_kind[kind] = exact_sum((before, execution.realised_usd))


def _kind_of(opportunity: Opportunity) -> str:
    kinds = {f"{hop.kind}s" for hop in opportunity.hops if hop.kind is not HopKind.BRIDGE}
    return " and ".join(sorted(kinds))
