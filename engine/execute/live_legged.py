"""The executor of plans whose orders are really placed: it hands them over, and is told of them.

It has the machine of the paper executor, and nothing of its own that a replay lacks: what leaves
does so through a port, and what comes back is an input with a number. Whoever places orders places
each once, however often it is handed over, and never one that was asked after before it came.

All orders of a plan that became durable together leave together. Once killed nothing more does,
not even what would unwind: whoever signs would refuse it. Nor does anything after a restart, which
begins without real money. What is left over then is kept as such, and a person is told.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.orders import (
    Fill,
    Intent,
    Order,
    OrderState,
    OtherFee,
    Purpose,
    Sendable,
)
from engine.domain.orders_told import FillTold, OrderFate, OrderNews
from engine.domain.plans import LeggedPlan, Plan
from engine.execute.book_executor import BookExecutor, Books, LegOrder, Swaps
from engine.execute.book_finished import LeggedFinished, finish_books
from engine.execute.executor import Act, Alarm, End, Late, LookUp, Send, Store
from engine.execute.finished import Finished
from engine.execute.following import OutcomeRules
from engine.execute.late import correct
from engine.execute.legged import LeggedWay
from engine.execute.order_life import ENDED, News, OrderEvent
from engine.execute.paper_orders import PaperQuotes
from engine.execute.plan_executor import Around
from engine.execute.traded import Met, Traded
from engine.execute.unwinding import Unwinding
from engine.portfolio.costs import EXACT, ceil_to_quote_step
from engine.portfolio.taken import Share

_log = logging.getLogger(__name__)

OUTCOMES: Final = OutcomeRules(answer_ms_max=30_000, look_up_ms=5_000, unresolved_ms=120_000)
"""Whoever places orders finds out by itself; it is asked only in case a word of it was lost."""

_EVENTS: Final[Mapping[OrderFate, OrderEvent]] = {
    OrderFate.ACCEPTED: OrderEvent.ACCEPTED,
    OrderFate.TRADED: OrderEvent.TRADED,
    OrderFate.FILLED: OrderEvent.FILLED,
    OrderFate.CANCELLED: OrderEvent.CANCELLED,
    OrderFate.EXPIRED: OrderEvent.EXPIRED,
    OrderFate.REFUSED: OrderEvent.REFUSED,
    OrderFate.NEVER: OrderEvent.ABSENT,
    OrderFate.UNKNOWN: OrderEvent.UNCLEAR,
    OrderFate.REVERSED: OrderEvent.REVERSED,
}

UsdPer = Callable[[AssetCode, int], Decimal | None]
"""Value of one unit of an asset in USD at a time, None if it is not to be had then."""


@dataclass(frozen=True, slots=True)
class LiveLeggedWay:
    """The way of `LeggedWay`, but that what is left over is closed only where that may leave."""

    may_close: Callable[[str], bool]

    def first(self, plan: LeggedPlan) -> Iterable[LegOrder | Swaps]:
        """One order per leg."""
        return LeggedWay().first(plan)

    def following(
        self, plan: LeggedPlan, sendables: Sequence[Sendable]
    ) -> Iterable[LegOrder | Swaps]:
        """Nothing follows."""
        return LeggedWay().following(plan, sendables)

    def closing(
        self, plan: LeggedPlan, sendables: Sequence[Sendable], books: Books, at_ns: int
    ) -> Unwinding | None:
        """See `LeggedWay.closing`."""
        found = LeggedWay().closing(plan, sendables, books, at_ns)
        return found if found is not None and self.may_close(plan.plan_id) else None


class LiveLeggedExecutor:
    """Executes plans of legs by handing their orders over; see `PlanExecutor`.

    Attributes:
        next_at_ns: instant of the next event; `advance` does nothing before it.
        waiting: orders that are to leave once their intent is durable, and since when.
    """

    takes = LeggedPlan
    is_live = True

    def __init__(self, around: Around) -> None:
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
        self._machine = BookExecutor(
            LiveLeggedWay(self._may_close),
            quotes=PaperQuotes(around.venue),
            costs=around.costs,
            unwinding=around.rules,
            outcomes=OUTCOMES,
            order_rate=around.order_rate,
            is_killed=around.is_killed,
        )
        self.knows = self._machine.knows
        self._plan_of: dict[str, LeggedPlan] = {}
        self._terms: dict[str, LeggedPlan] = {}
        self._recovered: set[str] = set()
        self._gathered: dict[str, list[Send]] = {}
        self._expected: dict[str, tuple[Share, ...]] = {}
        self._unsaid: list[Finished] = []
        self.waiting: dict[str, int] = {}
        self.next_at_ns = self._machine.next_at_ns

    def start(self, plan: LeggedPlan, at_ns: int) -> None:
        """Send all legs; a plan past its deadline ends at the next advance, unsent."""
        self._plan_of[plan.plan_id] = plan
        # By the time its orders leave its approval has ended.
        if isinstance(terms := self._terms_of(plan), LeggedPlan):
            self._terms[plan.plan_id] = terms
        self._take(self._machine.start(plan, at_ns), at_ns)

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; its orders are asked after."""
        plan = intent.plan
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

    def remember(self, plan: LeggedPlan, orders: Sequence[Order]) -> None:
        """Know a plan that ended in an earlier run, as it was booked, unless it is known here."""
        if not any(self.knows(one.client_order_id) for one in orders):
            self._machine.remember(plan, orders)

    def told(self, told: OrderNews, at_ns: int) -> None:
        """Learn what became of an order; what ends by it the next advance says."""
        found = self._machine.find(told.client_order_id)
        assert found is not None
        plan, order = found
        assert isinstance(order, Order)
        if told.why:
            _log.warning("%s: %s, %s", told.client_order_id, told.fate, told.why)
        self.on_news(
            News(
                client_order_id=told.client_order_id,
                event=_EVENTS[told.fate],
                fills=tuple(self._fill(plan, order, one, at_ns) for one in told.fills),
                filled_base=told.filled_base,
                arrived_at_ns=max((one.filled_at_ns for one in told.fills), default=0),
                version=told.version,
            ),
            at_ns,
        )

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended."""
        self._take(self._machine.tick(at_ns), at_ns)
        finished, self._unsaid = self._unsaid, []
        self.next_at_ns = self._machine.next_at_ns
        return finished

    def _may_close(self, plan_id: str) -> bool:
        return plan_id not in self._recovered and not self._is_killed()

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
            self._gathered.setdefault(act.plan.plan_id, []).append(act)
        elif isinstance(act, LookUp):
            assert isinstance(act.order, Order)
            self._ask_after(act.order)
        elif isinstance(act, Alarm):
            _log.warning("%s: %s", act.plan_id, act.sentence)
        elif isinstance(act, Late):
            return [correct(act, number=_name_of(act), transfer_bps=self._transfer_bps)]
        else:
            return [self._ended(act)]
        return []

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
                self._expect(plan, order)
        return acts

    def _expect(self, plan: LeggedPlan, order: Sendable) -> None:
        """Let nothing else be planned on what an order takes, until its book shows it."""
        assert isinstance(order, Order)
        leg = next(
            number for number, one in enumerate(plan.legs) if one.instrument == order.instrument
        )
        row = plan.opportunity.hops[leg].row
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

    def _ended(self, end: End) -> Finished:
        plan_id = end.plan.plan_id
        del self._plan_of[plan_id]
        self._terms.pop(plan_id, None)
        self._recovered.discard(plan_id)
        self._expect_no_more(end.orders)
        finished = finish_books(end, _met(end), transfer_bps=self._transfer_bps, void="")
        assert isinstance(finished, LeggedFinished)
        for one in finished.execution.residuals:
            _log.warning("%s left %s at %s, which nothing closes", plan_id, one.held, one.venue)
        return finished

    def _fill(self, plan: Plan, order: Order, told: FillTold, at_ns: int) -> Fill:
        pair = order.instrument.pair
        is_other = told.fee_asset not in (pair.base, pair.quote)
        return Fill(
            fill_id=f"{order.client_order_id}-{told.fill_id}",
            client_order_id=order.client_order_id,
            filled_at_ns=told.filled_at_ns,
            price=told.price,
            size_base=told.size_base,
            fee_quote=told.fee if told.fee_asset == pair.quote else Decimal(0),
            fee_base=told.fee if told.fee_asset == pair.base else Decimal(0),
            other_fee=self._other_fee(plan, told, at_ns) if is_other and told.fee else None,
            frame_seq=0,
        )

    def _other_fee(self, plan: Plan, told: FillTold, at_ns: int) -> OtherFee:
        usd = self._usd_per(told.fee_asset, at_ns)
        worth = Decimal(0)
        if usd is None:
            _log.warning("no price of %s, in which a fee of %s is", told.fee_asset, plan.plan_id)
        else:
            value = EXACT.divide(EXACT.multiply(told.fee, usd), plan.usd_per_quote)
            worth = ceil_to_quote_step(value)
        return OtherFee(asset=told.fee_asset, amount=told.fee, worth_quote=worth)


def _met(end: End) -> dict[str, Met]:
    """Return what each order met: of a venue no more is known than what it filled."""
    found = {}
    for order in end.orders:
        if isinstance(order, Order) and order.state is not OrderState.REJECTED:
            filled = Traded(base=order.filled_base, quote=order.notional_quote)
            found[order.client_order_id] = Met(is_live=True, untaken=filled, there=filled)
    return found


def _name_of(late: Late) -> str:
    """Return what a correction is called: by the word that told it, whichever run books it."""
    for before, order in zip(late.before, late.orders, strict=True):
        if isinstance(before, Order) and isinstance(order, Order) and before != order:
            return f"-{order.client_order_id.rpartition('-')[2]}v{order.version}"
    raise AssertionError("what is late changes an order")
