"""The most orders within any minute."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.decide.order_rate import OrderRate
from engine.domain.opportunities import Reason

ORDERS_PER_MINUTE: Final = Term(
    name="orders_per_minute_max",
    unit="a minute",
    default=Decimal(60),
    least=Decimal(2),
    is_whole=True,
)
"""A plan has two orders at least."""


@dataclass(slots=True)
class OrderRateLimit:
    """Orders sent within any minute."""

    rate: OrderRate
    limits: LimitSet
    name: str = "order rate"
    unit: str = ORDERS_PER_MINUTE.unit
    term: ClassVar[Term | None] = ORDERS_PER_MINUTE
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.ORDER_RATE_LIMIT,)

    @classmethod
    def make(cls, run: Circumstances) -> "OrderRateLimit":
        """Make it for a run."""
        return cls(run.order_rate, run.limits)

    @property
    def limit(self) -> str:
        """Most orders a minute."""
        return f"{self.limits[ORDERS_PER_MINUTE]:f}"

    def used(self, at_ns: int) -> str:
        """Orders of the last minute."""
        return str(self.rate.last_minute(at_ns))

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse if the plan's legs would be too many."""
        figures = draft.figures
        assert figures is not None
        used, most = self.rate.last_minute(at_ns), self.limits[ORDERS_PER_MINUTE]
        if used + figures.orders <= most:
            return None
        return Finding(
            reason=Reason.ORDER_RATE_LIMIT,
            detail=f"{used} orders in the last minute, limit {most:f}",
        )
