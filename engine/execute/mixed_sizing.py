"""What follows in a mixed plan: sized by what went first, and never more than was planned."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal

from engine.domain.orders import Order, Transaction
from engine.domain.plans import MixedPlan
from engine.execute.unwinding import is_order
from engine.portfolio.costs import EXACT
from engine.portfolio.settle_mixed import net_change, swapped


def orders_after(plan: MixedPlan, transaction: Transaction) -> Iterator[tuple[int, Decimal]]:
    """Yield the number and size of each order that follows on a transaction, none if it failed.

    It took what was planned, which the orders before it in the route provide. Those behind it turn
    what it gave: less in proportion, if that is less than planned.
    """
    turned = swapped(transaction)
    if not turned.received:
        return
    for number, leg in enumerate(plan.legs):
        size = leg.size_base
        if number >= plan.before:
            onward = plan.legs[plan.before]
            wanted = EXACT.add(onward.given, onward.fee_given)
            if turned.received < wanted:
                share = EXACT.divide(EXACT.multiply(size, turned.received), wanted)
                size = leg.instrument.floor_to_lot(share)
        if is_order(leg.instrument, size, leg.price_limit):
            yield number, size


def input_after(plan: MixedPlan, orders: Sequence[Order]) -> Decimal | None:
    """Return what the transaction takes that follows on orders, None if it is not worth its gas.

    No more than the orders before it in the route received, nor than gives what those behind it
    have given already.
    """
    first = plan.steps[0]
    amount = first.amount_in
    if plan.before:
        had = net_change(plan.legs[plan.before - 1], orders, is_source=False)
        amount = min(amount, had)
    if plan.before < len(plan.legs):
        onward = plan.legs[plan.before]
        wanted = EXACT.add(onward.given, onward.fee_given)
        given = -net_change(onward, orders, is_source=True)
        if given < wanted:
            share = EXACT.divide(EXACT.multiply(first.amount_in, given), wanted)
            amount = min(amount, share)
    unit = Decimal(1).scaleb(-first.decimals_in)
    amount = amount.quantize(unit, ROUND_FLOOR, EXACT)
    if amount <= 0:
        return None
    gas = plan.gas.usual_quote
    gain = EXACT.multiply(EXACT.add(plan.profit_quote, gas), amount)
    return amount if gain > EXACT.multiply(gas, first.amount_in) else None
