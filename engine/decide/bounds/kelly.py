"""Plans no larger than a part of the Kelly bet on what own trades came to; off unless it is set."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import Term
from engine.decide.limits import Draft, ShrinkTo, Verdict
from engine.decide.under_way import PlansUnderWay
from engine.domain.measured_edge import kelly_notional
from engine.domain.opportunities import Reason
from engine.domain.units import BPS_PER_UNIT
from engine.market.valuation import Valuation
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions

_ZERO = Decimal(0)


@dataclass(slots=True)
class KellyLimit:
    """What is under way on any route is one bet with the draft: no two are taken as independent.

    Transactions that do all or nothing stay as they are: a smaller one would be another route.
    """

    kelly_ratio: Decimal
    positions: Positions
    inventory: Inventory
    under_way: PlansUnderWay
    valuation: Valuation
    name: str = "Kelly size"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.KELLY_SIZE,)

    @classmethod
    def make(cls, run: Circumstances) -> "KellyLimit":
        """Make it for a run."""
        return cls(run.kelly_ratio, run.positions, run.inventory, run.under_way, run.valuation)

    @property
    def limit(self) -> str:
        """The part of it that is bet."""
        return f"{self.kelly_ratio:f} of Kelly" if self.kelly_ratio else "off"

    def used(self, at_ns: int) -> str:
        """What was measured."""
        del at_ns
        return self._measured() if self.kelly_ratio else "-"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Shrink what is larger than the bet that what was measured bears."""
        figures = draft.figures
        assert figures is not None
        if not self.kelly_ratio or not figures.is_scalable:
            return None
        found_bps = Decimal(draft.opportunity.net_edge_bps)
        usd = self.valuation.usd_per(draft.opportunity.quote, at_ns)
        if usd is None:
            return None
        if min(found_bps, figures.net_edge_bps, figures.profit_quote) <= 0:
            return None
        # By the edge as it was found: that of a smaller size is another, and no size would stand.
        most_usd = kelly_notional(
            self.positions.edge,
            expected_ratio=found_bps / BPS_PER_UNIT,
            kelly_ratio=self.kelly_ratio,
            capital_usd=self._capital_usd(at_ns),
        )
        if most_usd is None:
            return None
        notional_usd = figures.profit_quote * usd * BPS_PER_UNIT / figures.net_edge_bps
        room_usd = max(most_usd - self.under_way.total_usd, _ZERO)
        if notional_usd <= room_usd:
            return None
        return ShrinkTo(
            size_base=figures.size_base * room_usd / notional_usd,
            reason=Reason.KELLY_SIZE,
            detail=f"{self.kelly_ratio:f} of Kelly is {most_usd:.2f} USD: {self._measured()}, "
            f"{self.under_way.total_usd:.2f} USD under way",
        )

    def _measured(self) -> str:
        edge = self.positions.edge
        return (
            f"{edge.count} trades came to {edge.mean:.2f} of what was expected "
            f"(variance {edge.variance:.2f})"
        )

    def _capital_usd(self, at_ns: int) -> Decimal:
        """What is held; an asset without a price counts nothing."""
        return sum(
            (
                one.held.value * usd
                for one in self.inventory.holdings
                if (usd := self.valuation.usd_per(one.held.asset, at_ns)) is not None
            ),
            _ZERO,
        )
