"""Tell what made a trade come to another profit than was found: a pure function of its records.

The fills are compared with what each leg would have filled in steps: as planned; as planned, but
nothing where no live book was; in the book at its arrival, at any price and without what other
trades took meanwhile; with that; within its limit. Each step's gross profit less that of the step
before is what its cause made; fees and transfers are compared whole. So all adds up exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.exact import exact_product, exact_sum
from engine.domain.opportunities import Leg, Plan, Side, Sizing
from engine.domain.orders import Order, Purpose
from engine.domain.stories import Cause, Difference, OrderCost, TradeStory, Worth
from engine.execute.paper import Finished
from engine.execute.traded import NOTHING, Traded
from engine.portfolio.settle import carry_quote

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
    gross = _gross(*steps[-1], finished.execution.orders)
    fee = gross - exact_sum((settled.cash_quote, settled.carry_quote))
    planned_gross = _gross(*steps[0])
    planned_fee = exact_sum((planned_gross, -plan.profit_quote, -plan.transfer_quote))
    reached = [*(_gross(*step) for step in steps[1:]), gross]
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


def _leg_steps(finished: Finished) -> list[tuple[Traded, Traded]]:
    """Return what the two legs trade at each step, from as planned to as filled."""
    buy, sell = (_ladder(leg, finished) for leg in finished.plan.legs)
    return list(zip(buy, sell, strict=True))


def _ladder(leg: Leg, finished: Finished) -> tuple[Traded, ...]:
    planned = Traded(base=leg.size_base, quote=leg.notional_quote)
    order = next(
        (
            one
            for one in finished.execution.orders
            if one.purpose is Purpose.LEG and one.side is leg.side
        ),
        None,
    )
    met = None if order is None else finished.met.get(order.client_order_id)
    if order is None or met is None or not met.is_live:
        return planned, NOTHING, NOTHING, NOTHING, NOTHING
    filled = Traded(base=order.filled_base, quote=order.notional_quote)
    return planned, planned, met.untaken, met.there, filled


def _gross(buy: Traded, sell: Traded, orders: Sequence[Order] = ()) -> Decimal:
    """Return the profit before all costs; what is left over counts at its leg's average price.

    Args:
        buy: what the first leg traded.
        sell: what the second leg traded.
        orders: of which those that unwound count too.
    """
    unwound = [order for order in orders if order.purpose is Purpose.UNWIND]
    cash = [sell.quote, -buy.quote]
    base = [buy.base, -sell.base]
    for order in unwound:
        sign = 1 if order.side is Side.BUY else -1
        base.append(sign * order.filled_base)
        cash.append(-sign * order.notional_quote)
    excess = exact_sum(base)
    over, other = (buy, sell) if excess > 0 else (sell, buy)
    leg = over if over.base else other
    if excess and leg.base:
        cash.append(carry_quote(excess, leg.quote, leg.base))
    return exact_sum(cash)


def _cost(order: Order) -> OrderCost:
    return OrderCost(
        venue=order.instrument.venue,
        side=order.side.value,
        purpose=order.purpose.value,
        fee_quote=exact_sum(fill.fee_quote for fill in order.fills),
        fee_base=exact_sum(fill.fee_base for fill in order.fills),
        latency_ns=order.arrives_at_ns - order.sent_at_ns,
    )
