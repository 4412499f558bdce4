"""What the orders of one plan came to: cash, what is left over, and the profit of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.instruments import Instrument
from engine.domain.opportunities import Side
from engine.domain.orders import Order, Purpose
from engine.portfolio.costs import (
    EXACT,
    ceil_share,
    floor_to_quote_step,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Outcome of orders that belong together.

    Attributes:
        cash_quote: sum over all fills, fees included.
        residual_base: base bought minus base sold.
        residual_instrument: the over-filled leg's; None when nothing is left over.
        carry_quote: value of the residual at the average price of the leg it comes from,
            rounded against us: an asset if positive, a debt if negative.
        transfer_quote: cost of moving back what was bought at one venue and sold at the other.
        profit_quote: ``cash + carry - transfer``: realised, the residual valued as it was filled.
    """

    cash_quote: Decimal
    residual_base: Decimal
    residual_instrument: Instrument | None
    carry_quote: Decimal
    transfer_quote: Decimal
    profit_quote: Decimal


def carry_quote(residual_base: Decimal, notional_quote: Decimal, filled_base: Decimal) -> Decimal:
    """Return what is left over at the average price of its leg, rounded down."""
    value = EXACT.divide(EXACT.multiply(residual_base, notional_quote), filled_base)
    return floor_to_quote_step(value)


def moved_quote(
    moved_base: Decimal, notional_quote: Decimal, filled_base: Decimal, *, transfer_bps: Decimal
) -> Decimal:
    """Return what it costs to move back that part of a purchase, rounded up."""
    paid = EXACT.divide(EXACT.multiply(moved_base, notional_quote), filled_base)
    return ceil_share(paid, transfer_bps)


def settle(orders: Sequence[Order], *, transfer_bps: Decimal) -> Settlement:
    """Add up the orders of one plan; see `Settlement`."""
    cash = sum((order.cash_quote for order in orders), Decimal(0))
    residual = sum((order.base_change for order in orders), Decimal(0))
    over_filled = Side.BUY if residual > 0 else Side.SELL
    legs = {order.side: order for order in orders if order.purpose is Purpose.LEG}
    instrument = None
    carry = Decimal(0)
    if residual:
        leg = legs[over_filled]
        instrument = leg.instrument
        carry = carry_quote(residual, leg.notional_quote, leg.filled_base)
    transfer = _transfer_quote(legs, transfer_bps=transfer_bps)
    return Settlement(
        cash_quote=cash,
        residual_base=residual,
        residual_instrument=instrument,
        carry_quote=carry,
        transfer_quote=transfer,
        profit_quote=cash + carry - transfer,
    )


def _transfer_quote(legs: dict[Side, Order], *, transfer_bps: Decimal) -> Decimal:
    # What was unwound stayed at its venue; only what both legs filled has to be moved back.
    buy, sell = legs.get(Side.BUY), legs.get(Side.SELL)
    matched = min(buy.base_change, sell.filled_base) if buy and sell else Decimal(0)
    if buy is None or matched == 0:
        return Decimal(0)
    return moved_quote(matched, buy.notional_quote, buy.filled_base, transfer_bps=transfer_bps)
