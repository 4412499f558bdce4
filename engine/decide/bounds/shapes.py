"""What is known of a route's shape by trials on a fork, where that is advised: off, or dearer."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.bounds.inclusion import RATIO_DIGITS
from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.domain.advice import ShapeGasAdvice, ShapeOffAdvice
from engine.domain.opportunities import Reason
from engine.domain.trials import shape_of_hops
from engine.market.advice_book import DECISION, AdviceBook, chain_of
from engine.market.valuation import Valuation


@dataclass(slots=True)
class ShapeLimit:
    """A shape that fails on a fork is not sent; one that takes more gas has to pay for it.

    Without advice it lets all through, and with any it lets nothing through that others refuse.
    """

    limits: LimitSet
    advice: AdviceBook
    valuation: Valuation
    name: str = "failing routes"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.ROUTE_FAILS, Reason.GAS_TOO_DEAR)
    limit: str = "as advised"

    @classmethod
    def make(cls, run: Circumstances) -> "ShapeLimit":
        """Make it for a run."""
        return cls(run.limits, run.advice, run.valuation)

    def used(self, at_ns: int) -> str:
        """Say how many shapes are off."""
        del at_ns
        count = len(self.advice.of(ShapeOffAdvice))
        return f"{count} shapes off" if count else "-"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse what fails, and what does not pay the gas that its shape takes."""
        if not self.advice.all:
            return None
        opportunity, figures = draft.opportunity, draft.figures
        chain = chain_of(opportunity.hops)
        if not chain:
            return None
        subject = f"{chain} {shape_of_hops(opportunity.hops)}"
        off = self.advice.about(ShapeOffAdvice, subject)
        if off is not None:
            self.advice.changes(ShapeOffAdvice, subject, DECISION)
            return Finding(
                reason=Reason.ROUTE_FAILS, detail=f"{off.shape} fails on a fork: {off.why}"
            )
        dearer = self.advice.about(ShapeGasAdvice, subject)
        usd = None if dearer is None else self.valuation.usd_per(opportunity.quote, at_ns)
        if dearer is None or usd is None or figures is None or figures.profit_quote <= 0:
            return None
        more_usd = figures.gas_usd * (Decimal(str(round(dearer.ratio, RATIO_DIGITS))) - 1)
        profit_usd = figures.profit_quote * usd
        left_bps = figures.net_edge_bps * (profit_usd - more_usd) / profit_usd
        least_bps = self.limits[EDGE_BPS]
        if profit_usd > more_usd and left_bps >= least_bps:
            return None
        self.advice.changes(ShapeGasAdvice, subject, DECISION)
        return Finding(
            reason=Reason.GAS_TOO_DEAR,
            detail=f"{dearer.shape} takes {dearer.ratio:.2f} times the gas that is reckoned with;"
            f" {left_bps:.2f} bps are left of {figures.net_edge_bps:f}, least {least_bps:f} bps",
        )
