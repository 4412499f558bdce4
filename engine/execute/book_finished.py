"""A plan with orders at books that has ended, alone or around a transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.exact import exact_product
from engine.domain.orders import Execution, Order, Transaction
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.domain.stories import TradeStory
from engine.execute.executor import End
from engine.execute.finished import Found
from engine.execute.mixed_story import tell_mixed_story
from engine.execute.story import tell_story
from engine.execute.traded import Met
from engine.portfolio.settle import Settlement, settle
from engine.portfolio.settle_mixed import settle_mixed


@dataclass(frozen=True, slots=True, kw_only=True)
class LeggedFinished:
    """A plan of legs that has ended.

    Attributes:
        met: what the order of each leg met, by its id.
    """

    plan: LeggedPlan
    execution: Execution
    settlement: Settlement
    met: Mapping[str, Met]

    def booked(self, execution: Execution) -> "LeggedFinished":
        """Return it with the execution as it was booked."""
        return replace(self, execution=execution)

    def story(self, found: Found | None = None) -> TradeStory:
        """Tell what made it come to another profit than was found."""
        return tell_story(self.plan, self.execution, self.settlement, self.met, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedFinished:
    """A mixed plan that has ended.

    Attributes:
        met: what the order of each leg met, by its id.
    """

    plan: MixedPlan
    execution: Execution
    settlement: Settlement
    met: Mapping[str, Met]

    def booked(self, execution: Execution) -> "MixedFinished":
        """Return it with the execution as it was booked."""
        return replace(self, execution=execution)

    def story(self, found: Found | None = None) -> TradeStory:
        """Tell what made it come to another profit than was found."""
        return tell_mixed_story(self.plan, self.execution, self.settlement, self.met, found)


def finish_books(
    end: End, met: Mapping[str, Met], *, transfer_bps: Decimal, void: str
) -> LeggedFinished | MixedFinished:
    """Settle a plan that has ended; `void` says why it counts nothing, if it does not."""
    plan = end.plan
    orders = tuple(one for one in end.orders if isinstance(one, Order))
    transaction = next((one for one in end.orders if isinstance(one, Transaction)), None)
    if isinstance(plan, MixedPlan):
        settled = settle_mixed(plan, orders, transaction, transfer_bps=transfer_bps)
        execution = _execution(plan, settled, end, orders, transaction=transaction, void=void)
        return MixedFinished(plan=plan, execution=execution, settlement=settled, met=met)
    assert isinstance(plan, LeggedPlan)
    settled = settle(plan, orders, transfer_bps=transfer_bps)
    execution = _execution(plan, settled, end, orders, transaction=None, void=void)
    return LeggedFinished(plan=plan, execution=execution, settlement=settled, met=met)


def _execution(
    plan: LeggedPlan | MixedPlan,
    settled: Settlement,
    end: End,
    orders: tuple[Order, ...],
    *,
    transaction: Transaction | None,
    void: str,
) -> Execution:
    return Execution(
        execution_id=f"{plan.plan_id}-x",
        plan_id=plan.plan_id,
        opportunity_id=plan.opportunity.opportunity_id,
        closed_at_ns=end.at_ns,
        orders=orders,
        quote=plan.opportunity.quote,
        profit_quote=settled.profit_quote,
        profit_usd=exact_product(settled.profit_quote, plan.usd_per_quote),
        expected_usd=exact_product(plan.profit_quote, plan.usd_per_quote),
        residuals=settled.residuals,
        transaction=transaction,
        void=void,
    )
