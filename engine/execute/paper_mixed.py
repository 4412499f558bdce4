"""The paper executor of mixed plans: orders meet the board, the transaction meets the pools."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.domain.exact import exact_product
from engine.domain.orders import Execution, Order, Transaction
from engine.domain.plans import MixedPlan
from engine.domain.stories import TradeStory
from engine.execute.executor import End, Late
from engine.execute.finished import Finished, Found
from engine.execute.following import OutcomeRules
from engine.execute.late import LateFinished, correct
from engine.execute.mixed import MixedExecutor
from engine.execute.mixed_story import tell_mixed_story
from engine.execute.paper_blocks import PaperBlocks
from engine.execute.paper_loop import PaperLoop
from engine.execute.paper_orders import PaperOrders, PaperQuotes
from engine.execute.plan_executor import Around
from engine.execute.traded import Met
from engine.portfolio.costs import Costs
from engine.portfolio.settle import Settlement
from engine.portfolio.settle_mixed import settle_mixed


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


def make_paper_mixed(around: Around) -> PaperLoop:
    """Make the paper executor of mixed plans."""
    orders, blocks = PaperOrders.make(around), PaperBlocks.make(around)
    machine = MixedExecutor(
        quotes=PaperQuotes(around.venue),
        costs=around.costs,
        unwinding=around.rules,
        outcomes=OutcomeRules(),
        order_rate=around.order_rate,
        is_killed=around.is_killed,
    )
    return PaperLoop(
        MixedPlan,
        machine,
        [orders, blocks],
        MixedEndings(orders, blocks, around.costs),
        intend=around.intend,
        waits_for_intents=around.waits_for_intents,
    )


@dataclass(frozen=True, slots=True)
class MixedEndings:
    """What mixed plans come to; see `paper_loop.Endings`."""

    orders: PaperOrders
    blocks: PaperBlocks
    costs: Costs

    def finish(self, end: End, *, void: str) -> Finished:
        """Settle a plan that has ended."""
        plan = end.plan
        assert isinstance(plan, MixedPlan)
        orders = tuple(one for one in end.orders if isinstance(one, Order))
        transaction = next((one for one in end.orders if isinstance(one, Transaction)), None)
        self.blocks.end(plan, transaction)
        settlement = settle_mixed(plan, orders, transaction, transfer_bps=self.costs.transfer_bps)
        execution = Execution(
            execution_id=f"{plan.plan_id}-x",
            plan_id=plan.plan_id,
            opportunity_id=plan.opportunity.opportunity_id,
            closed_at_ns=end.at_ns,
            orders=orders,
            quote=plan.opportunity.quote,
            profit_quote=settlement.profit_quote,
            profit_usd=exact_product(settlement.profit_quote, plan.usd_per_quote),
            expected_usd=exact_product(plan.profit_quote, plan.usd_per_quote),
            residuals=settlement.residuals,
            transaction=transaction,
            void=void,
        )
        return MixedFinished(
            plan=plan, execution=execution, settlement=settlement, met=self.orders.end(plan)
        )

    def correct(self, late: Late, *, number: int) -> LateFinished:
        """Settle what was told after the end."""
        return correct(late, number=number, transfer_bps=self.costs.transfer_bps)
