"""Plans under way: what they may still cost, from the decision until the execution is booked."""

from collections.abc import Iterable
from decimal import Decimal

from engine.domain.opportunities import Leg, Plan, Side


def exposure_quote(legs: Iterable[Leg]) -> Decimal:
    """Return what one leg alone would leave us holding or owing, at the decided prices."""
    return max(
        leg.size_base * leg.price_limit if leg.side is Side.BUY else leg.notional_quote
        for leg in legs
    )


class PlansUnderWay:
    """Exposure by plan."""

    def __init__(self) -> None:
        self._usd_by_plan: dict[str, Decimal] = {}

    def add(self, plan: Plan) -> None:
        """Count a plan that was just made."""
        self._usd_by_plan[plan.plan_id] = exposure_quote(plan.legs) * plan.usd_per_quote

    def remove(self, plan_id: str) -> None:
        """Stop counting a plan whose execution is booked in the positions."""
        del self._usd_by_plan[plan_id]

    @property
    def total_usd(self) -> Decimal:
        """Exposure of all plans under way."""
        return sum(self._usd_by_plan.values(), Decimal(0))

    def __len__(self) -> int:
        return len(self._usd_by_plan)
