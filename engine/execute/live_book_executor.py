"""The executor of plans with real orders: it hands what leaves over, and is told what became.

It has the machine of the paper executor, and nothing of its own that a replay lacks: what leaves
does so through a port, and what comes back is an input with a number. Whoever places orders places
each once, however often it is handed over, and never one that was asked after before it came; and
so does whoever sends, where a plan has a transaction beside its orders.

All orders of a plan that became durable together leave together. What is left over once killed, or
too long after a restart, is kept; see `live_way`.
"""

import logging
from collections import deque
from collections.abc import Iterable, Sequence

from engine.domain.orders import Intent, Order, Purpose, Sendable, Transaction
from engine.domain.orders_told import OrderNews
from engine.domain.plans import LeggedPlan, MixedPlan, Plan, closes_of
from engine.domain.told import TransactionNews
from engine.execute.book_executor import BookExecutor, Way
from engine.execute.book_finished import LeggedFinished, MixedFinished, finish_books
from engine.execute.executor import Act, Alarm, End, Late, LookUp, Send, Store
from engine.execute.finished import Finished
from engine.execute.following import OutcomeRules
from engine.execute.late import correct
from engine.execute.live_orders import met_of, name_of, news_of_order
from engine.execute.live_quotes import LiveQuotes, row_now
from engine.execute.live_transactions import LiveTransactions, news_of_transaction
from engine.execute.live_way import LiveWay
from engine.execute.order_life import ENDED, News, OrderEvent
from engine.execute.plan_executor import Around
from engine.portfolio.taken import Share

_log = logging.getLogger(__name__)

BookPlan = LeggedPlan | MixedPlan


