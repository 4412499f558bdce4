"""The paper executor: plans become orders, and these are filled as they would have been.

An order reaches its venue after a drawn latency and meets the book as it is then. What only one
leg filled is unwound at that leg's venue. Profit comes from fills, never from the plan.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.decide.order_rate import OrderRate
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_product
from engine.domain.instruments import Instrument
from engine.domain.opportunities import Leg, Plan, Side
from engine.domain.orders import Execution, Order, OrderState, Purpose
from engine.execute.fill import PaperVenue
from engine.execute.latency import LatencyModel
from engine.execute.traded import Met
from engine.portfolio.costs import BPS_PER_UNIT, Costs
from engine.portfolio.settle import Settlement, settle

NEVER_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwindRules:
    """How what one leg left over is closed at its venue.

    Attributes:
        band_bps: an unwinding order's limit lies at most so far behind the best price at the
            time it is sent.
        attempts_max: tries per plan; one at which the book is stale sends nothing but counts.
    """

    band_bps: Decimal = Decimal(50)
    attempts_max: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.band_bps < BPS_PER_UNIT or self.attempts_max < 0:
            raise BadValueError(
                f"unwind band {self.band_bps} bps must be 0 or more and below {BPS_PER_UNIT}, "
                f"and attempts {self.attempts_max} must not be negative"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A plan that has ended.

    Attributes:
        met: what the order of each leg met, by its id.
    """

    plan: Plan
    execution: Execution
    settlement: Settlement
    met: Mapping[str, Met]


