"""The executor of transactions that are really sent: it hands them over, and is told what became.

It has the machine of the paper executor, and nothing of its own that a replay lacks: what leaves
does so through a port, and what comes back is an input with a number. Whoever sends carries a plan
out once, however often it is handed over, and never one that was asked after before it came.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from engine.detect.graph.moved_pair import KnownPool
from engine.domain.orders import Intent, Sendable, Transaction
from engine.domain.plans import AtomicPlan, Plan
from engine.domain.told import TransactionNews
from engine.execute.atomic import AtomicExecutor
from engine.execute.atomic_finished import finish_atomic
from engine.execute.executor import Act, Alarm, End, Late, LookUp, Send, Store
from engine.execute.finished import Finished
from engine.execute.following import OutcomeRules
from engine.execute.late import correct
from engine.execute.live_transactions import LiveTransactions, news_of_transaction
from engine.execute.order_life import News, OrderEvent
from engine.execute.plan_executor import Around, Intend, Sender, no_terms
from engine.portfolio.taken_pools import TakenPools

_log = logging.getLogger(__name__)


class LiveAtomicExecutor:
    """Executes plans that are one transaction by handing them over; see `PlanExecutor`.

    Attributes:
        next_at_ns: instant of the next event; `advance` does nothing before it.
        waiting: transactions that are to leave once their intent is durable, and since when.
    """

    takes = AtomicPlan
    is_live = True

    def __init__(
        self,
        *,
        sender: Sender,
        pools: Mapping[int, KnownPool],
        taken: TakenPools,
        is_killed: Callable[[], bool],
        intend: Intend,
        waits_for_intents: bool,
        terms_of: Callable[[Plan], Plan | None] = no_terms,
    ) -> None:
        self._chain = LiveTransactions(sender, pools, taken)
        self._terms_of = terms_of
        self._terms: dict[str, AtomicPlan] = {}
        self._intend = intend
        self._waits_for_intents = waits_for_intents
        self._atomic = AtomicExecutor(outcomes=OutcomeRules(), is_killed=is_killed)
        self._unsaid: list[Finished] = []
        self.next_at_ns = self._atomic.next_at_ns
        self.waiting: dict[str, int] = {}

    @classmethod
    def make(cls, around: Around) -> "LiveAtomicExecutor":
        """Make it of what executors are made of."""
        return cls(
            sender=around.sender,
            pools=around.pools,
            taken=around.taken_pools,
            is_killed=around.is_killed,
            intend=around.intend,
            waits_for_intents=around.waits_for_intents,
            terms_of=around.terms_of,
        )

    def start(self, plan: AtomicPlan, at_ns: int) -> None:
        """Send the transaction; a plan past its deadline ends at the next advance, unsent."""
        self._chain.begin(plan)
        # By the time it leaves its approval has ended.
        if isinstance(terms := self._terms_of(plan), AtomicPlan):
            self._terms[plan.plan_id] = terms
        acts = self._atomic.start(plan, at_ns)
        if intended := [act.order for act in acts if isinstance(act, Store)]:
            self._intend(Intent.of(plan, intended))
        for one in intended:
            assert isinstance(one, Transaction)
            self._chain.prepare(plan, one, self._terms.get(plan.plan_id))
        self._take(acts, at_ns)

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; it is asked after at once."""
        assert isinstance(intent.plan, self.takes)
        self._take(self._atomic.recover(intent, at_ns), at_ns)

    def stored(self, client_order_id: str, at_ns: int) -> None:
        """Hand a transaction over whose intent is durable."""
        self.waiting.pop(client_order_id, None)
        self._take(self._atomic.stored(client_order_id, at_ns), at_ns)

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan of its own."""
        return self._atomic.knows(client_order_id)

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order; what ends by it the next advance says."""
        if news.event is OrderEvent.WITHHELD:
            self.waiting.pop(news.client_order_id, None)
        self._take(self._atomic.on_news(news, at_ns), at_ns)

    def remember(self, plan: Plan, sendables: Sequence[Sendable]) -> None:
        """Know a plan that ended in an earlier run, as it was booked, unless it is known here."""
        assert isinstance(plan, self.takes)
        for one in sendables:
            if isinstance(one, Transaction) and not self.knows(one.client_order_id):
                self._atomic.remember(plan, one)

    def transaction_told(self, told: TransactionNews, at_ns: int) -> None:
        """Learn what became of a transaction; what ends by it the next advance says."""
        if told.why:
            _log.warning("%s: %s, %s", told.client_order_id, told.fate, told.why)
        self.on_news(news_of_transaction(told), at_ns)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended."""
        self._take(self._atomic.tick(at_ns), at_ns)
        finished, self._unsaid = self._unsaid, []
        self.next_at_ns = self._atomic.next_at_ns
        return finished

    def _take(self, acts: Iterable[Act], at_ns: int) -> None:
        self._unsaid += self._carry_out(acts, at_ns)
        self.next_at_ns = min(self._atomic.next_at_ns, at_ns) if self._unsaid else (
            self._atomic.next_at_ns
        )  # fmt: skip

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
                approved = self._terms.get(act.plan.plan_id)
                self._chain.hand_over(act.plan, act.order, approved)
            elif isinstance(act, LookUp):
                assert isinstance(act.order, Transaction)
                self._chain.ask_after(act.order)
            elif isinstance(act, Alarm):
                _log.warning("%s: %s", act.plan_id, act.sentence)
            elif isinstance(act, Late):
                # Its number is the word's that it was told by: whichever run books it, it is one.
                number = max(one.version for one in act.orders if isinstance(one, Transaction))
                finished.append(correct(act, number=number))
            elif isinstance(act, End):
                self._terms.pop(act.plan.plan_id, None)
                ended = finish_atomic(act)
                finished.append(ended)
                if (transaction := ended.execution.transaction) is not None:
                    self._chain.end(ended.plan, transaction)
        return finished
