"""Tell what made a mixed plan come to another profit than was found; see `story`.

What all came to is compared in steps: as planned; with a transaction that did nothing, where it
reverted or never landed; with the swaps as they were; then with what each order met, as of orders
alone. Gas is a cause by itself. So all adds up exactly.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.domain.exact import exact_sum
from engine.domain.orders import Execution, leg_orders
from engine.domain.plans import MixedPlan, Sizing
from engine.domain.stories import Cause, TradeStory
from engine.execute.finished import Found, differences_of, first_worth, worth_estimated, worth_of
from engine.execute.story import gross_of, ladder, order_cost
from engine.execute.traded import Met
from engine.portfolio.settle import Settlement, Turn
from engine.portfolio.settle_mixed import swapped

_ORDER_CAUSES: Final = (Cause.UNREACHED, Cause.LATENCY, Cause.DEPTH_TAKEN, Cause.PRICE_LIMIT)


def tell_mixed_story(
    plan: MixedPlan,
    execution: Execution,
    settled: Settlement,
    met: Mapping[str, Met],
    found: Found | None,
) -> TradeStory:
    """Tell the story of a finished mixed plan; without `found` it begins at the decision."""
    sized = worth_of(plan, plan.profit_quote)
    screened_quote = worth_estimated(plan.opportunity.profit_quote)
    screened = worth_of(plan, screened_quote)
    first = first_worth(plan, found, screened)
    reckoned_gas = worth_estimated(plan.opportunity.gas_quote)
    with_gas = exact_sum((screened_quote, reckoned_gas, -plan.gas.usual_quote))
    sizing = plan.sizing or Sizing(untaken_quote=plan.profit_quote, whole_quote=plan.profit_quote)
    to_sized = differences_of(
        first,
        [
            (Cause.BOOK_MOVED, screened),
            (Cause.GAS, worth_of(plan, with_gas)),
            (Cause.LOT_ROUNDING, worth_of(plan, sizing.untaken_quote)),
            (Cause.DEPTH_TAKEN, worth_of(plan, sizing.whole_quote)),
            (Cause.SIZE_LIMIT, sized),
        ],
    )
    reached = _reached(plan, execution, met)
    planned_gross, gross = _planned_gross(plan), reached[-1][1]
    planned_fee = exact_sum(
        (planned_gross, -plan.profit_quote, -plan.transfer_quote, -plan.gas.usual_quote)
    )
    fee = exact_sum((gross, -settled.cash_quote, -settled.carry_quote, settled.other_fee_quote))
    planned_costs = (-plan.transfer_quote, -plan.gas.usual_quote)
    realised = worth_of(plan, settled.profit_quote)
    to_realised = differences_of(
        sized,
        [
            *(
                (cause, worth_of(plan, exact_sum((one, -planned_fee, *planned_costs))))
                for cause, one in reached
            ),
            (Cause.FEE, worth_of(plan, exact_sum((gross, -fee, *planned_costs)))),
            (
                Cause.GAS,
                worth_of(plan, exact_sum((gross, -fee, -plan.transfer_quote, -settled.gas_quote))),
            ),
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
        gas=worth_of(plan, settled.gas_quote),
        orders=tuple(order_cost(order) for order in execution.orders),
        limit=sizing.limit,
    )


def _planned_gross(plan: MixedPlan) -> Decimal:
    turns = [Turn(part.given, part.received) for part in plan.parts]
    return gross_of(plan.opportunity.quote, plan.parts, turns, ())


def _reached(
    plan: MixedPlan, execution: Execution, met: Mapping[str, Met]
) -> list[tuple[Cause, Decimal]]:
    """Return what the gross profit is with each further cause."""
    transaction = execution.transaction
    swaps, planned = swapped(transaction), plan.swaps
    by_leg = leg_orders(plan, execution.orders)
    ladders = [ladder(leg, order, met) for leg, order in zip(plan.legs, by_leg, strict=True)]
    steps = [
        [
            Turn.of(leg, base=one.base, quote=one.quote)
            for leg, one in zip(plan.legs, step, strict=True)
        ]
        for step in zip(*ladders, strict=True)
    ]

    def gross(legs: list[Turn], turn: Turn, *, is_all: bool = False) -> Decimal:
        turns = [*legs[: plan.before], turn, *legs[plan.before :]]
        orders = execution.orders if is_all else ()
        return gross_of(plan.opportunity.quote, plan.parts, turns, orders)

    if not (swaps.given or execution.orders):
        steps = steps[-1:] * len(steps)  # what nothing followed on was never to trade
    failed = Cause.REVERTED if execution.why_reverted else Cause.NEVER_LANDED
    lands = Turn(planned.given, planned.received) if swaps.given else swaps
    return [
        (failed, gross(steps[0], lands)),
        (Cause.POOL_MOVED, gross(steps[0], swaps)),
        *(
            (cause, gross(step, swaps))
            for cause, step in zip(_ORDER_CAUSES, steps[1:], strict=True)
        ),
        (Cause.UNWINDING, gross(steps[-1], swaps, is_all=True)),
    ]
