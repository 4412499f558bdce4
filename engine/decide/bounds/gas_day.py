"""The most that transactions may pay for gas in a day, whatever they earn."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.decide.under_way import PlansUnderWay
from engine.domain.opportunities import Reason
from engine.portfolio.positions import Positions

GAS_DAY_USD: Final = Term(name="gas_day_usd", unit="USD", default=Decimal(2_000))


@dataclass(slots=True)
class GasDayLimit:
    """What was paid for gas on the UTC day, and the most that what is under way may pay."""

    limits: LimitSet
    positions: Positions
    under_way: PlansUnderWay
    name: str = "gas a day"
    unit: str = GAS_DAY_USD.unit
    term: ClassVar[Term | None] = GAS_DAY_USD
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.GAS_DAY_LIMIT,)

    @classmethod
    def make(cls, run: Circumstances) -> "GasDayLimit":
        """Make it for a run."""
        return cls(run.limits, run.positions, run.under_way)

    @property
    def limit(self) -> str:
        """Most of a UTC day."""
        return f"{self.limits[GAS_DAY_USD]:f}"

    def used(self, at_ns: int) -> str:
        """Paid so far."""
        return f"{self.positions.gas_usd(at_ns):.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a transaction whose gas could bring the day's over the limit."""
        figures = draft.figures
        assert figures is not None
        if not figures.gas_usd:
            return None
        paid_usd = self.positions.gas_usd(at_ns)
        may_usd = self.under_way.gas_usd + figures.gas_usd
        if paid_usd + may_usd <= self.limits[GAS_DAY_USD]:
            return None
        return Finding(
            reason=Reason.GAS_DAY_LIMIT,
            detail=f"gas of {paid_usd:.2f} USD was paid today, up to {may_usd:.2f} USD may be, "
            f"limit {self.limits[GAS_DAY_USD]:f} USD",
        )
