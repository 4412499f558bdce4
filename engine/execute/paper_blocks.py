"""Chains as far as paper transactions wait for them: each meets the pools when its block comes.

All of it or nothing, in one go. Its gas is paid in both cases, at the price of the time; while that
is above what the plan allows no block takes it, and it lands a block later or never.
"""

import heapq
from dataclasses import dataclass, replace

from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.orders import Sendable, Transaction
from engine.domain.plans import AtomicPlan, MixedPlan, OnChain, Plan
from engine.execute.executor import NEVER_NS, Send
from engine.execute.order_life import News, OrderEvent
from engine.execute.paper_chains import PaperChains
from engine.execute.plan_executor import Around


@dataclass(frozen=True, slots=True)
class _Pending:
    """A transaction that waits for a block, and for how many it did before."""

    plan: OnChain
    client_order_id: str
    blocks: int = 1


class PaperBlocks:
    """All transactions of one executor; see `paper_loop.PaperLine`."""

    def __init__(self, chains: PaperChains) -> None:
        self._chains = chains
        self.next_at_ns = NEVER_NS
        self._arrivals: list[tuple[int, int, _Pending]] = []
        self._sent = 0

    @classmethod
    def make(cls, around: Around) -> "PaperBlocks":
        """Make it of what executors are made of."""
        return cls(PaperChains(around.pools, around.taken_pools, around.chains))

    def begin(self, plan: Plan, *, is_new: bool) -> None:
        """Count the pools of a new plan as traded until they move."""
        if is_new:
            self._chains.take(_on_chain(plan))

    def end(self, plan: OnChain, transaction: Transaction | None) -> None:
        """Forget a plan; pools that its transaction did not trade are there for others."""
        if transaction is None or not transaction.turned:
            self._chains.release(plan)

    def takes(self, order: Sendable) -> bool:
        """Say whether it is a transaction."""
        return isinstance(order, Transaction)

    def send(self, send: Send, at_ns: int) -> None:
        """Let a transaction wait for its block."""
        plan, transaction = _on_chain(send.plan), send.order
        assert isinstance(transaction, Transaction)
        if isinstance(plan, MixedPlan) and transaction.amount_in is not None:
            plan = plan.with_input(transaction.amount_in)
        self._await_block(_Pending(plan, transaction.client_order_id), at_ns)

    def meet(self, at_ns: int) -> News | None:
        """Carry a transaction out on the pools as they are; None if it waits for another block."""
        pending = heapq.heappop(self._arrivals)[2]
        news = self._land(pending, at_ns)
        self.next_at_ns = self._arrivals[0][0] if self._arrivals else NEVER_NS
        return news

    def _await_block(self, pending: _Pending, at_ns: int) -> None:
        self._sent += 1
        lands_at_ns = at_ns + self._chains.block_ns(pending.plan)
        heapq.heappush(self._arrivals, (lands_at_ns, self._sent, pending))
        self.next_at_ns = self._arrivals[0][0]

    def _land(self, pending: _Pending, at_ns: int) -> News | None:
        plan, client_order_id = pending.plan, pending.client_order_id
        if self._chains.why_not_sent(plan, at_ns):
            return News(client_order_id=client_order_id, event=OrderEvent.REFUSED)
        if self._chains.is_priced_out(plan):
            if self._chains.is_last_block(plan) or pending.blocks >= DEADLINE_BLOCKS:
                return News(client_order_id=client_order_id, event=OrderEvent.REFUSED)
            self._await_block(replace(pending, blocks=pending.blocks + 1), at_ns)
            return None
        receipt = self._chains.land(plan, at_ns)
        event = OrderEvent.CANCELLED if receipt.is_reverted else OrderEvent.FILLED
        return News(client_order_id=client_order_id, event=event, receipt=receipt)


def _on_chain(plan: Plan) -> OnChain:
    assert isinstance(plan, AtomicPlan | MixedPlan)
    return plan
