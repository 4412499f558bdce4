"""The executor of mixed plans: one part, then the other by what the first came to, then the rest.

A transaction that goes first and does not land ends the plan: no order was sent. Where orders go
first, one that does not land leaves them to be unwound. What then is left over or owed is closed at
the books alone, each asset at the order that stands between it and an end of the route: what went
through a pool is not brought back through it.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from engine.decide.order_rate import OrderRate
from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_sum
from engine.domain.opportunities import Side
from engine.domain.orders import (
    Intent,
    Order,
    OrderState,
    Purpose,
    Sendable,
    Transaction,
    changes_by_asset,
)
from engine.domain.plans import MixedPlan, Part
from engine.domain.units import NS_PER_MS
from engine.execute.atomic import TransactionLife
from engine.execute.executor import Act, Store
from engine.execute.following import Following, OutcomeRules, Run
from engine.execute.mixed_sizing import input_after, orders_after
from engine.execute.order_life import OrderLife
from engine.execute.unwinding import Quotes, Unwinding, UnwindRules, close, other_side
from engine.portfolio.costs import Costs

_ZERO: Final = Decimal(0)


class MixedExecutor:
    """Executes mixed plans; see `executor.Executor`."""

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
        self._order_rate = order_rate
        self._following = Following(outcomes=outcomes, is_killed=is_killed, settled=self._go_on)
        self._has_followed: set[str] = set()
        self.stored = self._following.stored
        self.on_news = self._following.on_news
        self.knows = self._following.knows
        self.missed = self._following.missed
        self.tick = self._following.tick

    @property
    def next_at_ns(self) -> int:
        """When `tick` is due next; `NEVER_NS` if nothing waits."""
        return self._following.next_at_ns

    def start(self, plan: MixedPlan, at_ns: int) -> Sequence[Act]:
        """Intend what goes first; a plan past its deadline ends with the next tick."""
        run = self._following.begin(plan)
        acts: list[Act] = []
        if at_ns > plan.deadline_ns:
            self._has_followed.add(plan.plan_id)
            run.retry_ns = at_ns
        elif plan.first is Part.TRANSACTION:
            acts.append(self._intend_transaction(run, None, at_ns))
        else:
            acts += [
                self._intend_order(run, number, leg.size_base, at_ns)
                for number, leg in enumerate(plan.legs)
            ]
        self._following.plan_ahead()
        return acts

    def recover(self, intent: Intent, at_ns: int) -> Sequence[Act]:
        """Take a plan over whose engine ended while it was under way; nothing is sent again.

        Nor does what would have followed go out: it is late. What is proven is closed.
        """
        plan = intent.plan
        assert isinstance(plan, MixedPlan)
        self._has_followed.add(plan.plan_id)
        instruments = [leg.instrument for leg in plan.legs]
        return self._following.resume(
            plan,
            [
                *((0, TransactionLife(one)) for one in intent.transactions),
                *((instruments.index(one.instrument), OrderLife(one)) for one in intent.orders),
            ],
            at_ns,
        )

    def _go_on(self, run: Run, at_ns: int) -> list[Act]:
        """Let what follows go, once; then close what is left over, and end."""
        plan = _plan(run)
        if plan.plan_id not in self._has_followed:
            self._has_followed.add(plan.plan_id)
            run.deadline_ns = at_ns + plan.deadline_ns - plan.decided_at_ns
            if acts := self._follow(run, at_ns):
                return acts
        if run.attempts < self._unwinding.attempts_max * len(plan.legs):
            found = self._next_closing(plan, run.sendables, at_ns)
            if found is not None:
                run.attempts += 1
                if found.price_limit is None:
                    run.retry_ns = at_ns + self._unwinding.wait_ms * NS_PER_MS
                    return []
                self._order_rate.add(1, at_ns)
                return [self._intend_closing(run, found, found.price_limit, at_ns)]
        self._has_followed.discard(plan.plan_id)
        return [self._following.end(run, at_ns)]

    def _follow(self, run: Run, at_ns: int) -> list[Act]:
        plan = _plan(run)
        if plan.first is Part.ORDERS:
            amount = input_after(plan, _orders(run.sendables))
            return [] if amount is None else [self._intend_transaction(run, amount, at_ns)]
        (transaction,) = (one for one in run.sendables if isinstance(one, Transaction))
        return [
            self._intend_order(run, number, size, at_ns)
            for number, size in orders_after(plan, transaction)
        ]

    def _next_closing(
        self, plan: MixedPlan, sendables: Sequence[Sendable], at_ns: int
    ) -> Unwinding | None:
        """Return the next order that closes what is left over or owed, None if none can.

        Before the transaction that is the order that received it, behind it the one that gives it:
        between it and the end of the route there is no pool.
        """
        for number, part in enumerate(plan.parts[:-1]):
            excess = left_over(part.target, sendables)
            if not excess:
                continue
            own = plan.legs[number].side
            is_back = (excess > 0) == (number < plan.before)
            side = other_side(own) if is_back else own
            found = close(
                plan,
                number,
                side,
                Amount(abs(excess), part.target),
                quotes=self._quotes,
                costs=self._costs,
                rules=self._unwinding,
                at_ns=at_ns,
            )
            if found is not None:
                return found
        return None

    def _intend_transaction(self, run: Run, amount: Decimal | None, at_ns: int) -> Store:
        plan = _plan(run)
        transaction = Transaction(
            client_order_id=f"{plan.plan_id}-t",
            plan_id=plan.plan_id,
            chain=plan.chain,
            wallet=plan.wallet,
            sent_at_ns=at_ns,
            state=OrderState.PLANNED,
            amount_in=amount,
        )
        return self._following.intend(run, 0, TransactionLife(transaction))

    def _intend_order(self, run: Run, number: int, size: Decimal, at_ns: int) -> Store:
        leg = _plan(run).legs[number]
        what = (leg.side, size, leg.price_limit)
        return self._intend(run, number, Purpose.LEG, what, at_ns)

    def _intend_closing(self, run: Run, found: Unwinding, limit: Decimal, at_ns: int) -> Store:
        what = (found.side, found.size_base, limit)
        return self._intend(run, found.leg, Purpose.UNWIND, what, at_ns)

    def _intend(
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


def left_over(asset: AssetCode, sendables: Sequence[Sendable]) -> Decimal:
    """Return what orders and a transaction changed of an asset in all, gas apart."""
    orders = _orders(sendables)
    turned = [one.turned for one in sendables if isinstance(one, Transaction)]
    swapped = [amount for one in turned for of, amount in one if of == asset]
    return exact_sum((changes_by_asset(orders).get(asset, _ZERO), *swapped))


def _orders(sendables: Sequence[Sendable]) -> list[Order]:
    return [one for one in sendables if isinstance(one, Order)]


def _plan(run: Run) -> MixedPlan:
    assert isinstance(run.plan, MixedPlan)
    return run.plan


def _next_number(run: Run) -> int:
    """Return a number that no order of the plan has: after a restart some may be missing."""
    names = [one.client_order_id for one in _orders(run.sendables)]
    return 1 + max((int(name.rpartition("-o")[2]) for name in names), default=0)
