"""The paper executor of transactions: each meets the pools as they are when its block comes.

All of it or nothing, in one go. Its gas is paid in both cases, at the price of the time; while that
is above what the plan allows no block takes it, and it lands a block later or never.
"""

import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.orders import Intent, Transaction
from engine.domain.plans import AtomicPlan
from engine.execute.atomic import AtomicExecutor
from engine.execute.atomic_finished import finish_atomic
from engine.execute.executor import NEVER_NS, Act, Alarm, End, Late, LookUp, Send, Store
from engine.execute.finished import Finished
from engine.execute.following import OutcomeRules
from engine.execute.late import correct
from engine.execute.order_life import News, OrderEvent
from engine.execute.paper_chains import PaperChains
from engine.execute.plan_executor import VOID, Around, Intend

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A transaction that waits for a block, and for how many it did before."""

    plan: AtomicPlan
    transaction: Transaction
    blocks: int = 1


class PaperAtomicExecutor:
    """Executes transactions against the pools without sending anything anywhere.

    Attributes:
        next_at_ns: instant of the next event; `advance` does nothing before it.
        waiting: transactions that are to leave once their intent is durable, and since when.
    """

    takes = AtomicPlan
    is_live = False

    def __init__(
        self,
        *,
        chains: PaperChains,
        is_killed: Callable[[], bool],
        intend: Intend,
        waits_for_intents: bool,
    ) -> None:
        self._intend = intend
        self._waits_for_intents = waits_for_intents
        self._chains = chains
        self._atomic = AtomicExecutor(outcomes=OutcomeRules(), is_killed=is_killed)
        self._arrivals: list[tuple[int, int, _Pending]] = []
        self._sent = 0
        self.next_at_ns = NEVER_NS
        self.waiting: dict[str, int] = {}
        self._unsaid: list[Finished] = []
        self._late = 0
        self._recovered: set[str] = set()

    @classmethod
    def make(cls, around: Around) -> "PaperAtomicExecutor":
        """Make it of what executors are made of."""
        return cls(
            chains=PaperChains(around.pools, around.taken_pools, around.chains),
            is_killed=around.is_killed,
            intend=around.intend,
            waits_for_intents=around.waits_for_intents,
        )

    def start(self, plan: AtomicPlan, at_ns: int) -> None:
        """Send the transaction; a plan past its deadline ends at the next advance, unsent."""
        self._chains.take(plan)
        acts = self._atomic.start(plan, at_ns)
        if intended := [act.order for act in acts if isinstance(act, Store)]:
            self._intend(Intent.of(plan, intended))
        # Withheld at once, it has ended already: the next advance says so.
        self._unsaid += self._carry_out(acts, at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; the next advance ends it."""
        plan = intent.plan
        assert isinstance(plan, self.takes)
        self._recovered.add(plan.plan_id)
        self._unsaid += self._carry_out(self._atomic.recover(intent, at_ns), at_ns)
        self.next_at_ns = min(self.next_at_ns, at_ns)

    def stored(self, client_order_id: str, at_ns: int) -> None:
        """Send a transaction whose intent is durable; what ends by it the next advance says."""
        self.waiting.pop(client_order_id, None)
        self._unsaid += self._carry_out(self._atomic.stored(client_order_id, at_ns), at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan of its own."""
        return self._atomic.knows(client_order_id)

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order from elsewhere; what ends by it the next advance says."""
        if news.event is OrderEvent.WITHHELD:
            self.waiting.pop(news.client_order_id, None)
        self._unsaid += self._carry_out(self._atomic.on_news(news, at_ns), at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended."""
        if self._unsaid:
            self._plan_ahead()
        finished, self._unsaid = self._unsaid, []
        while (due_ns := self.next_at_ns) <= at_ns and due_ns != NEVER_NS:
            if self._arrivals and self._arrivals[0][0] == due_ns:
                news = self._land(heapq.heappop(self._arrivals)[2], due_ns)
                acts = () if news is None else self._atomic.on_news(news, due_ns)
            else:
                acts = self._atomic.tick(due_ns)
            finished += self._carry_out(acts, due_ns)
        return finished

    def _carry_out(self, acts: Iterable[Act], at_ns: int) -> list[Finished]:
        finished: list[Finished] = []
        waiting = deque(acts)
        while waiting:
            act = waiting.popleft()
            if isinstance(act, Store):
                if self._waits_for_intents:
                    self.waiting[act.order.client_order_id] = at_ns
                else:
                    waiting.extend(self._atomic.stored(act.order.client_order_id, at_ns))
            elif isinstance(act, Send):
                assert isinstance(act.plan, AtomicPlan)
                assert isinstance(act.order, Transaction)
                self._await_block(_Pending(act.plan, act.order), at_ns)
            elif isinstance(act, Alarm):
                _log.warning("%s: %s", act.plan_id, act.sentence)
            elif isinstance(act, LookUp):
                # What is not in the ledger never was: nothing of a paper order is anywhere else.
                order_id = act.order.client_order_id
                absent = News(client_order_id=order_id, event=OrderEvent.ABSENT)
                waiting.extend(self._atomic.on_news(absent, at_ns))
            elif isinstance(act, Late):
                self._late += 1
                finished.append(correct(act, number=self._late))
            elif isinstance(act, End):
                finished.append(
                    finish_atomic(act, void=VOID if act.plan.plan_id in self._recovered else "")
                )
        self._plan_ahead()
        return finished

    def _plan_ahead(self) -> None:
        arrival_ns = self._arrivals[0][0] if self._arrivals else NEVER_NS
        self.next_at_ns = min(arrival_ns, self._atomic.next_at_ns)

    def _await_block(self, pending: _Pending, at_ns: int) -> None:
        self._sent += 1
        lands_at_ns = at_ns + self._chains.block_ns(pending.plan)
        heapq.heappush(self._arrivals, (lands_at_ns, self._sent, pending))

    def _land(self, pending: _Pending, at_ns: int) -> News | None:
        """Carry a transaction out on the pools as they are; None if it waits for another block."""
        plan, client_order_id = pending.plan, pending.transaction.client_order_id
        if self._chains.is_priced_out(plan):
            if self._chains.is_last_block(plan) or pending.blocks >= DEADLINE_BLOCKS:
                return News(client_order_id=client_order_id, event=OrderEvent.REFUSED)
            self._await_block(replace(pending, blocks=pending.blocks + 1), at_ns)
            return None
        receipt = self._chains.land(plan, at_ns)
        event = OrderEvent.CANCELLED if receipt.is_reverted else OrderEvent.FILLED
        return News(client_order_id=client_order_id, event=event, receipt=receipt)
