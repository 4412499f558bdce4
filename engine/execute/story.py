"""Tell what made a trade come to another profit than was found: a pure function of its records.

The fills are compared with what each leg would have filled in steps: as planned; as planned, but
nothing where no live book was; in the book at its arrival, at any price and without what other
trades took meanwhile; with that; within its limit. Each step's gross profit less that of the step
before is what its cause made; fees and transfers are compared whole. So all adds up exactly.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.opportunities import Leg, Plan, Side, Sizing
from engine.domain.orders import Order, Purpose, leg_orders
from engine.domain.stories import Cause, Difference, OrderCost, TradeStory, Worth
from engine.execute.paper import Finished
from engine.execute.traded import NOTHING, Met, Traded
from engine.portfolio.settle import Turn, value_left_over

ESTIMATE_DECIMALS: Final = 8

_LEG_CAUSES = (Cause.UNREACHED, Cause.LATENCY, Cause.DEPTH_TAKEN, Cause.PRICE_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an opportunity was told to be worth when it was found."""

    profit_quote: float
    profit_usd: float | None


def tell_story(finished: Finished, found: Found | None = None) -> TradeStory:
    """Tell the story of a finished plan; without `found` it begins at the decision."""
    plan = finished.plan
    sized = _worth(plan, plan.profit_quote)
    screened = _worth(plan, _estimate(plan.opportunity.profit_quote))
    first = screened if found is None else _first(plan, found, screened)
    sizing = plan.sizing or Sizing(untaken_quote=plan.profit_quote, whole_quote=plan.profit_quote)
    to_sized = _differences(
        first,
        (
            (Cause.BOOK_MOVED, screened),
            (Cause.LOT_ROUNDING, _worth(plan, sizing.untaken_quote)),
            (Cause.DEPTH_TAKEN, _worth(plan, sizing.whole_quote)),
            (Cause.SIZE_LIMIT, sized),
        ),
    )
    settled = finished.settlement
    realised = _worth(plan, settled.profit_quote)
    steps = _leg_steps(finished)
    gross = _gross(plan, steps[-1], finished.execution.orders)
    fee = gross - exact_sum((settled.cash_quote, settled.carry_quote))
    planned_gross = _gross(plan, steps[0])
    planned_fee = exact_sum((planned_gross, -plan.profit_quote, -plan.transfer_quote))
    reached = [*(_gross(plan, step) for step in steps[1:]), gross]
    causes = (*_LEG_CAUSES, Cause.UNWINDING)
    before_costs = [exact_sum((one, -planned_fee, -plan.transfer_quote)) for one in reached]
    after_fee = exact_sum((gross, -fee, -plan.transfer_quote))
    to_realised = _differences(
        sized,
        (
            *((cause, _worth(plan, one)) for cause, one in zip(causes, before_costs, strict=True)),
            (Cause.FEE, _worth(plan, after_fee)),
            (Cause.TRANSFER, realised),
        ),
    )
    return TradeStory(
        found=first,
        to_sized=to_sized,
        sized=sized,
        to_realised=to_realised,
        realised=realised,
        gross=_worth(plan, gross),
        fee=_worth(plan, fee),
        transfer=_worth(plan, settled.transfer_quote),
        orders=tuple(_cost(order) for order in finished.execution.orders),
        limit=sizing.limit,
    )


def _estimate(amount: float) -> Decimal:
    """Return an estimate in floats as it is told, to the step that costs are rounded to."""
    return Decimal(repr(round(amount, ESTIMATE_DECIMALS)))


def _worth(plan: Plan, quote: Decimal) -> Worth:
    return Worth(quote=quote, usd=exact_product(quote, plan.usd_per_quote))


def _first(plan: Plan, found: Found, screened: Worth) -> Worth:
    if found.profit_quote == plan.opportunity.profit_quote:
        return screened
    worth = _worth(plan, _estimate(found.profit_quote))
    usd = worth.usd if found.profit_usd is None else _estimate(found.profit_usd)
    return Worth(quote=worth.quote, usd=usd)


def _differences(start: Worth, reached: Sequence[tuple[Cause, Worth]]) -> tuple[Difference, ...]:
    found = []
    before = start
    for cause, worth in reached:
        change = worth - before
        if change.quote or change.usd:
            found.append(Difference(cause=cause, worth=change))
        before = worth
    return tuple(found)


def _leg_steps(finished: Finished) -> list[tuple[Traded, ...]]:
    """Return what the legs trade at each step, from as planned to as filled."""
    plan = finished.plan
    by_leg = leg_orders(plan, finished.execution.orders)
    ladders = [
        _ladder(leg, order, finished.met) for leg, order in zip(plan.legs, by_leg, strict=True)
    ]
    return list(zip(*ladders, strict=True))


def _ladder(leg: Leg, order: Order | None, met: Mapping[str, Met]) -> tuple[Traded, ...]:
    planned = Traded(base=leg.size_base, quote=leg.notional_quote)
    found = None if order is None else met.get(order.client_order_id)
    if order is None or found is None or not found.is_live:
        return planned, NOTHING, NOTHING, NOTHING, NOTHING
    filled = Traded(base=order.filled_base, quote=order.notional_quote)
    return planned, planned, found.untaken, found.there, filled


def _gross(plan: Plan, traded: Sequence[Traded], orders: Sequence[Order] = ()) -> Decimal:
    """Return the profit before all costs; what is left over counts as its legs filled on average.

    Args:
        plan: whose legs these are.
        traded: what each of them traded.
        orders: of which those that unwound count too.
    """
    legs = plan.legs
    turns = []
    changes: defaultdict[AssetCode, list[Decimal]] = defaultdict(list)
    for leg, of in zip(legs, traded, strict=True):
        turn = Turn.of(leg, base=of.base, quote=of.quote)
        planned = Turn.of(leg, base=leg.size_base, quote=leg.notional_quote)
        changes[leg.source].append(-turn.given)
        changes[leg.target].append(turn.received)
        turns.append(turn if of.base and of.quote else planned)
    for order in orders:
        if order.purpose is Purpose.UNWIND:
            pair, sign = order.instrument.pair, 1 if order.side is Side.BUY else -1
            changes[pair.base].append(sign * order.filled_base)
            changes[pair.quote].append(-sign * order.notional_quote)
    left = [
        value_left_over(exact_sum(changes[leg.target]), number, turns)
        for number, leg in enumerate(legs[:-1])
    ]
    return exact_sum((*changes[plan.opportunity.quote], *left))


def _cost(order: Order) -> OrderCost:
    return OrderCost(
        venue=order.instrument.venue,
        side=order.side.value,
        purpose=order.purpose.value,
        fee_quote=exact_sum(fill.fee_quote for fill in order.fills),
        fee_base=exact_sum(fill.fee_base for fill in order.fills),
        latency_ns=order.arrives_at_ns - order.sent_at_ns,
    )