NOTHING_FINISHED: tuple[Finished, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Run:
    """A plan under way."""

    plan: Plan
    number: int
    legs_out: int = 0
    orders_sent: int = 0
    attempts: int = 0
    orders: list[Order] = field(default_factory=list)
    taken_at_send: dict[str, Mapping[int, int]] = field(default_factory=dict)
    met: dict[str, Met] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Event:
    """An order arrives, or (without an order) unwinding is tried again."""

    run: _Run
    order: Order | None


class PaperExecutor:
    """Executes plans against the board without sending anything anywhere.

    Attributes:
        next_at_ns: instant of the next event; `advance` does nothing before it.
    """

    def __init__(
        self,
        *,
        venue: PaperVenue,
        costs: Costs,
        latency: LatencyModel,
        rules: UnwindRules,
        order_rate: OrderRate,
    ) -> None:
        self._venue = venue
        self._costs = costs
        self._latency = latency
        self._rules = rules
        self._order_rate = order_rate
        self._events: list[tuple[int, int, _Event]] = []
        self._event_count = 0
        self._plan_count = 0
        self.next_at_ns = NEVER_NS

    def start(self, plan: Plan, at_ns: int) -> None:
        """Send the plan's legs; a plan past its deadline ends at the next advance, unsent."""
        self._plan_count += 1
        run = _Run(plan=plan, number=self._plan_count)
        if at_ns > plan.deadline_ns:
            self._push(at_ns, _Event(run, None))
            return
        run.legs_out = len(plan.legs)
        for leg in plan.legs:
            self._send(run, _leg_order(leg), at_ns)

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended.

        To be called before each input is applied: orders meet the board as it was until then.
        """
        if at_ns < self.next_at_ns:
            return NOTHING_FINISHED
        finished: list[Finished] = []
        while self._events and self._events[0][0] <= at_ns:
            due_at_ns, _, event = heapq.heappop(self._events)
            ended = self._take(event, due_at_ns)
            if ended is not None:
                finished.append(ended)
        self.next_at_ns = self._events[0][0] if self._events else NEVER_NS
        return finished

    def _take(self, event: _Event, at_ns: int) -> Finished | None:
        run = event.run
        if event.order is not None:
            book = _book_of(run.plan, event.order.instrument)
            if event.order.purpose is Purpose.LEG:
                run.legs_out -= 1
                order_id = event.order.client_order_id
                taken_before = run.taken_at_send[order_id]
                run.met[order_id] = self._venue.meet(event.order, book, taken_before)
            run.orders.append(self._venue.fill(event.order, book))
            if run.legs_out:
                return None
        if self._unwind(run, at_ns):
            return None
        return self._finish(run, at_ns)

    def _unwind(self, run: _Run, at_ns: int) -> bool:
        """Send the next unwinding order if there is something to unwind and a try is left."""
        excess = sum((order.base_change for order in run.orders), Decimal(0))
        if excess == 0 or run.attempts >= self._rules.attempts_max:
            return False
        over_filled = Side.BUY if excess > 0 else Side.SELL
        instrument = next(
            order.instrument
            for order in run.orders
            if order.side is over_filled and order.purpose is Purpose.LEG
        )
        side = Side.SELL if excess > 0 else Side.BUY
        size = instrument.floor_to_lot(self._costs.size_for(instrument.venue, side, abs(excess)))
        if size <= 0 or size < instrument.size_min_base:
            return False
        run.attempts += 1
        best = self._venue.best_price(_book_of(run.plan, instrument), side, at_ns)
        if best is None:
            self._push(at_ns + self._draw_ns(run, instrument), _Event(run, None))
            return True
        limit = self._band_limit(instrument, side, best)
        if size * limit < instrument.notional_min_quote:
            return False
        self._order_rate.add(1, at_ns)
        self._send(run, (Purpose.UNWIND, instrument, side, size, limit), at_ns)
        return True

    def _band_limit(self, instrument: Instrument, side: Side, best: Decimal) -> Decimal:
        band = self._rules.band_bps / BPS_PER_UNIT
        if side is Side.BUY:
            return instrument.floor_to_tick(best * (1 + band))
        return instrument.ceil_to_tick(best * (1 - band))

    def _send(
        self, run: _Run, what: tuple[Purpose, Instrument, Side, Decimal, Decimal], at_ns: int
    ) -> None:
        purpose, instrument, side, size, limit = what
        arrives_at_ns = at_ns + self._draw_ns(run, instrument)
        order = Order(
            client_order_id=f"{run.plan.plan_id}-o{run.orders_sent}",
            plan_id=run.plan.plan_id,
            purpose=purpose,
            instrument=instrument,
            side=side,
            size_base=size,
            price_limit=limit,
            sent_at_ns=at_ns,
            arrives_at_ns=arrives_at_ns,
            state=OrderState.SENT,
        )
        if purpose is Purpose.LEG:
            book = _book_of(run.plan, instrument)
            run.taken_at_send[order.client_order_id] = self._venue.taken_on(order, book)
        self._push(arrives_at_ns, _Event(run, order))

    def _draw_ns(self, run: _Run, instrument: Instrument) -> int:
        run.orders_sent += 1
        return self._latency.draw_ns(
            instrument.venue, plan_number=run.number, order_number=run.orders_sent
        )

    def _push(self, at_ns: int, event: _Event) -> None:
        self._event_count += 1
        heapq.heappush(self._events, (at_ns, self._event_count, event))
        self.next_at_ns = self._events[0][0]

    def _finish(self, run: _Run, at_ns: int) -> Finished:
        plan, opportunity = run.plan, run.plan.opportunity
        transfer_bps = self._costs.transfer_bps
        orders = tuple(run.orders)
        settlement = settle(orders, transfer_bps=transfer_bps)
        execution = Execution(
            execution_id=f"{plan.plan_id}-x",
            plan_id=plan.plan_id,
            opportunity_id=opportunity.opportunity_id,
            closed_at_ns=at_ns,
            orders=orders,
            quote=opportunity.quote,
            profit_quote=settlement.profit_quote,
            profit_usd=exact_product(settlement.profit_quote, plan.usd_per_quote),
            expected_usd=exact_product(plan.profit_quote, plan.usd_per_quote),
            residual_base=settlement.residual_base,
            carry_quote=settlement.carry_quote,
        )
        return Finished(plan=plan, execution=execution, settlement=settlement, met=run.met)


def _leg_order(leg: Leg) -> tuple[Purpose, Instrument, Side, Decimal, Decimal]:
    return Purpose.LEG, leg.instrument, leg.side, leg.size_base, leg.price_limit


def _book_of(plan: Plan, instrument: Instrument) -> int:
    hops = plan.opportunity.hops
    is_buy = instrument == plan.legs[0].instrument
    return hops[0 if is_buy else 1].row
