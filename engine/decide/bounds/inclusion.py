"""What is to be expected of a transaction that others may be ahead of, where that is advised."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.decide.schedule import Schedules
from engine.domain.advice import InclusionAdvice
from engine.domain.opportunities import Reason
from engine.market.advice_book import DECISION, AdviceBook, chain_of
from engine.market.valuation import Valuation

RATIO_DIGITS: Final = 6
_BPS_STEP: Final = Decimal("0.01")


@dataclass(slots=True)
class InclusionLimit:
    """The edge to be expected must reach the least one: what others take first costs its gas.

    Without advice it lets all through, and with any it lets nothing through that others refuse.
    """

    limits: LimitSet
    advice: AdviceBook
    schedules: Schedules
    valuation: Valuation
    name: str = "likely taken"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.LIKELY_TAKEN,)
    limit: str = "as advised"

    @classmethod
    def make(cls, run: Circumstances) -> "InclusionLimit":
        """Make it for a run."""
        return cls(run.limits, run.advice, run.schedules, run.valuation)

    def used(self, at_ns: int) -> str:
        """Say for how many chains something is advised."""
        del at_ns
        count = len(self.advice.of(InclusionAdvice))
        return f"{count} chains" if count else "-"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse what is too probably taken by others."""
        if not self.advice.all:
            return None
        opportunity, figures = draft.opportunity, draft.figures
        assert figures is not None
        chain = chain_of(opportunity.hops)
        advised = self.advice.about(InclusionAdvice, chain) if chain else None
        usd = None if advised is None else self.valuation.usd_per(opportunity.quote, at_ns)
        if advised is None or usd is None or figures.profit_quote <= 0:
            return None
        profit_usd = figures.profit_quote * usd
        schedule = self.schedules.of(chain, at_ns)
        number = advised.ratio(float(profit_usd), 1 if schedule is None else schedule.blocks)
        ratio = Decimal(str(round(number, RATIO_DIGITS)))
        expected_usd = ratio * profit_usd - (1 - ratio) * figures.gas_usd
        expected_bps = (figures.net_edge_bps * expected_usd / profit_usd).quantize(_BPS_STEP)
        least_bps = self.limits[EDGE_BPS]
        if expected_usd > 0 and expected_bps >= least_bps:
            return None
        self.advice.changes(InclusionAdvice, chain, DECISION)
        return Finding(
            reason=Reason.LIKELY_TAKEN,
            detail=f"{expected_bps:f} of {figures.net_edge_bps:f} bps are to be expected, as it"
            f" is still there with {ratio:.1%}; least {least_bps:f} bps",
        )
