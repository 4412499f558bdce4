"""Makers of orders as they are handed over, for a venue of the sandbox whose book stands still."""

from decimal import Decimal

from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.opportunities import Leg, Side
from engine.domain.orders import Purpose
from engine.domain.orders_handed import HandedOrder
from engine.domain.plans import LeggedPlan
from engine.domain.venue_orders import OrderRequest, TimeInForce, TradeShown, wire_id_of
from tests.sandbox.exchange.place import BEGIN_MS, WIRE_NAMES
from tests.storage.makers import make_plan

NS_PER_MS = 1_000_000
ENGINE = "main"


def instrument_at(venue: str) -> Instrument:
    return Instrument(
        venue=VenueId(venue),
        pair=Pair.parse("BTC-USD"),
        wire_name=WIRE_NAMES[venue],
        price_decimals=2,
        size_decimals=8,
        tick_quote=Decimal("0.01"),
        lot_base=Decimal("0.001"),
    )


def plan_at(*venues: str, number: int = 1, size: str = "0.7") -> LeggedPlan:
    """Make a plan that buys at the first venue and sells at the second."""
    whole = make_plan(number=number)
    legs = []
    for venue, side, limit in zip(venues, (Side.BUY, Side.SELL), ("101.01", "98.99"), strict=False):
        legs.append(
            Leg(
                instrument=instrument_at(venue),
                side=side,
                size_base=Decimal(size),
                price_limit=Decimal(limit),
                notional_quote=Decimal(size) * 100,
                fee_quote=Decimal("0.1"),
                frame_seq=11,
            )
        )
    return LeggedPlan(
        plan_id=whole.plan_id,
        opportunity=whole.opportunity,
        decided_at_ns=BEGIN_MS * NS_PER_MS,
        deadline_ns=(BEGIN_MS + 5_000) * NS_PER_MS,
        legs=tuple(legs),
        profit_quote=whole.profit_quote,
        transfer_quote=whole.transfer_quote,
        net_edge_bps=whole.net_edge_bps,
        notional_usd=whole.notional_usd,
        usd_per_quote=whole.usd_per_quote,
    )


def order_of(
    plan: LeggedPlan,
    leg: int,
    *,
    at_ms: int = BEGIN_MS,
    life: TimeInForce = TimeInForce.IMMEDIATE_OR_CANCEL,
    limit: str = "",
) -> HandedOrder:
    """Make the order of a leg."""
    part = plan.legs[leg]
    name = f"{plan.plan_id}-{leg}"
    return HandedOrder(
        client_order_id=name,
        engine=ENGINE,
        venue=part.venue,
        request=OrderRequest(
            wire_id=wire_id_of(name, engine_id=ENGINE),
            venue=part.venue,
            wire_name=part.instrument.wire_name,
            side=part.side,
            size_base=part.size_base,
            price_limit=Decimal(limit) if limit else part.price_limit,
            time_in_force=life,
            sent_before_ms=at_ms + 5_000,
        ),
        plan=plan,
        leg=leg,
        purpose=Purpose.LEG,
        at_ns=at_ms * NS_PER_MS,
    )


def handed(number: int = 1, *, venue: str = "binance") -> HandedOrder:
    """Make an order that buys at a venue."""
    other = "gemini" if venue != "gemini" else "binance"
    return order_of(plan_at(venue, other, number=number), 0)


def trade(number: int = 1, *, size: str = "0.7", fee: str = "0.07", **change: object) -> TradeShown:
    """Make a fill as a venue shows it."""
    given: dict[str, object] = {
        "trade_id": f"t{number}",
        "venue_order_id": "v1",
        "wire_name": "BTCUSD",
        "side": Side.BUY,
        "price": Decimal("100.01"),
        "size_base": Decimal(size),
        "fee": Decimal(fee),
        "fee_asset": "USD",
        "at_ms": BEGIN_MS,
    }
    return TradeShown(**(given | change))  # type: ignore[arg-type]
