"""Following what was sent until its outcome is known: the same for orders and for transactions.

An outcome is waited for however long it takes. One that is unknown is looked up again and again; it
ends when the venue shows it, or when it is nowhere to be found, twice, so long after its sending
that it would be there. A plan under way keeps its exposure and reservations until then.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from engine.domain.errors import BadValueError
from engine.domain.orders import OrderState, Purpose, Sendable, Transaction
from engine.domain.plans import Plan
from engine.domain.units import NS_PER_MS
from engine.execute.executor import NEVER_NS, NO_ACTS, Act, Alarm, End, Late, LookUp, Send, Store
from engine.execute.order_life import ENDED, UNSENT, News, OrderEvent

ENDED_MAX: Final = 4_096
"""Orders that are remembered after their plan ended; what is told of older ones is an alarm."""


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


class Life(Protocol):
    """What is known of something that is sent.

    Attributes:
        alarms: what a person has to look at, in sentences.
    """

    alarms: list[str]

    @property
    def order(self) -> Sendable:
        """It, with its state as known."""
        ...

    @property
    def where(self) -> str:
        """Where it goes, for a person."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether it has ended and all that it came to is known."""
        ...

    def sent(self, at_ns: int) -> None:
        """Note when it was released."""
        ...

    def take(self, news: News) -> None:
        """Take over what is learned."""
        ...


@dataclass(slots=True, kw_only=True)
class Sent:
    """An order of a plan under way.

    Attributes:
        due_ns: when it is looked at next.
        unknown_since_ns: when it was looked up first; 0 unless it was.
        alarms_told: how many of its alarms were told.
        asked_from_ns: when another engine took it over; 0 unless one did.
    """

    leg: int
    life: Life
    due_ns: int = NEVER_NS
    absences: int = 0
    unknown_since_ns: int = 0
    is_unresolved_told: bool = False
    alarms_told: int = 0
    asked_from_ns: int = 0


