"""The largest position."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, ShrinkTo, Verdict, unknown_price
from engine.decide.under_way import PlansUnderWay
from engine.domain.assets import AssetCode
from engine.domain.opportunities import Reason
from engine.market.valuation import Valuation
from engine.portfolio.leftovers import Valued
from engine.portfolio.positions import Positions

POSITION_USD: Final = Term(name="position_usd", unit="USD", default=Decimal(1_000))


@dataclass(slots=True)
class PositionLimit:
    """Residuals, plans under way and the draft together; a larger draft is shrunk to fit."""

    limits: LimitSet
    positions: Positions
    under_way: PlansUnderWay
    valuation: Valuation
    name: str = "position"
    unit: str = POSITION_USD.unit
    term: ClassVar[Term | None] = POSITION_USD
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.POSITION_LIMIT,)

    @classmethod
    def make(cls, run: Circumstances) -> "PositionLimit":
        """Make it for a run."""
        return cls(run.limits, run.positions, run.under_way, run.valuation)

    @property
    def limit(self) -> str:
        """Greatest position."""
        return f"{self.limits[POSITION_USD]:f}"

    def used(self, at_ns: int) -> str:
        """Residuals and plans under way."""
        left = self._left_over(at_ns)
        if left.unknown is not None:
            return "unknown"
        return f"{left.usd + self.under_way.total_usd:.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse if nothing fits, shrink if less fits."""
        figures = draft.figures
        assert figures is not None
        left = self._left_over(at_ns)
        if left.unknown is not None:
            return unknown_price(left.unknown)
        if left.unpriced and (more := left.unpriced.intersection(figures.left_over)):
            return Finding(
                reason=Reason.NO_USD_PRICE,
                detail=f"more than dust of {', '.join(sorted(more))} is left over and has no USD "
                "price now; nothing may be added to it",
            )
        used_usd = left.usd + self.under_way.total_usd
        room_usd = self.limits[POSITION_USD] - used_usd
        # What leaves nothing over takes no room, even of a position that has outgrown the limit.
        if figures.exposure_usd <= room_usd or not figures.exposure_usd:
            return None
        return ShrinkTo(
            size_base=max(figures.size_base * room_usd / figures.exposure_usd, Decimal(0)),
            reason=Reason.POSITION_LIMIT,
            detail=f"used {used_usd:.2f} USD, limit {self.limits[POSITION_USD]:f} USD",
        )

    def _left_over(self, at_ns: int) -> Valued:
        def usd_per(asset: AssetCode) -> Decimal | None:
            return self.valuation.usd_per(asset, at_ns)

        return self.positions.exposure(usd_per, at_ns)
