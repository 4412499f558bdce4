"""Gemini's orders, trades and balances as the domain has them."""

from collections.abc import Mapping
from typing import Final

from engine.domain.opportunities import Side
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import BalanceShown, OrderShown, Stage, TradeShown
from engine.gateways.gemini.messages import BalanceBody, BalancePart, Event, OrderBody, TradePart
from engine.gateways.wire import known

SIDES: Final[Mapping[str, Side]] = {"buy": Side.BUY, "sell": Side.SELL}

STAGES: Final[Mapping[str, Stage]] = {
    "NEW": Stage.PENDING,
    "OPEN": Stage.OPEN,
    "MODIFIED": Stage.OPEN,
    "PARTIALLY_FILLED": Stage.OPEN,
    "FILLED": Stage.FILLED,
    "CANCELED": Stage.CANCELLED,
    "REJECTED": Stage.REFUSED,
}

_FILLS: Final = frozenset({"FILLED", "PARTIALLY_FILLED"})


def order_of(order: OrderBody) -> OrderShown:
    """Read an order.

    Raises:
        ValueError: a side that is not known.
    """
    side = known(SIDES, order.side, "side")
    if order.is_live:
        stage = Stage.OPEN
    elif order.executed_amount >= order.original_amount:
        stage = Stage.FILLED
    elif order.is_cancelled:
        stage = Stage.CANCELLED
    else:  # not in the book yet, or just filled: it says neither
        stage = Stage.PENDING
    return OrderShown(
        venue_order_id=order.order_id,
        wire_id=order.client_order_id,
        wire_name=order.symbol.lower(),
        side=side,
        stage=stage,
        size_base=order.original_amount,
        price_limit=order.price,
        filled_base=order.executed_amount,
        trades=tuple(
            _trade(one, order.symbol, order.order_id, order.client_order_id) for one in order.trades
        ),
        why=order.reason,
        made_at_ms=order.timestampms,
    )


def trade_of(trade: TradePart) -> TradeShown:
    """Read one of the account's trades.

    Raises:
        ValueError: a side that is not known, or no order or instrument.
    """
    if not trade.order_id or not trade.symbol:
        raise ValueError("a trade without its order or instrument")
    return _trade(trade, trade.symbol, trade.order_id, trade.client_order_id)


def balance_of(balance: BalanceBody) -> BalanceShown:
    """Read what we have of a currency."""
    held = balance.amount - balance.available
    return BalanceShown(asset=balance.currency, free=balance.available, held=held)


def streamed_balance(part: BalancePart) -> BalanceShown:
    """Read what we have of a currency, as the stream tells it."""
    return BalanceShown(asset=part.a, free=part.f, held=part.c - part.f)


def streamed_order(event: Event) -> OrderShown:
    """Read an `orderUpdate`.

    What was executed is that of the last fill with a fill, and of all of the order otherwise; so
    with a fill the total is what is no longer left.

    Raises:
        ValueError: a status or side that is not known, or a fill without its price or size.
    """
    side = known(SIDES, event.S.lower(), "side")
    stage = known(STAGES, event.X, "status")
    trades: tuple[TradeShown, ...] = ()
    filled_base = event.filled
    if event.X in _FILLS:
        if event.q is None or event.last_price is None or not event.t:
            raise ValueError("a fill without its size, price or id")
        left_base = event.q * 0 if event.z is None else event.z  # a zero is left out
        filled_base = event.q - left_base
        trades = (
            TradeShown(
                trade_id=str(event.t),
                venue_order_id=str(event.i),
                wire_id=event.c,
                wire_name=event.s.lower(),
                side=side,
                price=event.last_price,
                size_base=event.filled,
                fee=event.n,
                at_ms=event.at_ns // NS_PER_MS,
            ),
        )
    return OrderShown(
        venue_order_id=str(event.i),
        wire_id=event.c,
        wire_name=event.s.lower(),
        side=side,
        stage=stage,
        size_base=event.q,
        price_limit=event.p,
        filled_base=filled_base,
        trades=trades,
        why=event.r,
    )


def _trade(trade: TradePart, symbol: str, order_id: str, wire_id: str) -> TradeShown:
    return TradeShown(
        trade_id=str(trade.tid),
        venue_order_id=order_id,
        wire_id=wire_id,
        wire_name=symbol.lower(),
        side=known(SIDES, trade.type.lower(), "side"),
        price=trade.price,
        size_base=trade.amount,
        fee=trade.fee_amount,
        fee_asset=trade.fee_currency,
        at_ms=trade.timestampms,
        is_reversal=bool(trade.broken),
    )
