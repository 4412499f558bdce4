"""The paper executor: a legged executor whose orders meet the board instead of a venue.

An order is on its way once its intent is durable, reaches its venue after a drawn latency and meets
the book as it is then. Nothing leaves the process; but an order that did would have to wait, and so
does this one.
"""

import heapq
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.decide.order_rate import OrderRate
from engine.domain.exact import exact_product
from engine.domain.opportunities import Side
from engine.domain.orders import Execution, Intent, Order, OrderState, Purpose
from engine.domain.plans import LeggedPlan
from engine.domain.stories import TradeStory
from engine.execute.executor import NEVER_NS, Act, Alarm, End, Late, LookUp, Send, Store
from engine.execute.fill import PaperVenue
from engine.execute.finished import NOTHING_FINISHED, Finished, Found
from engine.execute.following import OutcomeRules
from engine.execute.late import correct
from engine.execute.late_fills import LateFills
from engine.execute.latency import LatencyModel
from engine.execute.legged import LeggedExecutor
from engine.execute.order_life import News, OrderEvent
from engine.execute.plan_executor import VOID, Around, Intend
from engine.execute.story import tell_story
from engine.execute.traded import Met
from engine.execute.unwinding import UnwindRules
from engine.portfolio.costs import Costs
from engine.portfolio.settle import Settlement, settle

_log = logging.getLogger(__name__)

_EVENT_OF = {
    OrderState.FILLED: OrderEvent.FILLED,
    OrderState.EXPIRED: OrderEvent.EXPIRED,
}


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


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    send: Send
    number: int
    taken_at_send: Mapping[int, int]


