"""The paper executors of plans with orders at books: these meet the board instead of a venue.

Where a transaction is among them, it meets the pools.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.orders import Transaction
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.execute.book_executor import BookExecutor, Way
from engine.execute.book_finished import finish_books
from engine.execute.executor import End, Late
from engine.execute.finished import Finished
from engine.execute.following import OutcomeRules
from engine.execute.late import LateFinished, correct
from engine.execute.legged import LeggedWay
from engine.execute.mixed import MixedWay
from engine.execute.paper_blocks import PaperBlocks
from engine.execute.paper_loop import PaperLoop
from engine.execute.paper_orders import PaperOrders, PaperQuotes
from engine.execute.plan_executor import Around
from engine.portfolio.costs import Costs


def make_paper(around: Around) -> PaperLoop:
    """Make the paper executor of plans of legs."""
    return _make(around, LeggedPlan, LeggedWay())


def make_paper_mixed(around: Around) -> PaperLoop:
    """Make the paper executor of mixed plans."""
    return _make(around, MixedPlan, MixedWay(), PaperBlocks.make(around))


def _make(
    around: Around, takes: type[LeggedPlan | MixedPlan], way: Way, *blocks: PaperBlocks
) -> PaperLoop:
    orders = PaperOrders.make(around)
    machine = BookExecutor(
        way,
        quotes=PaperQuotes(around.venue),
        costs=around.costs,
        unwinding=around.rules,
        outcomes=OutcomeRules(),
        order_rate=around.order_rate,
        is_killed=around.is_killed,
    )
    return PaperLoop(
        takes,
        machine,
        [orders, *blocks],
        BookEndings(orders, blocks, around.costs),
        intend=around.intend,
        waits_for_intents=around.waits_for_intents,
    )


@dataclass(frozen=True, slots=True)
class BookEndings:
    """What such plans come to; see `paper_loop.Endings`."""

    orders: PaperOrders
    blocks: Sequence[PaperBlocks]
    costs: Costs

    def finish(self, end: End, *, void: str) -> Finished:
        """Settle a plan that has ended."""
        plan = end.plan
        if isinstance(plan, MixedPlan):
            transaction = next((one for one in end.orders if isinstance(one, Transaction)), None)
            for line in self.blocks:
                line.end(plan, transaction)
        met = self.orders.end(plan)
        return finish_books(end, met, transfer_bps=self.costs.transfer_bps, void=void)

    def correct(self, late: Late, *, number: int) -> LateFinished:
        """Settle what was told after the end."""
        return correct(late, number=number, transfer_bps=self.costs.transfer_bps)
