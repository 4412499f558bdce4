"""What the orders of one plan came to: cash, what is left over, and the profit of the rest.

A plan's legs form a route: each gives what the one before received, the last receives what the
first gives, the quote asset of the route. Of the assets in between something may be left over or
owed. It is valued at what it was filled for: what is left over at what the legs up to it paid on
average, what is owed at what the legs after it brought.

A plan that closes a leftover turns that back: what it was filled for is what it is held against.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from engine.domain.assets import Amount
from engine.domain.exact import exact_sum
from engine.domain.opportunities import Leg, Side
from engine.domain.orders import Order, changes_by_asset, leg_orders
from engine.domain.plans import Closes, LeggedPlan, RoutePart, closes_of
from engine.domain.residuals import Residual
from engine.portfolio.costs import EXACT, ceil_share, floor_to_quote_step

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Outcome of orders that belong together.

    Attributes:
        cash_quote: sum over all fills of the route's quote asset, fees included.
        residuals: of each asset between two legs what is left over (owed, if negative), at the
            venue where it is, with its value in quote as it was filled, rounded against us.
        carry_quote: sum of these values.
        transfer_quote: cost of moving back what all legs filled.
        gas_quote: paid by a transaction among them, whether or not it reverted.
        other_fee_quote: worth of the fees in assets that are none of the route's.
        profit_quote: ``cash + carry - transfer - gas - other fees``: realised, the residuals valued
            as filled.
    """

    cash_quote: Decimal
    residuals: tuple[Residual, ...]
    carry_quote: Decimal
    transfer_quote: Decimal
    profit_quote: Decimal
    gas_quote: Decimal = _ZERO
    other_fee_quote: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Turn:
    """What a leg gave and received, before fees."""

    given: Decimal
    received: Decimal

    @classmethod
    def of(cls, leg: Leg, *, base: Decimal, quote: Decimal) -> "Turn":
        """Make it of a size in base and its notional in quote."""
        return cls(quote, base) if leg.side is Side.BUY else cls(base, quote)


def carry_quote(residual_base: Decimal, notional_quote: Decimal, filled_base: Decimal) -> Decimal:
    """Return what is left over at the average price of one leg, rounded down."""
    return floor_to_quote_step(_share(residual_base, notional_quote, filled_base))


def moved_quote(
    moved_base: Decimal, notional_quote: Decimal, filled_base: Decimal, *, transfer_bps: Decimal
) -> Decimal:
    """Return what it costs to move back that part of a purchase, rounded up."""
    return ceil_share(_share(moved_base, notional_quote, filled_base), transfer_bps)


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return EXACT.divide(EXACT.multiply(amount, part), whole)


def value_left_over(amount: Decimal, after: int, turns: Sequence[Turn]) -> Decimal:
    """Return the value of what is left over (owed, if negative) as it was filled, rounded down.

    Args:
        amount: of the asset that leg number `after` receives.
        after: number of that leg.
        turns: of all legs; none of those that value it may be empty.
    """
    if amount > 0:
        return floor_to_quote_step(_paid_for(amount, after, turns))
    value = amount
    for turn in turns[after + 1 :]:
        value = _share(value, turn.received, turn.given)
    return floor_to_quote_step(value)


def transfer_quote(
    through: Iterable[Decimal], turns: Sequence[Turn], *, transfer_bps: Decimal, venue_changes: int
) -> Decimal:
    """Return what it costs to move back what went through all legs, rounded up.

    Args:
        through: of each asset between two legs, how much was received and given on.
        turns: of all legs.
        transfer_bps: of what was paid for it, for a route that leaves a venue and comes back.
        venue_changes: how often the route changes the venue.
    """
    paid = min(_paid_for(amount, number, turns) for number, amount in enumerate(through))
    return ceil_share(paid, transfer_bps * venue_changes / 2) if paid > 0 else _ZERO


