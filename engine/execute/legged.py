"""The executor of plans whose legs are orders at books: all at once, then what is left unwound."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.decide.order_rate import OrderRate
from engine.domain.opportunities import Side
from engine.domain.orders import Intent, Order, OrderState, Purpose
from engine.domain.plans import LeggedPlan
from engine.domain.units import NS_PER_MS
from engine.execute.executor import Act, Store
from engine.execute.following import Following, OutcomeRules, Run
from engine.execute.order_life import OrderLife
from engine.execute.unwinding import Quotes, UnwindRules, next_unwinding
from engine.portfolio.costs import Costs


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
        self._order_rate = order_rate
        self._following = Following(
            outcomes=outcomes, is_killed=is_killed, settled=self._unwind_or_end
        )
        self.stored = self._following.stored
        self.on_news = self._following.on_news
        self.knows = self._following.knows
        self.missed = self._following.missed
        self.tick = self._following.tick

    @property
    def next_at_ns(self) -> int:
        """When `tick` is due next; `NEVER_NS` if nothing waits."""
        return self._following.next_at_ns

    def start(self, plan: LeggedPlan, at_ns: int) -> Sequence[Act]:
        """Intend one order per leg; a plan past its deadline ends with the next tick."""
        run = self._following.begin(plan)
        acts: list[Act] = []
        if at_ns > plan.deadline_ns:
            run.retry_ns = at_ns
        else:
            for number, leg in enumerate(plan.legs):
                what = (leg.side, leg.size_base, leg.price_limit)
                acts.append(self._intend(run, number, Purpose.LEG, what, at_ns))
        self._following.plan_ahead()
        return acts

    def recover(self, intent: Intent, at_ns: int) -> Sequence[Act]:
        """Take a plan over whose engine ended while it was under way; nothing is sent again."""
        assert isinstance(intent.plan, LeggedPlan)
        instruments = [leg.instrument for leg in intent.plan.legs]
        lives = [(instruments.index(one.instrument), OrderLife(one)) for one in intent.orders]
        return self._following.resume(intent.plan, lives, at_ns)

    def _intend(
        self,
        run: Run,
        leg: int,
        purpose: Purpose,
        what: tuple[Side, Decimal, Decimal],
        at_ns: int,
    ) -> Store:
        plan = run.plan
        assert isinstance(plan, LeggedPlan)
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

    def _unwind_or_end(self, run: Run, at_ns: int) -> list[Act]:
        plan = run.plan
        assert isinstance(plan, LeggedPlan)
        orders = [order for order in run.sendables if isinstance(order, Order)]
        if run.attempts < self._unwinding.attempts_max * (len(plan.legs) - 1):
            found = next_unwinding(
                plan,
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
        return [self._following.end(run, at_ns)]


def _next_number(run: Run) -> int:
    """Return a number that no order of the plan has: after a restart some may be missing."""
    return 1 + max((int(name.rpartition("-o")[2]) for name in run.orders), default=0)