class LiveBookExecutor:
    """Executes plans of one kind by handing over what leaves; see `PlanExecutor`.

    Attributes:
        takes: the type of its plans.
        next_at_ns: instant of the next event; `advance` does nothing before it.
        waiting: orders that are to leave once their intent is durable, and since when.
    """

    is_live = True

    def __init__(
        self, around: Around, takes: type[BookPlan], way: Way, outcomes: OutcomeRules
    ) -> None:
        self.takes = takes
        # Ways out are no state: what a checkpoint holds begins with nothing on its way.
        self._hand_over_to = around.trader.hand_over
        self._ask_after = around.trader.ask_after
        self._usd_per = around.usd_per
        self._venue = around.venue
        self._terms_of = around.terms_of
        self._is_killed = around.is_killed
        self._intend = around.intend
        self._waits_for_intents = around.waits_for_intents
        self._transfer_bps = around.costs.transfer_bps
        self._chain = LiveTransactions(around.sender, around.pools, around.taken_pools)
        self._recovered: set[str] = set()
        self._machine = BookExecutor(
            LiveWay(way, around.is_killed, self._recovered.__contains__),
            quotes=LiveQuotes(around.venue, self._recovered),
            costs=around.costs,
            unwinding=around.rules,
            outcomes=outcomes,
            order_rate=around.order_rate,
            is_killed=around.is_killed,
        )
        self.knows = self._machine.knows
        self._plan_of: dict[str, BookPlan] = {}
        self._terms: dict[str, BookPlan] = {}
        self._gathered: dict[str, list[Send]] = {}
        self._expected: dict[str, tuple[Share, ...]] = {}
        self._unsaid: list[Finished] = []
        self.waiting: dict[str, int] = {}
        self.next_at_ns = self._machine.next_at_ns

    def start(self, plan: BookPlan, at_ns: int) -> None:
        """Send what goes first; a plan past its deadline ends at the next advance, unsent."""
        self._plan_of[plan.plan_id] = plan
        if isinstance(plan, MixedPlan):
            self._chain.begin(plan)
        # By the time anything leaves its approval has ended.
        if isinstance(terms := self._terms_of(plan), BookPlan):
            self._terms[plan.plan_id] = terms
        self._take(self._machine.start(plan, at_ns), at_ns)

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; all of it is asked after."""
        plan = intent.plan
        assert isinstance(plan, BookPlan)
        assert isinstance(plan, self.takes)
        self._plan_of[plan.plan_id] = plan
        self._recovered.add(plan.plan_id)
        self._take(self._machine.recover(intent, at_ns), at_ns)

    def stored(self, client_order_id: str, at_ns: int) -> None:
        """Hand an order over whose intent is durable, with all that became so with it."""
        self.waiting.pop(client_order_id, None)
        self._take(self._machine.stored(client_order_id, at_ns), at_ns)

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order; what ends by it the next advance says."""
        if news.event is OrderEvent.WITHHELD:
            self.waiting.pop(news.client_order_id, None)
        self._take(self._machine.on_news(news, at_ns), at_ns)
        if (found := self._machine.find(news.client_order_id)) is not None:
            self._expect_no_more(found[1:])

    def remember(self, plan: Plan, sendables: Sequence[Sendable]) -> None:
        """Know a plan that ended in an earlier run, as it was booked, unless it is known here."""
        assert isinstance(plan, BookPlan)
        if not any(self.knows(one.client_order_id) for one in sendables):
            self._machine.remember(plan, sendables)

    def told(self, told: OrderNews, at_ns: int) -> None:
        """Learn what became of an order; what ends by it the next advance says."""
        found = self._machine.find(told.client_order_id)
        assert found is not None
        plan, order = found
        assert isinstance(order, Order)
        if told.why:
            _log.warning("%s: %s, %s", told.client_order_id, told.fate, told.why)
        self.on_news(news_of_order(plan, order, told, self._usd_per, at_ns), at_ns)

    def transaction_told(self, told: TransactionNews, at_ns: int) -> None:
        """Learn what became of a transaction; what ends by it the next advance says."""
        if told.why:
            _log.warning("%s: %s, %s", told.client_order_id, told.fate, told.why)
        self.on_news(news_of_transaction(told), at_ns)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended."""
        self._take(self._machine.tick(at_ns), at_ns)
        finished, self._unsaid = self._unsaid, []
        self.next_at_ns = self._machine.next_at_ns
        return finished

    def _take(self, acts: Iterable[Act], at_ns: int) -> None:
        self._unsaid += self._carry_out(acts, at_ns)
        due_ns = self._machine.next_at_ns
        self.next_at_ns = min(due_ns, at_ns) if self._unsaid else due_ns

    def _carry_out(self, acts: Iterable[Act], at_ns: int) -> list[Finished]:
        finished: list[Finished] = []
        waiting = deque(self._intended(acts))
        while True:
            if not waiting:
                waiting.extend(self._intended(self._hand_over(at_ns)))
            if not waiting:
                return finished
            act = waiting.popleft()
            if isinstance(act, Store):
                if self._waits_for_intents:
                    self.waiting[act.order.client_order_id] = at_ns
                else:
                    stored = self._machine.stored(act.order.client_order_id, at_ns)
                    waiting.extend(self._intended(stored))
            else:
                finished += self._do(act)

    def _do(self, act: Send | LookUp | Alarm | Late | End) -> list[Finished]:
        if isinstance(act, Send):
            self._send(act)
        elif isinstance(act, LookUp):
            if isinstance(act.order, Transaction):
                self._chain.ask_after(act.order)
            else:
                self._ask_after(act.order)
        elif isinstance(act, Alarm):
            _log.warning("%s: %s", act.plan_id, act.sentence)
        elif isinstance(act, Late):
            return [correct(act, number=name_of(act), transfer_bps=self._transfer_bps)]
        else:
            return [self._ended(act)]
        return []

    def _send(self, act: Send) -> None:
        """Hand a transaction over; gather orders until all of them may leave that go with it."""
        plan_id, order = act.plan.plan_id, act.order
        if isinstance(order, Order):
            self._gathered.setdefault(plan_id, []).append(act)
            return
        plan, terms = act.plan, self._terms.get(plan_id)
        assert isinstance(plan, MixedPlan)
        approved = terms if isinstance(terms, MixedPlan) else None
        self._chain.hand_over(plan, order, approved, until_ns=act.until_ns)

    def _intended(self, acts: Iterable[Act]) -> Iterable[Act]:
        """Keep what is about to be sent, before any of it is: all of a plan's together."""
        acts = list(acts)
        by_plan: dict[str, list[Sendable]] = {}
        for act in acts:
            if isinstance(act, Store):
                by_plan.setdefault(act.order.plan_id, []).append(act.order)
        for plan_id, orders in by_plan.items():
            plan = self._plan_of[plan_id]
            self._intend(Intent.of(plan, orders))
            for order in orders:
                if isinstance(order, Order):
                    self._expect(plan, order)
        return acts

    def _expect(self, plan: BookPlan, order: Order) -> None:
        """Let nothing else be planned on what an order takes, until its book shows it."""
        leg = next(
            number for number, one in enumerate(plan.legs) if one.instrument == order.instrument
        )
        row = row_now(self._venue, plan, leg, is_resumed=plan.plan_id in self._recovered)
        if row is not None:
            self._expected[order.client_order_id] = self._venue.expect(order, row)

    def _expect_no_more(self, orders: Iterable[Sendable]) -> None:
        """Let what an order leaves be planned on again, once it has ended without a fill."""
        for order in orders:
            if order.state in ENDED:
                shares = self._expected.pop(order.client_order_id, ())
                if isinstance(order, Order) and not order.fills:
                    self._venue.give_back(shares)

    def _hand_over(self, at_ns: int) -> list[Act]:
        """Hand over what is gathered of plans of which nothing waits; legs only while not killed.

        Were the latch set between the looks at two legs, one of them would leave alone.
        """
        acts: list[Act] = []
        for plan_id in [one for one in self._gathered if not self._waits(one)]:
            sends = self._gathered.pop(plan_id)
            legs = [one for one in sends if one.order.purpose is Purpose.LEG]
            if legs and self._is_killed():
                sends = [one for one in sends if one.order.purpose is not Purpose.LEG]
                for one in legs:
                    order_id = one.order.client_order_id
                    unsent = News(client_order_id=order_id, event=OrderEvent.REFUSED)
                    acts += self._machine.on_news(unsent, at_ns)
            if sends:
                self._hand_over_to(self._plan_of[plan_id], sends, self._terms.get(plan_id))
        return acts

    def _waits(self, plan_id: str) -> bool:
        return any(one.rpartition("-o")[0] == plan_id for one in self.waiting)

    def _ended(self, end: End) -> LeggedFinished | MixedFinished:
        plan = self._plan_of.pop(end.plan.plan_id)
        self._terms.pop(plan.plan_id, None)
        self._recovered.discard(plan.plan_id)
        self._expect_no_more(end.orders)
        if isinstance(plan, MixedPlan):
            sent = (one for one in end.orders if isinstance(one, Transaction))
            self._chain.end(plan, next(sent, None))
        finished = finish_books(end, met_of(end), transfer_bps=self._transfer_bps, void="")
        # Of what closes a leftover it is the opposite of that.
        for one in () if closes_of(plan) else finished.execution.residuals:
            _log.warning(
                "%s left %s at %s, which nothing closes", plan.plan_id, one.held, one.venue
            )
        return finished
