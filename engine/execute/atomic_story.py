"""Tell what made a transaction come to another profit than was found, gas as a cause of its own."""

from decimal import Decimal

from engine.domain.exact import exact_sum
from engine.domain.orders import Execution
from engine.domain.plans import AtomicPlan
from engine.domain.stories import Cause, TradeStory
from engine.execute.finished import (
    Found,
    differences_of,
    first_worth,
    worth_estimated,
    worth_of,
)


def tell_atomic_story(plan: AtomicPlan, execution: Execution, found: Found | None) -> TradeStory:
    """Tell the story of a transaction; without `found` it begins at the decision."""
    sized = worth_of(plan, plan.profit_quote)
    screened_quote = worth_estimated(plan.opportunity.profit_quote)
    screened = worth_of(plan, screened_quote)
    first = first_worth(plan, found, screened)
    reckoned_gas = worth_estimated(plan.opportunity.gas_quote)
    with_gas = exact_sum((screened_quote, reckoned_gas, -plan.gas.usual_quote))
    to_sized = differences_of(
        first,
        [
            (Cause.BOOK_MOVED, screened),
            (Cause.GAS, worth_of(plan, with_gas)),
            (Cause.LOT_ROUNDING, sized),
        ],
    )
    transaction = execution.transaction
    receipt = None if transaction is None else transaction.receipt
    gas = Decimal(0) if receipt is None else receipt.gas_quote
    loan = Decimal(0) if receipt is None else receipt.flash_fee
    gain = Decimal(0) if transaction is None else transaction.gain
    realised = worth_of(plan, execution.profit_quote)
    # What was gained, with the gas as planned: what it did not cost in the end comes last.
    gained = worth_of(plan, exact_sum((gain, -plan.gas.usual_quote)))
    if receipt is None:
        cause = Cause.UNREACHED
    else:
        cause = Cause.REVERTED if receipt.is_reverted else Cause.LATENCY
    return TradeStory(
        found=first,
        to_sized=to_sized,
        sized=sized,
        to_realised=differences_of(sized, [(cause, gained), (Cause.GAS, realised)]),
        realised=realised,
        gross=worth_of(plan, exact_sum((gain, loan))),
        fee=worth_of(plan, loan),
        transfer=worth_of(plan, Decimal(0)),
        gas=worth_of(plan, gas),
        orders=(),
        limit="" if plan.sizing is None else plan.sizing.limit,
    )