def _paid_for(amount: Decimal, after: int, turns: Sequence[Turn]) -> Decimal:
    value = amount
    for turn in reversed(turns[: after + 1]):
        value = _share(value, turn.given, turn.received)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a route comes to if each leg fills as walked.

    Attributes:
        paid_quote: by the first leg, before its fee.
        received_base: by the first leg, before its fee.
    """

    paid_quote: Decimal
    received_base: Decimal
    transfer_quote: Decimal
    profit_quote: Decimal


def expect(parts: Sequence[RoutePart], *, transfer_bps: Decimal, venue_changes: int) -> Expected:
    """Settle a route whose legs all fill as walked, before any gas."""
    turns = [Turn(part.given, part.received) for part in parts]
    received = [exact_sum((part.received, -part.fee_received)) for part in parts]
    given = [exact_sum((part.given, part.fee_given)) for part in parts]
    carry = [
        value_left_over(exact_sum((before, -after)), number, turns)
        for number, (before, after) in enumerate(zip(received, given[1:], strict=False))
    ]
    transfer = transfer_quote(
        map(min, received, given[1:]),
        turns,
        transfer_bps=transfer_bps,
        venue_changes=venue_changes,
    )
    return Expected(
        paid_quote=turns[0].given,
        received_base=turns[0].received,
        transfer_quote=transfer,
        profit_quote=exact_sum((received[-1], -given[0], *carry, -transfer)),
    )


def settle(plan: LeggedPlan, orders: Sequence[Order], *, transfer_bps: Decimal) -> Settlement:
    """Add up the orders of one plan; see `Settlement`."""
    if closes := closes_of(plan):
        return _settle_closing(plan, closes, orders)
    legs = plan.legs
    by_leg = leg_orders(plan, orders)
    turns = [turn_of(leg, order) for leg, order in zip(legs, by_leg, strict=True)]
    changes = changes_by_asset(orders)
    residuals = []
    for number, (leg, onward) in enumerate(pairwise(legs)):
        if amount := changes.get(leg.target, _ZERO):
            carry = value_left_over(amount, number, turns)
            residuals.append(
                Residual(
                    venue=leg.venue if amount > 0 else onward.venue,
                    held=Amount(amount, leg.target),
                    carry=Amount(carry, plan.opportunity.quote),
                )
            )
    cash = changes.get(plan.opportunity.quote, _ZERO)
    carry = exact_sum(one.carry.value for one in residuals)
    transfer = transfer_quote(
        _through(by_leg),
        turns,
        transfer_bps=transfer_bps,
        venue_changes=plan.opportunity.venue_changes,
    )
    other = other_fee_quote(legs, orders)
    return Settlement(
        cash_quote=cash,
        residuals=tuple(residuals),
        carry_quote=carry,
        transfer_quote=transfer,
        other_fee_quote=other,
        profit_quote=exact_sum((cash, carry, -transfer, -other)),
    )


def closed_carry(closes: Closes, closed_base: Decimal) -> Decimal:
    """Return what so much of a leftover was filled for: its share of the carry.

    `closed_base` has the sign of what is held.
    """
    return _share(closed_base, closes.carry, closes.held)


def _settle_closing(plan: LeggedPlan, closes: Closes, orders: Sequence[Order]) -> Settlement:
    """Add up the order that closes a leftover: what it took of that is a residual against it."""
    (leg,) = plan.legs
    changes = changes_by_asset(orders)
    change = changes.get(leg.instrument.pair.base, _ZERO)
    carry = floor_to_quote_step(-closed_carry(closes, -change))
    residual = Residual(
        venue=leg.venue,
        held=Amount(change, leg.instrument.pair.base),
        carry=Amount(carry, plan.opportunity.quote),
    )
    cash = changes.get(plan.opportunity.quote, _ZERO)
    other = other_fee_quote(plan.legs, orders)
    return Settlement(
        cash_quote=cash,
        residuals=(residual,) if change else (),
        carry_quote=carry if change else _ZERO,
        transfer_quote=_ZERO,
        other_fee_quote=other,
        profit_quote=exact_sum((cash, carry if change else _ZERO, -other)),
    )


def other_fee_quote(parts: Sequence[RoutePart], orders: Iterable[Order]) -> Decimal:
    """Return the worth of fees in assets that a route does not turn: those count by themselves."""
    own = {asset for part in parts for asset in (part.source, part.target)}
    return exact_sum(
        fill.other_fee.worth_quote
        for order in orders
        for fill in order.fills
        if fill.other_fee is not None and fill.other_fee.asset not in own
    )


def turn_of(leg: Leg, order: Order | None) -> Turn:
    """Return what a leg turned; one that filled nothing counts at its planned price."""
    if order is None or not order.filled_base:  # what was taken back again filled nothing
        return Turn.of(leg, base=leg.size_base, quote=leg.notional_quote)
    return Turn(order.given, order.received)


def _through(by_leg: Sequence[Order | None]) -> list[Decimal]:
    """Return how much of each asset between two legs was received and given on."""
    # What was unwound stayed at its venue; only what went on has to be moved back.
    return [
        min(_received(before), _given(after)) if before and after else _ZERO
        for before, after in pairwise(by_leg)
    ]


def _received(order: Order) -> Decimal:
    return order.base_change if order.side is Side.BUY else order.cash_quote


def _given(order: Order) -> Decimal:
    return -order.cash_quote if order.side is Side.BUY else -order.base_change
