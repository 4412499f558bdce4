"""The line to whoever sends: transactions as they are handed over, and what is told of them."""

from collections.abc import Mapping
from typing import Final

from engine.detect.graph.moved_pair import KnownPool
from engine.domain.handed import PoolTerms
from engine.domain.orders import Transaction
from engine.domain.plans import OnChain
from engine.domain.told import Fate, TransactionNews
from engine.execute.order_life import News, OrderEvent
from engine.execute.plan_executor import Sender
from engine.portfolio.taken_pools import TakenPools

_EVENTS: Final[Mapping[Fate, OrderEvent]] = {
    Fate.SUCCEEDED: OrderEvent.FILLED,
    Fate.REVERTED: OrderEvent.CANCELLED,
    Fate.CANCELLED: OrderEvent.CANCELLED,
    Fate.NEVER: OrderEvent.ABSENT,
    Fate.UNDONE: OrderEvent.UNCLEAR,
}


class LiveTransactions:
    """All transactions of one executor: what its plans take of pools, and the way out."""

    def __init__(self, sender: Sender, pools: Mapping[int, KnownPool], taken: TakenPools) -> None:
        # Ways out are no state: what a checkpoint holds begins with nothing on its way.
        self._hand_over_to = sender.hand_over
        self._prepare_at = sender.prepare
        self._ask_after = sender.ask_after
        self._pools = pools
        self._taken = taken

    def begin(self, plan: OnChain) -> None:
        """Count the pools of a new plan as traded until they move."""
        self._taken.take((step.row for step in plan.steps), plan.plan_id)

    def end(self, plan: OnChain, transaction: Transaction | None) -> None:
        """Let others trade the pools of a plan whose transaction is in a block and did nothing.

        So those of a plan of which none was ever meant to leave. Of one that never was in any block
        its pools stay taken until they move: what was refused before it was signed would be
        refused again.
        """
        receipt = None if transaction is None else transaction.receipt
        if transaction is None or (receipt is not None and not receipt.swaps):
            self._taken.release(plan.plan_id)

    def hand_over(
        self,
        plan: OnChain,
        transaction: Transaction,
        approved: OnChain | None,
        *,
        until_ns: int = 0,
    ) -> None:
        """Hand a transaction over, with what a call has to name of its pools."""
        self._hand_over_to(plan, transaction, self._terms_of(plan), approved, until_ns=until_ns)

    def prepare(self, plan: OnChain, transaction: Transaction, approved: OnChain | None) -> None:
        """Say that a transaction may be handed over once its intent is durable."""
        self._prepare_at(plan, transaction, self._terms_of(plan), approved)

    def _terms_of(self, plan: OnChain) -> tuple[PoolTerms, ...]:
        terms = []
        for step in plan.steps:
            known = self._pools.get(step.row)
            if known is None:  # gone meanwhile: whoever sends refuses it for want of its terms
                continue
            spacing = getattr(known.row, "tick_spacing", 0)
            terms.append(PoolTerms(pool=known.pool, tick_spacing=spacing))
        return tuple(terms)

    def ask_after(self, transaction: Transaction) -> None:
        """Ask what became of a transaction."""
        self._ask_after(transaction.client_order_id)


def news_of_transaction(told: TransactionNews) -> News:
    """Return what a machine learns by what is told of a transaction."""
    return News(
        client_order_id=told.client_order_id,
        event=_EVENTS[told.fate],
        receipt=told.receipt,
        version=told.version,
    )
