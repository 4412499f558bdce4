"""The executor of plans with orders at books: what goes first, what follows, then the rest closed.

What that is for each kind of plan says its `Way`: legs alone (`legged.py`), or legs before and
behind a transaction (`mixed.py`). Once nothing of a plan is open and nothing follows, what is left
over is traded back order by order, until the tries are used up.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from engine.decide.order_rate import OrderRate
from engine.domain.opportunities import Side
from engine.domain.orders import Intent, Order, OrderState, Purpose, Sendable, Transaction
from engine.domain.plans import LeggedPlan, MixedPlan
from engine.domain.units import NS_PER_MS
from engine.execute.atomic import TransactionLife
from engine.execute.executor import Act, Store
from engine.execute.following import Following, Life, OutcomeRules, Run
from engine.execute.order_life import OrderLife
from engine.execute.unwinding import Quotes, Unwinding, UnwindRules
from engine.portfolio.costs import Costs

AWAITED_MS: Final = 500
"""So often it is looked whether a book is live by now that is waited for."""


@dataclass(frozen=True, slots=True)
class LegOrder:
    """An order to intend: of that size, at the limit of that leg."""

    leg: int
    size_base: Decimal


@dataclass(frozen=True, slots=True)
class Swaps:
    """The plan's transaction to intend; `amount_in` is what it takes, None for as planned."""

    amount_in: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What closing is reckoned with: the market as it is now, what it costs, and its bounds."""

    quotes: Quotes
    costs: Costs
    rules: UnwindRules


class Way(Protocol):
    """How plans of one kind go."""

    def first(self, plan: Any) -> Iterable[LegOrder | Swaps]:
        """Return what is intended at the start."""
        ...

    def following(self, plan: Any, sendables: Sequence[Sendable]) -> Iterable[LegOrder | Swaps]:
        """Return what is intended, once, when all that went first has ended."""
        ...

    def closing(
        self, plan: Any, sendables: Sequence[Sendable], books: Books, at_ns: int
    ) -> Unwinding | None:
        """Return the next order that closes what is left over or owed, None if none can."""
        ...


class BookExecutor:
    """Executes plans with orders at books in their way; see `executor.Executor`."""

    def __init__(
        self,
        way: Way,
        *,
        quotes: Quotes,
        costs: Costs,
        unwinding: UnwindRules,
        outcomes: OutcomeRules,
        order_rate: OrderRate,
        is_killed: Callable[[], bool],
    ) -> None:
        self._way = way
        self._books = Books(quotes=quotes, costs=costs, rules=unwinding)
        self._order_rate = order_rate
        self._following = Following(outcomes=outcomes, is_killed=is_killed, settled=self._go_on)
        self._has_followed: set[str] = set()
        self.stored = self._following.stored
        self.on_news = self._following.on_news
        self.knows = self._following.knows
        self.find = self._following.find
        self.missed = self._following.missed
        self.tick = self._following.tick

    @property
    def next_at_ns(self) -> int:
        """When `tick` is due next; `NEVER_NS` if nothing waits."""
        return self._following.next_at_ns

    def start(self, plan: LeggedPlan | MixedPlan, at_ns: int) -> Sequence[Act]:
        """Intend what goes first; a plan past its deadline ends with the next tick."""
        run = self._following.begin(plan)
        acts: list[Act] = []
        if at_ns > plan.deadline_ns:
            self._has_followed.add(plan.plan_id)
            run.retry_ns = at_ns
        else:
            acts += self._intend(run, self._way.first(plan), at_ns)
        self._following.plan_ahead()
        return acts

    def recover(self, intent: Intent, at_ns: int) -> Sequence[Act]:
        """Take a plan over whose engine ended while it was under way; nothing is sent again.

        Nor does what would have followed go out: it is late. What is proven is closed; tries at
        that of earlier runs count.
        """
        plan = intent.plan
        assert isinstance(plan, (LeggedPlan, MixedPlan))
        self._has_followed.add(plan.plan_id)
        lives = [*_lives(plan, intent.transactions), *_lives(plan, intent.orders)]
        tried = sum(one.purpose is Purpose.UNWIND for one in intent.orders)
        return self._following.resume(plan, lives, at_ns, attempts=tried)

    def remember(self, plan: LeggedPlan | MixedPlan, sendables: Iterable[Sendable]) -> None:
        """Know a plan that ended in an earlier run: what is told of it corrects what was booked."""
        self._following.remember(plan, _lives(plan, sendables))

    def _go_on(self, run: Run, at_ns: int) -> list[Act]:
        """Let what follows go, once; then close what is left over, and end."""
        plan = _plan(run)
        if plan.plan_id not in self._has_followed:
            self._has_followed.add(plan.plan_id)
            run.deadline_ns = at_ns + plan.deadline_ns - plan.decided_at_ns
            if acts := self._intend(run, self._way.following(plan, run.sendables), at_ns):
                return acts
        if run.attempts < self._books.rules.attempts_max * (len(plan.parts) - 1):
            found = self._way.closing(plan, run.sendables, self._books, at_ns)
            if found is not None:
                return self._close(run, found, at_ns)
        self._has_followed.discard(plan.plan_id)
        return [self._following.end(run, at_ns)]

    def _close(self, run: Run, found: Unwinding, at_ns: int) -> list[Act]:
        if found.is_awaited:
            run.retry_ns = at_ns + AWAITED_MS * NS_PER_MS
            return []
        run.attempts += 1
        if found.price_limit is None:
            run.retry_ns = at_ns + self._books.rules.wait_ms * NS_PER_MS
            return []
        self._order_rate.add(1, at_ns)
        what = (found.side, found.size_base, found.price_limit)
        return [self._intend_order(run, found.leg, Purpose.UNWIND, what, at_ns)]

    def _intend(self, run: Run, what: Iterable[LegOrder | Swaps], at_ns: int) -> list[Act]:
        acts: list[Act] = []
        for one in what:
            if isinstance(one, Swaps):
                acts.append(self._intend_swaps(run, one, at_ns))
            else:
                leg = _plan(run).legs[one.leg]
                order = (leg.side, one.size_base, leg.price_limit)
                acts.append(self._intend_order(run, one.leg, Purpose.LEG, order, at_ns))
        return acts

    def _intend_swaps(self, run: Run, swaps: Swaps, at_ns: int) -> Store:
        plan = run.plan
        assert isinstance(plan, MixedPlan)
        transaction = Transaction(
            client_order_id=f"{plan.plan_id}-t",
            plan_id=plan.plan_id,
            chain=plan.chain,
            wallet=plan.wallet,
            sent_at_ns=at_ns,
            state=OrderState.PLANNED,
            amount_in=swaps.amount_in,
        )
        return self._following.intend(run, 0, TransactionLife(transaction))

    def _intend_order(
        self,
        run: Run,
        leg: int,
        purpose: Purpose,
        what: tuple[Side, Decimal, Decimal],
        at_ns: int,
    ) -> Store:
        plan = _plan(run)
        side, size, limit = what
        order = Order(
            client_order_id=f"{plan.plan_id}-o{_next_number(run)}",
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
        return self._following.intend(run, leg, OrderLife(order))


def orders_of(sendables: Sequence[Sendable]) -> list[Order]:
    """Return the orders among what was intended of a plan."""
    return [one for one in sendables if isinstance(one, Order)]


def _lives(plan: LeggedPlan | MixedPlan, sendables: Iterable[Sendable]) -> list[tuple[int, Life]]:
    """Return what is followed, each with the number of its leg; a transaction has none."""
    instruments = [leg.instrument for leg in plan.legs]
    return [
        (0, TransactionLife(one))
        if isinstance(one, Transaction)
        else (instruments.index(one.instrument), OrderLife(one))
        for one in sendables
    ]


def _plan(run: Run) -> LeggedPlan | MixedPlan:
    assert isinstance(run.plan, (LeggedPlan, MixedPlan))
    return run.plan


def _next_number(run: Run) -> int:
    """Return a number that no order of the plan has: after a restart some may be missing."""
    names = [one.client_order_id for one in orders_of(run.sendables)]
    return 1 + max((int(name.rpartition("-o")[2]) for name in names), default=0)
