"""The least net edge."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.domain.opportunities import Reason

EDGE_BPS: Final = Term(
    name="net_edge_bps_min",
    unit="bps",
    default=Decimal(10),
    has_zero=True,
    is_floor=True,
    loosens_running=False,
)


@dataclass(slots=True)
class EdgeLimit:
    """The exact net edge must reach the minimum."""

    limits: LimitSet
    name: str = "least net edge"
    unit: str = EDGE_BPS.unit
    term: ClassVar[Term | None] = EDGE_BPS
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.EDGE_BELOW_MIN, Reason.LIQUIDITY_TAKEN)
    least_bps: Decimal | None = None

    @classmethod
    def make(cls, run: Circumstances) -> "EdgeLimit":
        """Make it for a run."""
        return cls(run.limits)

    @property
    def limit(self) -> str:
        """Least edge."""
        return f"{self.limits[EDGE_BPS]:f}"

    def used(self, at_ns: int) -> str:
        """Least edge that was let through."""
        del at_ns
        return "-" if self.least_bps is None else f"{self.least_bps:.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a lower edge, and any loss."""
        del at_ns
        figures = draft.figures
        assert figures is not None
        edge_bps, edge_bps_min = figures.net_edge_bps, self.limits[EDGE_BPS]
        if edge_bps >= edge_bps_min and figures.profit_quote > 0:
            self.least_bps = edge_bps if self.least_bps is None else min(edge_bps, self.least_bps)
            return None
        reason = Reason.LIQUIDITY_TAKEN if figures.touches_taken else Reason.EDGE_BELOW_MIN
        return Finding(reason=reason, detail=f"edge {edge_bps} bps, least {edge_bps_min:f} bps")
