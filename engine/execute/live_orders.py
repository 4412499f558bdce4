"""What is told of orders that were really placed, as a machine learns it and a story shows it."""

import logging
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.orders import Fill, Order, OrderState, OtherFee
from engine.domain.orders_told import FillTold, OrderFate, OrderNews
from engine.domain.plans import Plan
from engine.execute.executor import End, Late
from engine.execute.order_life import News, OrderEvent
from engine.execute.traded import Met, Traded
from engine.portfolio.costs import EXACT, ceil_to_quote_step

_log = logging.getLogger(__name__)

_EVENTS: Final[Mapping[OrderFate, OrderEvent]] = {
    OrderFate.ACCEPTED: OrderEvent.ACCEPTED,
    OrderFate.TRADED: OrderEvent.TRADED,
    OrderFate.FILLED: OrderEvent.FILLED,
    OrderFate.CANCELLED: OrderEvent.CANCELLED,
    OrderFate.EXPIRED: OrderEvent.EXPIRED,
    OrderFate.REFUSED: OrderEvent.REFUSED,
    OrderFate.NEVER: OrderEvent.ABSENT,
    OrderFate.UNKNOWN: OrderEvent.UNCLEAR,
    OrderFate.REVERSED: OrderEvent.REVERSED,
}

UsdPer = Callable[[AssetCode, int], Decimal | None]
"""Value of one unit of an asset in USD at a time, None if it is not to be had then."""


def news_of_order(plan: Plan, order: Order, told: OrderNews, usd_per: UsdPer, at_ns: int) -> News:
    """Return what a machine learns by what is told of an order."""
    return News(
        client_order_id=told.client_order_id,
        event=_EVENTS[told.fate],
        fills=tuple(_fill(plan, order, one, usd_per, at_ns) for one in told.fills),
        filled_base=told.filled_base,
        arrived_at_ns=max((one.filled_at_ns for one in told.fills), default=0),
        version=told.version,
    )


def met_of(end: End) -> dict[str, Met]:
    """Return what each order met: of a venue no more is known than what it filled."""
    found = {}
    for order in end.orders:
        if isinstance(order, Order) and order.state is not OrderState.REJECTED:
            filled = Traded(base=order.filled_base, quote=order.notional_quote)
            found[order.client_order_id] = Met(is_live=True, untaken=filled, there=filled)
    return found


def name_of(late: Late) -> str:
    """Return what a correction is called: by the word that told it, whichever run books it."""
    for before, after in zip(late.before, late.orders, strict=True):
        if before != after:
            return f"-{after.client_order_id.rpartition('-')[2]}v{after.version}"
    raise AssertionError("what is late changes an order")


def _fill(plan: Plan, order: Order, told: FillTold, usd_per: UsdPer, at_ns: int) -> Fill:
    pair = order.instrument.pair
    is_other = told.fee_asset not in (pair.base, pair.quote)
    return Fill(
        fill_id=f"{order.client_order_id}-{told.fill_id}",
        client_order_id=order.client_order_id,
        filled_at_ns=told.filled_at_ns,
        price=told.price,
        size_base=told.size_base,
        fee_quote=told.fee if told.fee_asset == pair.quote else Decimal(0),
        fee_base=told.fee if told.fee_asset == pair.base else Decimal(0),
        other_fee=_other_fee(plan, told, usd_per, at_ns) if is_other and told.fee else None,
        frame_seq=0,
    )


def _other_fee(plan: Plan, told: FillTold, usd_per: UsdPer, at_ns: int) -> OtherFee:
    usd = usd_per(told.fee_asset, at_ns)
    worth = Decimal(0)
    if usd is None:
        _log.warning("no price of %s, in which a fee of %s is", told.fee_asset, plan.plan_id)
    else:
        value = EXACT.divide(EXACT.multiply(told.fee, usd), plan.usd_per_quote)
        worth = ceil_to_quote_step(value)
    return OtherFee(asset=told.fee_asset, amount=told.fee, worth_quote=worth)