@dataclass(slots=True, kw_only=True)
class Run:
    """A plan under way.

    Attributes:
        deadline_ns: no leg may be sent after this instant; a plan of two parts sets it anew for the
            second.
        attempts: at unwinding what is left over.
        retry_ns: when unwinding is tried again; when a plan that sends nothing ends.
    """

    plan: Plan
    deadline_ns: int
    orders: dict[str, Sent] = field(default_factory=dict)
    attempts: int = 0
    retry_ns: int = NEVER_NS

    @property
    def due_ns(self) -> int:
        """When anything of it is due next."""
        return min((self.retry_ns, *(sent.due_ns for sent in self.orders.values())))

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it is open."""
        return all(sent.life.is_settled for sent in self.orders.values())

    @property
    def sendables(self) -> tuple[Sendable, ...]:
        """All that was intended for it, as known."""
        return tuple(sent.life.order for sent in self.orders.values())


class Following:
    """All plans under way of one executor.

    Attributes:
        next_at_ns: when `tick` is due next; `NEVER_NS` if nothing waits.
    """

    def __init__(
        self,
        *,
        outcomes: OutcomeRules,
        is_killed: Callable[[], bool],
        settled: Callable[[Run, int], list[Act]],
    ) -> None:
        """Begin without plans.

        Args:
            outcomes: how outcomes are waited for.
            is_killed: asked before each send of a leg.
            settled: says what follows once nothing of a plan is open.
        """
        self._outcomes = outcomes
        self._is_killed = is_killed
        self._settled = settled
        self._runs: dict[str, Run] = {}
        self._run_of_order: dict[str, Run] = {}
        self._ended: dict[str, Run] = {}
        self.next_at_ns = NEVER_NS

    def begin(self, plan: Plan) -> Run:
        """Take a plan on."""
        run = self._runs[plan.plan_id] = Run(plan=plan, deadline_ns=plan.deadline_ns)
        return run

    def intend(self, run: Run, leg: int, life: Life) -> Store:
        """Intend an order."""
        client_order_id = life.order.client_order_id
        run.orders[client_order_id] = Sent(leg=leg, life=life)
        self._run_of_order[client_order_id] = run
        return Store(life.order)

    def resume(
        self, plan: Plan, lives: Sequence[tuple[int, Life]], at_ns: int, *, attempts: int = 0
    ) -> list[Act]:
        """Take a plan over whose engine ended while it was under way; nothing is sent again.

        What its orders came to is unknown until there is proof.

        Args:
            plan: of which intents are stored, but no end.
            lives: all that was intended of it, each with the number of its leg.
            at_ns: now; only a look-up so much later is evidence that there is no such order.
            attempts: at unwinding that were made of it.
        """
        run = self.begin(plan)
        run.attempts = attempts
        for leg, life in lives:
            self.intend(run, leg, life)
            sent = run.orders[life.order.client_order_id]
            sent.asked_from_ns = at_ns
            _learn(sent, OrderEvent.STORED)
            _learn(sent, OrderEvent.UNCLEAR)
        return self._go_on(run, at_ns)

    def remember(self, plan: Plan, lives: Iterable[tuple[int, Life]]) -> None:
        """Know a plan that ended in an earlier run, with what was known of its orders then."""
        run = Run(plan=plan, deadline_ns=plan.deadline_ns)
        for leg, life in lives:
            client_order_id = life.order.client_order_id
            run.orders[client_order_id] = Sent(leg=leg, life=life)
            self._ended[client_order_id] = run
        self._forget()

    def find(self, client_order_id: str) -> tuple[Plan, Sendable] | None:
        """Return an order as it is known, with its plan, be that under way or ended."""
        run = self._run_of_order.get(client_order_id) or self._ended.get(client_order_id)
        return None if run is None else (run.plan, run.orders[client_order_id].life.order)

    def end(self, run: Run, at_ns: int) -> End:
        """End a plan of which nothing is open."""
        del self._runs[run.plan.plan_id]
        for client_order_id in run.orders:
            self._ended[client_order_id] = self._run_of_order.pop(client_order_id)
        self._forget()
        return End(run.plan, run.sendables, at_ns)

    def _forget(self) -> None:
        while len(self._ended) > ENDED_MAX:
            del self._ended[next(iter(self._ended))]

    def stored(self, client_order_id: str, at_ns: int) -> Sequence[Act]:
        """Send an order whose intent is durable; a leg only in time and while nothing is killed."""
        run = self._run_of_order.get(client_order_id)
        if run is None or run.orders[client_order_id].life.order.state is not OrderState.PLANNED:
            return NO_ACTS
        sent = run.orders[client_order_id]
        _learn(sent, OrderEvent.STORED)
        is_leg = sent.life.order.purpose is Purpose.LEG
        if is_leg and (at_ns > run.deadline_ns or self._is_killed()):
            _learn(sent, OrderEvent.WITHHELD)
            return self._go_on(run, at_ns)
        _learn(sent, OrderEvent.SENT)
        sent.life.sent(at_ns)
        sent.due_ns = at_ns + self._outcomes.answer_ms_max * NS_PER_MS
        self.plan_ahead()
        return [Send(run.plan, sent.leg, sent.life.order, run.deadline_ns)]

    def on_news(self, news: News, at_ns: int) -> Sequence[Act]:
        """Take news of an order over, and go on with its plan once nothing is open any more."""
        run = self._run_of_order.get(news.client_order_id)
        if run is None:
            return self._told_late(news, at_ns)
        run.orders[news.client_order_id].life.take(news)
        return self._go_on(run, at_ns)

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan under way, or of one that ended not long ago."""
        return client_order_id in self._run_of_order or client_order_id in self._ended

    def _told_late(self, news: News, at_ns: int) -> Sequence[Act]:
        """Take over what is told of an order after its plan has ended; what is new counts."""
        run = self._ended.get(news.client_order_id)
        if run is None:
            return [Alarm("", f"{news.client_order_id} is no order of ours: {news.event}")]
        sent, before = run.orders[news.client_order_id], run.sendables
        sent.life.take(news)
        acts: list[Act] = [
            Alarm(run.plan.plan_id, sentence) for sentence in sent.life.alarms[sent.alarms_told :]
        ]
        sent.alarms_told = len(sent.life.alarms)
        if any(is_more(old, new) for old, new in zip(before, run.sendables, strict=True)):
            acts.append(Late(run.plan, before, run.sendables, at_ns))
        if not sent.life.is_settled:
            acts.append(LookUp(sent.life.order))
        return acts

    def missed(self, client_order_id: str, at_ns: int, *, has_gap: bool) -> Sequence[Act]:
        """Count a look-up that found nothing as evidence, if it is any."""
        run = self._run_of_order.get(client_order_id)
        if run is None:
            return NO_ACTS
        sent = run.orders[client_order_id]
        order = sent.life.order
        since_ns = max(order.sent_at_ns, sent.asked_from_ns)
        is_late = at_ns >= since_ns + self._outcomes.absent_after_ms * NS_PER_MS
        if order.state is not OrderState.UNKNOWN or has_gap or not is_late:
            return NO_ACTS
        sent.absences += 1
        if sent.absences < self._outcomes.absences_min:
            return NO_ACTS
        _learn(sent, OrderEvent.ABSENT)
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
                    _learn(sent, OrderEvent.UNCLEAR)
            acts += self._go_on(run, at_ns)
        return acts

    def plan_ahead(self) -> None:
        """Find out when something is due next."""
        self.next_at_ns = min((run.due_ns for run in self._runs.values()), default=NEVER_NS)

    def _go_on(self, run: Run, at_ns: int) -> list[Act]:
        """Look up what is not known; when all is, do what follows."""
        acts = [act for sent in run.orders.values() for act in self._follow(run, sent, at_ns)]
        if run.is_settled and run.retry_ns == NEVER_NS:
            acts += self._settled(run, at_ns)
        self.plan_ahead()
        return acts

    def _follow(self, run: Run, sent: Sent, at_ns: int) -> Iterator[Act]:
        life = sent.life
        for sentence in life.alarms[sent.alarms_told :]:
            yield Alarm(run.plan.plan_id, sentence)
        sent.alarms_told = len(life.alarms)
        state = life.order.state
        if life.is_settled or state in UNSENT:
            # More may be told of it yet: then it is looked up as if for the first time.
            sent.due_ns, sent.unknown_since_ns = NEVER_NS, 0
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
                f"{life.order.client_order_id} at {life.where}: its outcome is unknown "
                f"for {unknown_ns // NS_PER_MS // 1_000} s and cannot be proven; look at the venue",
            )


def is_more(before: Sendable, after: Sendable) -> bool:
    """Say whether more is known of what an order came to."""
    if isinstance(before, Transaction) or isinstance(after, Transaction):
        return before.changes != after.changes
    return len(before.fills) < len(after.fills)


def _learn(sent: Sent, event: OrderEvent) -> None:
    sent.life.take(News(client_order_id=sent.life.order.client_order_id, event=event))
