"""The largest loss of a day."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict, unknown_price
from engine.decide.under_way import PlansUnderWay
from engine.domain.assets import AssetCode
from engine.domain.opportunities import Reason
from engine.domain.units import BPS_PER_UNIT
from engine.market.valuation import Valuation
from engine.portfolio.leftovers import Valued
from engine.portfolio.positions import Positions

DAILY_LOSS_USD: Final = Term(name="daily_loss_usd", unit="USD", default=Decimal(500))

LOSS_RESERVE_BPS: Final = Decimal(100)
"""Part of its exposure that a plan is taken to be able to lose; it counts against the daily loss
from the decision on."""


@dataclass(slots=True)
class DailyLossLimit:
    """Today's realised pnl, marked residuals, and what plans under way may lose."""

    limits: LimitSet
    positions: Positions
    under_way: PlansUnderWay
    valuation: Valuation
    name: str = "daily loss"
    unit: str = DAILY_LOSS_USD.unit
    term: ClassVar[Term | None] = DAILY_LOSS_USD
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.DAILY_LOSS_LIMIT,)

    @classmethod
    def make(cls, run: Circumstances) -> "DailyLossLimit":
        """Make it for a run."""
        return cls(run.limits, run.positions, run.under_way, run.valuation)

    @property
    def limit(self) -> str:
        """Greatest loss of a UTC day."""
        return f"{self.limits[DAILY_LOSS_USD]:f}"

    def used(self, at_ns: int) -> str:
        """Loss so far; 0 on a day with a gain."""
        marked = self._marked(at_ns)
        if marked.unknown is not None:
            return "unknown"
        return f"{max(self._loss_usd(marked, at_ns), Decimal(0)):.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse what could bring the day's loss over the limit."""
        marked = self._marked(at_ns)
        if marked.unknown is not None:
            return unknown_price(marked.unknown)
        loss_usd = self._loss_usd(marked, at_ns)
        figures = draft.figures
        assert figures is not None
        at_risk_usd = figures.exposure_usd + self.under_way.total_usd
        reserve_usd = at_risk_usd * LOSS_RESERVE_BPS / BPS_PER_UNIT
        reserve_usd += figures.gas_usd + self.under_way.gas_usd
        if loss_usd + reserve_usd <= self.limits[DAILY_LOSS_USD]:
            return None
        return Finding(
            reason=Reason.DAILY_LOSS_LIMIT,
            detail=f"lost {loss_usd:.2f} USD today, at risk {reserve_usd:.2f} USD, "
            f"limit {self.limits[DAILY_LOSS_USD]:f} USD",
        )

    def _marked(self, at_ns: int) -> Valued:
        def usd_per(asset: AssetCode) -> Decimal | None:
            return self.valuation.usd_per(asset, at_ns)

        return self.positions.marked(usd_per, at_ns)

    def _loss_usd(self, marked: Valued, at_ns: int) -> Decimal:
        return -self.positions.realised_usd(at_ns) - marked.usd
