"""A plan of one transaction that has ended, on paper or on its chain."""

from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.exact import exact_product, exact_sum
from engine.domain.orders import Execution, Transaction
from engine.domain.plans import AtomicPlan
from engine.domain.stories import TradeStory
from engine.execute.atomic_story import tell_atomic_story
from engine.execute.executor import End
from engine.execute.finished import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomicFinished:
    """A transaction that has ended."""

    plan: AtomicPlan
    execution: Execution

    def booked(self, execution: Execution) -> "AtomicFinished":
        """Return it with the execution as it was booked."""
        return replace(self, execution=execution)

    def story(self, found: Found | None = None) -> TradeStory:
        """Tell what made it come to another profit than was found."""
        return tell_atomic_story(self.plan, self.execution, found)


def finish_atomic(end: End, *, void: str = "") -> AtomicFinished:
    """Make the execution of a plan that has ended; `void` says why it counts nothing."""
    plan = end.plan
    assert isinstance(plan, AtomicPlan)
    transaction = next((one for one in end.orders if isinstance(one, Transaction)), None)
    profit = Decimal(0)
    if transaction is not None and transaction.receipt is not None:
        profit = exact_sum((transaction.gain, -transaction.receipt.gas_quote))
    opportunity = plan.opportunity
    return AtomicFinished(
        plan=plan,
        execution=Execution(
            execution_id=f"{plan.plan_id}-x",
            plan_id=plan.plan_id,
            opportunity_id=opportunity.opportunity_id,
            closed_at_ns=end.at_ns,
            orders=(),
            quote=opportunity.quote,
            profit_quote=profit,
            profit_usd=exact_product(profit, plan.usd_per_quote),
            expected_usd=exact_product(plan.profit_quote, plan.usd_per_quote),
            transaction=transaction,
            void=void,
        ),
    )
