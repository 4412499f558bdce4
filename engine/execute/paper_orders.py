"""Books as far as paper orders reach them: each meets its book after a drawn latency."""

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.opportunities import Side
from engine.domain.orders import Order, OrderState, Purpose, Sendable
from engine.domain.plans import MixedPlan, Plan
from engine.execute.executor import NEVER_NS, Send
from engine.execute.fill import PaperVenue
from engine.execute.late_fills import LateFills
from engine.execute.latency import LatencyModel
from engine.execute.order_life import News, OrderEvent
from engine.execute.plan_executor import Around
from engine.execute.traded import Met

_EVENT_OF = {
    OrderState.FILLED: OrderEvent.FILLED,
    OrderState.EXPIRED: OrderEvent.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class PaperQuotes:
    """The best prices of books, as `unwinding.Quotes` wants them."""

    venue: PaperVenue

    def best_price(self, plan: Plan, leg: int, side: Side, at_ns: int) -> Decimal | None:
        """Return the best price that an unwinding order would meet, None if the book is stale."""
        return self.venue.best_price(_row_of(plan, leg), side, at_ns)


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    send: Send
    number: int
    taken_at_send: Mapping[int, int]


class PaperOrders:
    """All orders of one executor; see `paper_loop.PaperLine`."""

    def __init__(self, venue: PaperVenue, latency: LatencyModel, late_fills: LateFills) -> None:
        self._venue = venue
        self._latency = latency
        self._late_fills = late_fills
        self.next_at_ns = NEVER_NS
        self._arrivals: list[tuple[int, int, _OnItsWay]] = []
        self._told_late: list[tuple[int, int, News]] = []
        self._sent = 0
        self._plan_numbers: dict[str, int] = {}
        self._plans = 0
        self._sent_by_plan: Counter[str] = Counter()
        self._met: dict[str, dict[str, Met]] = {}

    @classmethod
    def make(cls, around: Around) -> "PaperOrders":
        """Make it of what executors are made of."""
        return cls(around.venue, around.latency, around.late_fills)

    def begin(self, plan: Plan, *, is_new: bool) -> None:
        """Number a plan: its latencies are drawn by that."""
        del is_new
        self._plans += 1
        self._plan_numbers[plan.plan_id] = self._plans
        self._met[plan.plan_id] = {}

    def end(self, plan: Plan) -> Mapping[str, Met]:
        """Forget a plan; return what the order of each leg met, by its id."""
        del self._plan_numbers[plan.plan_id], self._sent_by_plan[plan.plan_id]
        return self._met.pop(plan.plan_id)

    def takes(self, order: Sendable) -> bool:
        """Say whether it is an order at a book."""
        return isinstance(order, Order)

    def send(self, send: Send, at_ns: int) -> None:
        """Take an order that leaves."""
        plan_id, order = send.plan.plan_id, _order(send)
        self._sent += 1
        self._sent_by_plan[plan_id] += 1
        number = self._sent_by_plan[plan_id]
        arrives_at_ns = at_ns + self._latency.draw_ns(
            order.instrument.venue,
            plan_number=self._plan_numbers[plan_id],
            order_number=number,
        )
        taken = self._venue.taken_on(order, _row_of(send.plan, send.leg))
        heapq.heappush(self._arrivals, (arrives_at_ns, self._sent, _OnItsWay(send, number, taken)))
        self._plan_ahead()

    def meet(self, at_ns: int) -> News | None:
        """Let the order that arrives meet its book, or tell what was held back."""
        if self._arrivals and self._arrivals[0][0] == at_ns:
            news = self._meet(heapq.heappop(self._arrivals)[2], at_ns)
        else:
            news = heapq.heappop(self._told_late)[2]
        self._plan_ahead()
        return news

    def _plan_ahead(self) -> None:
        arrival_ns = self._arrivals[0][0] if self._arrivals else NEVER_NS
        late_ns = self._told_late[0][0] if self._told_late else NEVER_NS
        self.next_at_ns = min(arrival_ns, late_ns)

    def _meet(self, arriving: _OnItsWay, at_ns: int) -> News:
        send = arriving.send
        order, row = replace(_order(send), arrives_at_ns=at_ns), _row_of(send.plan, send.leg)
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


def _order(send: Send) -> Order:
    assert isinstance(send.order, Order)
    return send.order


def _row_of(plan: Plan, leg: int) -> int:
    """Return the row of the book of a leg."""
    number = plan.hop_of(leg) if isinstance(plan, MixedPlan) else leg
    return plan.opportunity.hops[number].row
