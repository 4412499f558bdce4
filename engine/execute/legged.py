"""The executor of plans whose legs are orders at books: all at once, then unwinding what is left.

An order's outcome is waited for however long it takes. One that is unknown is looked up again and
again; it ends when the venue shows it, or when it is nowhere to be found, twice, so long after its
sending that it would be there. A plan under way keeps its exposure and reservations until then.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.decide.order_rate import OrderRate
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Plan, Side
from engine.domain.orders import Order, OrderState, Purpose
from engine.domain.units import NS_PER_MS
from engine.execute.executor import NEVER_NS, NO_ACTS, Act, Alarm, End, LookUp, Send, Store
from engine.execute.order_life import ENDED, UNSENT, News, OrderEvent, OrderLife
from engine.execute.unwinding import Quotes, UnwindRules, next_unwinding
from engine.portfolio.costs import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRules:
    """How an order's outcome is waited for and looked up.

    Attributes:
        answer_ms_max: without any news for so long after sending, the outcome is unknown.
        look_up_ms: between two look-ups of an order.
        absent_after_ms: a look-up so long after the sending that does not find it is evidence.
        absences_min: so much evidence proves that there is none.
        unresolved_ms: a person is told when the outcome is unknown for so long.
    """

    answer_ms_max: int = 90_000
    look_up_ms: int = 2_000
    absent_after_ms: int = 60_000
    absences_min: int = 2
    unresolved_ms: int = 120_000

    def __post_init__(self) -> None:
        values = (
            self.answer_ms_max,
            self.look_up_ms,
            self.absent_after_ms,
            self.absences_min,
            self.unresolved_ms,
        )
        if min(values) <= 0:
            raise BadValueError(f"waits for the outcome of orders must be above 0: {values} ms")


@dataclass(slots=True, kw_only=True)
class _Sent:
    """An order of a plan under way.

    Attributes:
        due_ns: when it is looked at next.
        unknown_since_ns: when it was looked up first; 0 unless it was.
        alarms_told: how many of its alarms were told.
    """

    leg: int
    life: OrderLife
    due_ns: int = NEVER_NS
    absences: int = 0
    unknown_since_ns: int = 0
    is_unresolved_told: bool = False
    alarms_told: int = 0


@dataclass(slots=True, kw_only=True)
class _Run:
    """A plan under way.

    Attributes:
        retry_ns: when unwinding is tried again; when a plan that sends nothing ends.
    """

    plan: Plan
    orders: dict[str, _Sent] = field(default_factory=dict)
    attempts: int = 0
    retry_ns: int = NEVER_NS

    @property
    def due_ns(self) -> int:
        return min((self.retry_ns, *(sent.due_ns for sent in self.orders.values())))

    @property
    def is_settled(self) -> bool:
        return all(sent.life.is_settled for sent in self.orders.values())


class LeggedExecutor:
    """Executes plans of legs; see `executor.Executor`."""

    def __init__(
        self,
        *,
        quotes: Quotes,
        costs: Costs,
        unwinding: UnwindRules,
        outcomes: OutcomeRules,
        order_rate: OrderRate,
        is_killed: Callable[[], bool],
    ) -> None:
        self._quotes = quotes
        self._costs = costs
        self._unwinding = unwinding
        self._outcomes = outcomes
        self._order_rate = order_rate
        self._is_killed = is_killed
        self._runs: dict[str, _Run] = {}
        self._run_of_order: dict[str, _Run] = {}
        self.next_at_ns = NEVER_NS

    def start(self, plan: Plan, at_ns: int) -> Sequence[Act]:
        """Intend one order per leg; a plan past its deadline ends with the next tick."""
        run = self._runs[plan.plan_id] = _Run(plan=plan)
        acts: list[Act] = []
        if at_ns > plan.deadline_ns:
            run.retry_ns = at_ns
        else:
            for number, leg in enumerate(plan.legs):
                what = (leg.side, leg.size_base, leg.price_limit)
                acts.append(self._intend(run, number, Purpose.LEG, what, at_ns))
        self._plan_ahead()
        return acts

    def stored(self, client_order_id: str, at_ns: int) -> Sequence[Act]:
        """Send an order whose intent is durable; a leg only in time and while nothing is killed."""
        run = self._run_of_order.get(client_order_id)
        if run is None or run.orders[client_order_id].life.order.state is not OrderState.PLANNED:
            return NO_ACTS
        sent = run.orders[client_order_id]
        self._learn(sent, OrderEvent.STORED)
        is_leg = sent.life.order.purpose is Purpose.LEG
        if is_leg and (at_ns > run.plan.deadline_ns or self._is_killed()):
            self._learn(sent, OrderEvent.WITHHELD)
            return self._go_on(run, at_ns)
        self._learn(sent, OrderEvent.SENT)
        sent.life.sent(at_ns)
        sent.due_ns = at_ns + self._outcomes.answer_ms_max * NS_PER_MS
        self._plan_ahead()
        return [Send(run.plan, sent.leg, sent.life.order)]

    def told(self, news: News, at_ns: int) -> Sequence[Act]:
        """Take news of an order over, and go on with its plan once nothing is open any more."""
        run = self._run_of_order.get(news.client_order_id)
        if run is None:
            return [Alarm("", f"{news.client_order_id} is no order under way: {news.event}")]
        run.orders[news.client_order_id].life.take(news)
        return self._go_on(run, at_ns)

    def missed(self, client_order_id: str, at_ns: int, *, has_gap: bool) -> Sequence[Act]:
        """Count a look-up that found nothing as evidence, if it is any."""
        run = self._run_of_order.get(client_order_id)
        if run is None:
            return NO_ACTS
        sent = run.orders[client_order_id]
        order = sent.life.order
        is_late = at_ns >= order.sent_at_ns + self._outcomes.absent_after_ms * NS_PER_MS
        if order.state is not OrderState.UNKNOWN or has_gap or not is_late:
            return NO_ACTS
        sent.absences += 1
        if sent.absences < self._outcomes.absences_min:
            return NO_ACTS
        self._learn(sent, OrderEvent.ABSENT)
        return self._go_on(run, at_ns)

    def tick(self, at_ns: int) -> Sequence[Act]:
        """Take what is due: silence makes an outcome unknown, unknown ones are looked up."""
        if at_ns < self.next_at_ns:
            return NO_ACTS
        acts: list[Act] = []
        for run in [one for one in self._runs.values() if one.due_ns <= at_ns]:
            run.retry_ns = NEVER_NS if run.retry_ns <= at_ns else run.retry_ns
            for sent in run.orders.values():
                if sent.due_ns <= at_ns and sent.life.order.state is OrderState.SENT:
                    self._learn(sent, OrderEvent.UNCLEAR)
            acts += self._go_on(run, at_ns)
        return acts

    def _intend(
        self,
        run: _Run,
        leg: int,
        purpose: Purpose,
        what: tuple[Side, Decimal, Decimal],
        at_ns: int,
    ) -> Store:
        side, size, limit = what
        plan = run.plan
        order = Order(
            client_order_id=f"{plan.plan_id}-o{len(run.orders) + 1}",
            plan_id=plan.plan_id,
            purpose=purpose,
            instrument=plan.legs[leg].instrument,
            side=side,
            size_base=size,
            price_limit=limit,
            sent_at_ns=at_ns,
            arrives_at_ns=at_ns,
            state=OrderState.PLANNED,
        )
        run.orders[order.client_order_id] = _Sent(leg=leg, life=OrderLife(order))
        self._run_of_order[order.client_order_id] = run
        return Store(order)

    def _learn(self, sent: _Sent, event: OrderEvent) -> None:
        sent.life.take(News(client_order_id=sent.life.order.client_order_id, event=event))

    def _go_on(self, run: _Run, at_ns: int) -> list[Act]:
        """Look up what is not known; when all is, unwind what is left over, or end."""
        acts = [act for sent in run.orders.values() for act in self._follow(run, sent, at_ns)]
        if run.is_settled:
            acts += self._unwind_or_end(run, at_ns)
        self._plan_ahead()
        return acts

    def _follow(self, run: _Run, sent: _Sent, at_ns: int) -> Iterator[Act]:
        life = sent.life
        for sentence in life.alarms[sent.alarms_told :]:
            yield Alarm(run.plan.plan_id, sentence)
        sent.alarms_told = len(life.alarms)
        state = life.order.state
        if life.is_settled or state in UNSENT:
            sent.due_ns = NEVER_NS
            return
        is_unknown = state is OrderState.UNKNOWN or state in ENDED
        if is_unknown and not sent.unknown_since_ns:
            sent.due_ns = at_ns
        if sent.due_ns > at_ns:
            return
        sent.unknown_since_ns = sent.unknown_since_ns or at_ns
        sent.due_ns = at_ns + self._outcomes.look_up_ms * NS_PER_MS
        yield LookUp(life.order)
        unknown_ns = at_ns - sent.unknown_since_ns
        is_long = unknown_ns >= self._outcomes.unresolved_ms * NS_PER_MS
        if is_long and not sent.is_unresolved_told:
            sent.is_unresolved_told = True
            yield Alarm(
                run.plan.plan_id,
                f"{life.order.client_order_id} at {life.order.instrument}: its outcome is unknown "
                f"for {unknown_ns // NS_PER_MS // 1_000} s and cannot be proven; look at the venue",
            )

    def _unwind_or_end(self, run: _Run, at_ns: int) -> list[Act]:
        if run.retry_ns != NEVER_NS:
            return []
        orders = tuple(sent.life.order for sent in run.orders.values())
        if run.attempts < self._unwinding.attempts_max * (len(run.plan.legs) - 1):
            found = next_unwinding(
                run.plan,
                orders,
                quotes=self._quotes,
                costs=self._costs,
                rules=self._unwinding,
                at_ns=at_ns,
            )
            if found is not None:
                run.attempts += 1
                if found.price_limit is None:
                    run.retry_ns = at_ns + self._unwinding.wait_ms * NS_PER_MS
                    return []
                self._order_rate.add(1, at_ns)
                what = (found.side, found.size_base, found.price_limit)
                return [self._intend(run, found.leg, Purpose.UNWIND, what, at_ns)]
        del self._runs[run.plan.plan_id]
        for client_order_id in run.orders:
            del self._run_of_order[client_order_id]
        return [End(run.plan, orders, at_ns)]

    def _plan_ahead(self) -> None:
        self.next_at_ns = min((run.due_ns for run in self._runs.values()), default=NEVER_NS)
