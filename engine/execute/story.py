"""Tell what made a trade come to another profit than was found: a pure function of its records.

The fills are compared with what each leg would have filled in steps: as planned; as planned, but
nothing where no live book was; in the book at its arrival, at any price and without what other
trades took meanwhile; with that; within its limit. Each step's gross profit less that of the step
before is what its cause made; fees and transfers are compared whole. So all adds up exactly.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.opportunities import Leg, Side
from engine.domain.orders import Execution, Order, Purpose, leg_orders
from engine.domain.plans import LeggedPlan, RoutePart, Sizing, closes_of
from engine.domain.stories import Cause, OrderCost, TradeStory
from engine.execute.finished import Found, differences_of, first_worth, worth_estimated, worth_of
from engine.execute.traded import NOTHING, Met, Traded
from engine.portfolio.costs import floor_to_quote_step
from engine.portfolio.settle import Settlement, Turn, closed_carry, value_left_over

_LEG_CAUSES = (Cause.UNREACHED, Cause.LATENCY, Cause.DEPTH_TAKEN, Cause.PRICE_LIMIT)


def tell_story(
    plan: LeggedPlan,
    execution: Execution,
    settled: Settlement,
    met: Mapping[str, Met],
    found: Found | None,
) -> TradeStory:
    """Tell the story of a finished plan of legs; without `found` it begins at the decision."""
    sized = worth_of(plan, plan.profit_quote)
    screened = worth_of(plan, worth_estimated(plan.opportunity.profit_quote))
    first = first_worth(plan, found, screened)
    sizing = plan.sizing or Sizing(untaken_quote=plan.profit_quote, whole_quote=plan.profit_quote)
    to_sized = differences_of(
        first,
        [
            (Cause.BOOK_MOVED, screened),
            (Cause.LOT_ROUNDING, worth_of(plan, sizing.untaken_quote)),
            (Cause.DEPTH_TAKEN, worth_of(plan, sizing.whole_quote)),
            (Cause.SIZE_LIMIT, sized),
        ],
    )
    realised = worth_of(plan, settled.profit_quote)
    steps = _leg_steps(plan, execution, met)
    gross = _gross(plan, steps[-1], execution.orders)
    fee = exact_sum((gross, -settled.cash_quote, -settled.carry_quote, settled.other_fee_quote))
    planned_gross = _gross(plan, steps[0])
    planned_fee = exact_sum((planned_gross, -plan.profit_quote, -plan.transfer_quote))
    reached = [*(_gross(plan, step) for step in steps[1:]), gross]
    causes = (*_LEG_CAUSES, Cause.UNWINDING)
    before_costs = [exact_sum((one, -planned_fee, -plan.transfer_quote)) for one in reached]
    after_fee = exact_sum((gross, -fee, -plan.transfer_quote))
    to_realised = differences_of(
        sized,
        [
            *(
                (cause, worth_of(plan, one))
                for cause, one in zip(causes, before_costs, strict=True)
            ),
            (Cause.FEE, worth_of(plan, after_fee)),
            (Cause.TRANSFER, realised),
        ],
    )
    return TradeStory(
        found=first,
        to_sized=to_sized,
        sized=sized,
        to_realised=to_realised,
        realised=realised,
        gross=worth_of(plan, gross),
        fee=worth_of(plan, fee),
        transfer=worth_of(plan, settled.transfer_quote),
        orders=tuple(order_cost(order) for order in execution.orders),
        limit=sizing.limit,
    )


def _leg_steps(
    plan: LeggedPlan, execution: Execution, met: Mapping[str, Met]
) -> list[tuple[Traded, ...]]:
    """Return what the legs trade at each step, from as planned to as filled."""
    by_leg = leg_orders(plan, execution.orders)
    ladders = [ladder(leg, order, met) for leg, order in zip(plan.legs, by_leg, strict=True)]
    return list(zip(*ladders, strict=True))


def ladder(leg: Leg, order: Order | None, met: Mapping[str, Met]) -> tuple[Traded, ...]:
    """Return what a leg trades at each step, from as planned to as filled."""
    planned = Traded(base=leg.size_base, quote=leg.notional_quote)
    found = None if order is None else met.get(order.client_order_id)
    if order is None or found is None or not found.is_live:
        return planned, NOTHING, NOTHING, NOTHING, NOTHING
    filled = Traded(base=order.filled_base, quote=order.notional_quote)
    return planned, planned, found.untaken, found.there, filled


def _gross(plan: LeggedPlan, traded: Sequence[Traded], orders: Sequence[Order] = ()) -> Decimal:
    """Return the profit before all costs; what is left over counts as its legs filled on average.

    Args:
        plan: whose legs these are.
        traded: what each of them traded.
        orders: of which those that unwound count too.
    """
    legs = plan.legs
    turned = [
        Turn.of(leg, base=amounts.base, quote=amounts.quote)
        for leg, amounts in zip(legs, traded, strict=True)
    ]
    gross = gross_of(plan.opportunity.quote, legs, turned, orders)
    closes = closes_of(plan)
    if closes is None:
        return gross
    sign = 1 if legs[0].side is Side.SELL else -1
    carry = floor_to_quote_step(-closed_carry(closes, sign * traded[0].base))
    return exact_sum((gross, carry))


def gross_of(
    quote: AssetCode, parts: Sequence[RoutePart], turned: Sequence[Turn], orders: Sequence[Order]
) -> Decimal:
    """Return the profit of a route before all costs; see `_gross`.

    Args:
        quote: asset that the route starts and ends in.
        parts: of the route, as planned.
        turned: what each of them gave and received.
        orders: of which those that unwound count too.
    """
    turns = []
    changes: defaultdict[AssetCode, list[Decimal]] = defaultdict(list)
    for part, turn in zip(parts, turned, strict=True):
        changes[part.source].append(-turn.given)
        changes[part.target].append(turn.received)
        is_empty = not (turn.given and turn.received)
        turns.append(Turn(part.given, part.received) if is_empty else turn)
    for order in orders:
        if order.purpose is Purpose.UNWIND:
            pair, sign = order.instrument.pair, 1 if order.side is Side.BUY else -1
            changes[pair.base].append(sign * order.filled_base)
            changes[pair.quote].append(-sign * order.notional_quote)
    left = [
        value_left_over(exact_sum(changes[part.target]), number, turns)
        for number, part in enumerate(parts[:-1])
    ]
    return exact_sum((*changes[quote], *left))


def order_cost(order: Order) -> OrderCost:
    """Return what one order cost."""
    return OrderCost(
        venue=order.instrument.venue,
        side=order.side.value,
        purpose=order.purpose.value,
        fee_quote=exact_sum(fill.fee_quote for fill in order.fills),
        fee_base=exact_sum(fill.fee_base for fill in order.fills),
        other_fees=order.other_fees,
        latency_ns=order.arrives_at_ns - order.sent_at_ns,
    )
