"""What the orders and the transaction of a mixed plan came to; see `settle`.

The transaction is one part of the route, which gives and receives at its wallet. What is left over
of what it gave is in the wallet; what it gave that no order bought is owed there. Its gas is a cost
by itself, at the rate of the plan, and no leftover, whatever asset it is paid in.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from engine.domain.assets import Amount
from engine.domain.exact import exact_sum
from engine.domain.opportunities import Leg
from engine.domain.orders import Order, Transaction, changes_by_asset, leg_orders
from engine.domain.plans import MixedPlan, RoutePart
from engine.domain.residuals import Residual
from engine.portfolio.settle import (
    Settlement,
    Turn,
    other_fee_quote,
    transfer_quote,
    turn_of,
    value_left_over,
)

_ZERO: Final = Decimal(0)


def settle_mixed(
    plan: MixedPlan,
    orders: Sequence[Order],
    transaction: Transaction | None,
    *,
    transfer_bps: Decimal,
) -> Settlement:
    """Add up the orders and the transaction of one plan, None if it has sent none."""
    parts, quote = plan.parts, plan.opportunity.quote
    turns = mixed_turns(plan, orders, transaction)
    changes = changes_by_asset(orders)
    for asset, change in () if transaction is None else transaction.turned:
        changes[asset] = exact_sum((changes.get(asset, _ZERO), change))
    residuals = []
    for number, (part, onward) in enumerate(pairwise(parts)):
        if amount := changes.get(part.target, _ZERO):
            residuals.append(
                Residual(
                    venue=part.venue if amount > 0 else onward.venue,
                    held=Amount(amount, part.target),
                    carry=Amount(value_left_over(amount, number, turns), quote),
                )
            )
    cash = changes.get(quote, _ZERO)
    carry = exact_sum(one.carry.value for one in residuals)
    transfer = transfer_quote(
        [
            min(_received(part, orders, transaction), _given(onward, orders, transaction))
            for part, onward in pairwise(parts)
        ],
        turns,
        transfer_bps=transfer_bps,
        venue_changes=plan.custody_changes,
    )
    receipt = None if transaction is None else transaction.receipt
    gas = _ZERO if receipt is None else receipt.gas_quote
    other = other_fee_quote(parts, orders)
    return Settlement(
        cash_quote=cash,
        residuals=tuple(residuals),
        carry_quote=carry,
        transfer_quote=transfer,
        gas_quote=gas,
        other_fee_quote=other,
        profit_quote=exact_sum((cash, carry, -transfer, -gas, -other)),
    )


def mixed_turns(
    plan: MixedPlan, orders: Sequence[Order], transaction: Transaction | None
) -> list[Turn]:
    """Return what each part turned; one that came to nothing counts as it was planned."""
    by_leg = leg_orders(plan, orders)
    turns = [turn_of(leg, order) for leg, order in zip(plan.legs, by_leg, strict=True)]
    return [*turns[: plan.before], _swapped(plan, transaction), *turns[plan.before :]]


def _swapped(plan: MixedPlan, transaction: Transaction | None) -> Turn:
    swaps = swapped(transaction)
    planned = plan.swaps
    return swaps if swaps.given else Turn(planned.given, planned.received)


def swapped(transaction: Transaction | None) -> Turn:
    """Return what a transaction gave and received, nothing if it did not land."""
    receipt = None if transaction is None else transaction.receipt
    if receipt is None or not receipt.swaps:
        return Turn(_ZERO, _ZERO)
    return Turn(receipt.swaps[0].amount_in, receipt.swaps[-1].amount_out)


def _received(part: RoutePart, orders: Sequence[Order], transaction: Transaction | None) -> Decimal:
    """Return what a part received in all, what was traded back taken off."""
    if isinstance(part, Leg):
        return max(net_change(part, orders, is_source=False), _ZERO)
    return swapped(transaction).received


def _given(part: RoutePart, orders: Sequence[Order], transaction: Transaction | None) -> Decimal:
    if isinstance(part, Leg):
        return max(-net_change(part, orders, is_source=True), _ZERO)
    return swapped(transaction).given


def net_change(leg: Leg, orders: Sequence[Order], *, is_source: bool) -> Decimal:
    """Return what all orders at a leg's book changed of what it gives or receives, with fees."""
    asset = leg.source if is_source else leg.target
    return exact_sum(
        change
        for order in orders
        if order.instrument == leg.instrument
        for _, of, change in order.changes
        if of == asset
    )