class PaperExecutor:
    """Executes plans against the board without sending anything anywhere.

    Attributes:
        next_at_ns: instant of the next event; `advance` does nothing before it.
        waiting: orders that are to leave once their intent is durable, and since when they wait.
    """

    takes = LeggedPlan
    is_live = False

    def __init__(
        self,
        *,
        venue: PaperVenue,
        costs: Costs,
        latency: LatencyModel,
        rules: UnwindRules,
        order_rate: OrderRate,
        is_killed: Callable[[], bool],
        intend: Intend,
        waits_for_intents: bool,
        late_fills: LateFills,
    ) -> None:
        self._intend = intend
        self._waits_for_intents = waits_for_intents
        self._late_fills = late_fills
        self._venue = venue
        self._costs = costs
        self._latency = latency
        self._legged = LeggedExecutor(
            quotes=self,
            costs=costs,
            unwinding=rules,
            outcomes=OutcomeRules(),
            order_rate=order_rate,
            is_killed=is_killed,
        )
        self.next_at_ns = NEVER_NS
        self.waiting: dict[str, int] = {}
        self._unsaid: list[Finished] = []
        self._late = 0
        self._recovered: set[str] = set()
        self._arrivals: list[tuple[int, int, _OnItsWay]] = []
        self._told_late: list[tuple[int, int, News]] = []
        self._sent = 0
        self._plan_numbers: dict[str, int] = {}
        self._plan_of: dict[str, LeggedPlan] = {}
        self._plans = 0
        self._sent_by_plan: Counter[str] = Counter()
        self._met: dict[str, dict[str, Met]] = {}

    @classmethod
    def make(cls, around: Around) -> "PaperExecutor":
        """Make it of what executors are made of."""
        return cls(
            venue=around.venue,
            costs=around.costs,
            latency=around.latency,
            rules=around.rules,
            order_rate=around.order_rate,
            is_killed=around.is_killed,
            intend=around.intend,
            waits_for_intents=around.waits_for_intents,
            late_fills=around.late_fills,
        )

    def start(self, plan: LeggedPlan, at_ns: int) -> None:
        """Send the plan's legs; a plan past its deadline ends at the next advance, unsent."""
        self._begin(plan)
        acts = self._legged.start(plan, at_ns)
        if intended := [act.order for act in acts if isinstance(act, Store)]:
            self._intend(Intent.of(plan, intended))
        # Withheld at once, it has ended already: the next advance says so.
        self._unsaid += self._carry_out(acts, at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def _begin(self, plan: LeggedPlan) -> None:
        self._plans += 1
        self._plan_numbers[plan.plan_id] = self._plans
        self._plan_of[plan.plan_id] = plan
        self._met[plan.plan_id] = {}

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; the next advance ends it."""
        plan = intent.plan
        assert isinstance(plan, self.takes)
        self._recovered.add(plan.plan_id)
        self._begin(plan)
        self._unsaid += self._carry_out(self._legged.recover(intent, at_ns), at_ns)
        self.next_at_ns = min(self.next_at_ns, at_ns)

    def stored(self, client_order_id: str, at_ns: int) -> None:
        """Send an order whose intent is durable; what ends by it the next advance says."""
        self.waiting.pop(client_order_id, None)
        self._unsaid += self._carry_out(self._legged.stored(client_order_id, at_ns), at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan of its own."""
        return self._legged.knows(client_order_id)

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order from elsewhere; what ends by it the next advance says."""
        if news.event is OrderEvent.WITHHELD:
            self.waiting.pop(news.client_order_id, None)
        self._unsaid += self._carry_out(self._legged.on_news(news, at_ns), at_ns)
        if self._unsaid:
            self.next_at_ns = min(self.next_at_ns, at_ns)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended.

        To be called before each input is applied: orders meet the board as it was until then.
        """
        if self._unsaid:
            self._plan_ahead()
        finished, self._unsaid = self._unsaid, []
        while (due_ns := self.next_at_ns) <= at_ns and due_ns != NEVER_NS:
            if self._arrivals and self._arrivals[0][0] == due_ns:
                news = self._meet(heapq.heappop(self._arrivals)[2], due_ns)
                acts = self._legged.on_news(news, due_ns)
            elif self._told_late and self._told_late[0][0] == due_ns:
                acts = self._legged.on_news(heapq.heappop(self._told_late)[2], due_ns)
            else:
                acts = self._legged.tick(due_ns)
            finished += self._carry_out(acts, due_ns)
        return finished or NOTHING_FINISHED

    def best_price(self, plan: LeggedPlan, leg: int, side: Side, at_ns: int) -> Decimal | None:
        """Return the best price that an unwinding order would meet, None if the book is stale."""
        return self._venue.best_price(plan.opportunity.hops[leg].row, side, at_ns)

    def _carry_out(self, acts: Iterable[Act], at_ns: int) -> list[Finished]:
        finished: list[Finished] = []
        waiting = deque(acts)
        while waiting:
            act = waiting.popleft()
            if isinstance(act, Store):
                if act.order.purpose is Purpose.UNWIND:
                    self._intend(Intent.of(self._plan_of[act.order.plan_id], [act.order]))
                if self._waits_for_intents:
                    self.waiting[act.order.client_order_id] = at_ns
                else:
                    waiting.extend(self._legged.stored(act.order.client_order_id, at_ns))
            elif isinstance(act, Send):
                self._send(act, at_ns)
            elif isinstance(act, Alarm):
                _log.warning("%s: %s", act.plan_id, act.sentence)
            elif isinstance(act, LookUp):
                # What is not in the ledger never was: nothing of a paper order is anywhere else.
                order_id = act.order.client_order_id
                absent = News(client_order_id=order_id, event=OrderEvent.ABSENT)
                waiting.extend(self._legged.on_news(absent, at_ns))
            elif isinstance(act, Late):
                self._late += 1
                finished.append(
                    correct(act, number=self._late, transfer_bps=self._costs.transfer_bps)
                )
            elif isinstance(act, End):
                finished.append(self._finish(act))
        self._plan_ahead()
        return finished

    def _plan_ahead(self) -> None:
        arrival_ns = self._arrivals[0][0] if self._arrivals else NEVER_NS
        late_ns = self._told_late[0][0] if self._told_late else NEVER_NS
        self.next_at_ns = min(arrival_ns, late_ns, self._legged.next_at_ns)

    def _send(self, send: Send, at_ns: int) -> None:
        plan_id, order = send.plan.plan_id, _order(send)
        self._sent += 1
        self._sent_by_plan[plan_id] += 1
        number = self._sent_by_plan[plan_id]
        arrives_at_ns = at_ns + self._latency.draw_ns(
            order.instrument.venue,
            plan_number=self._plan_numbers[plan_id],
            order_number=number,
        )
        taken = self._venue.taken_on(order, _row(send))
        heapq.heappush(self._arrivals, (arrives_at_ns, self._sent, _OnItsWay(send, number, taken)))

    def _meet(self, arriving: _OnItsWay, at_ns: int) -> News:
        send = arriving.send
        order, row = replace(_order(send), arrives_at_ns=at_ns), _row(send)
        if order.purpose is Purpose.LEG:
            met = self._venue.meet(order, row, arriving.taken_at_send)
            self._met[order.plan_id][order.client_order_id] = met
        filled = self._venue.fill(order, row)
        fills, event = filled.fills, _EVENT_OF[filled.state]
        late, delay_ns = self._late_fills.draw(
            len(fills),
            plan_number=self._plan_numbers[order.plan_id],
            order_number=arriving.number,
        )
        if late:
            # What it was filled for is there already; it is told as one that expired.
            fills, held_back = fills[:-late], fills[-late:]
            event, order_id = OrderEvent.EXPIRED, order.client_order_id
            news = News(client_order_id=order_id, event=OrderEvent.TRADED, fills=held_back)
            heapq.heappush(self._told_late, (at_ns + delay_ns, self._sent, news))
            self._sent += 1
        return News(
            client_order_id=order.client_order_id, event=event, fills=fills, arrived_at_ns=at_ns
        )

    def _finish(self, end: End) -> LeggedFinished:
        plan, opportunity = end.plan, end.plan.opportunity
        assert isinstance(plan, LeggedPlan)
        orders = tuple(one for one in end.orders if isinstance(one, Order))
        del self._plan_numbers[plan.plan_id], self._sent_by_plan[plan.plan_id]
        del self._plan_of[plan.plan_id]
        void = VOID if plan.plan_id in self._recovered else ""
        settlement = settle(plan, orders, transfer_bps=self._costs.transfer_bps)
        execution = Execution(
            execution_id=f"{plan.plan_id}-x",
            plan_id=plan.plan_id,
            opportunity_id=opportunity.opportunity_id,
            closed_at_ns=end.at_ns,
            orders=orders,
            quote=opportunity.quote,
            profit_quote=settlement.profit_quote,
            profit_usd=exact_product(settlement.profit_quote, plan.usd_per_quote),
            expected_usd=exact_product(plan.profit_quote, plan.usd_per_quote),
            residuals=settlement.residuals,
            void=void,
        )
        return LeggedFinished(
            plan=plan,
            execution=execution,
            settlement=settlement,
            met=self._met.pop(plan.plan_id),
        )


def _order(send: Send) -> Order:
    assert isinstance(send.order, Order)
    return send.order


def _row(send: Send) -> int:
    return send.plan.opportunity.hops[send.leg].row
