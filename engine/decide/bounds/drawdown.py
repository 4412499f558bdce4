"""How far all that was ever realised may fall below its highest point."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.bounds.daily_loss import LOSS_RESERVE_BPS
from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.decide.under_way import PlansUnderWay
from engine.domain.opportunities import Reason
from engine.domain.units import BPS_PER_UNIT
from engine.portfolio.positions import Positions

DRAWDOWN_USD: Final = Term(name="drawdown_usd", unit="USD", default=Decimal(2_000))


@dataclass(slots=True)
class DrawdownLimit:
    """What was realised over all days, and what plans under way may lose.

    No day and no restart lifts it: a person allows more, or says since when it counts. Leftovers
    count once they are closed; until then the daily loss has them.
    """

    limits: LimitSet
    positions: Positions
    under_way: PlansUnderWay
    name: str = "drawdown"
    unit: str = DRAWDOWN_USD.unit
    term: ClassVar[Term | None] = DRAWDOWN_USD
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.DRAWDOWN_LIMIT,)

    @classmethod
    def make(cls, run: Circumstances) -> "DrawdownLimit":
        """Make it for a run."""
        return cls(run.limits, run.positions, run.under_way)

    @property
    def limit(self) -> str:
        """Greatest fall."""
        return f"{self.limits[DRAWDOWN_USD]:f}"

    def used(self, at_ns: int) -> str:
        """The fall now."""
        del at_ns
        return f"{self.positions.drawdown_usd:.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse what could bring the fall over the limit, and all once it is reached."""
        del at_ns
        figures = draft.figures
        assert figures is not None
        fallen_usd, most_usd = self.positions.drawdown_usd, self.limits[DRAWDOWN_USD]
        at_risk_usd = figures.exposure_usd + self.under_way.total_usd
        reserve_usd = at_risk_usd * LOSS_RESERVE_BPS / BPS_PER_UNIT
        reserve_usd += figures.gas_usd + self.under_way.gas_usd
        if fallen_usd < most_usd and fallen_usd + reserve_usd <= most_usd:
            return None
        return Finding(
            reason=Reason.DRAWDOWN_LIMIT,
            detail=f"realised profit is {fallen_usd:.2f} USD below its highest point, "
            f"at risk {reserve_usd:.2f} USD, limit {most_usd:f} USD",
        )
