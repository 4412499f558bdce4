"""Coinbase's orders, fills and balances as the domain has them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from engine.domain.opportunities import Side
from engine.domain.venue_orders import BalanceShown, OrderShown, Stage, TradeShown
from engine.gateways.coinbase.messages import (
    AccountBody,
    FillBody,
    OrderBody,
    StreamOrder,
    SuccessAnswer,
)
from engine.gateways.wire import known

STAGES: Final[Mapping[str, Stage]] = {
    "PENDING": Stage.PENDING,
    "QUEUED": Stage.PENDING,
    "OPEN": Stage.OPEN,
    "EDIT_QUEUED": Stage.OPEN,
    "CANCEL_QUEUED": Stage.OPEN,
    "FILLED": Stage.FILLED,
    "CANCELLED": Stage.CANCELLED,
    "EXPIRED": Stage.EXPIRED,
    "FAILED": Stage.REFUSED,
}

SIDES: Final[Mapping[str, Side]] = {"BUY": Side.BUY, "SELL": Side.SELL}


def made(answer: SuccessAnswer) -> OrderShown:
    """Read what is said of an order that was placed.

    Raises:
        ValueError: a side that is not known.
    """
    return OrderShown(
        venue_order_id=answer.order_id,
        wire_id=answer.client_order_id,
        wire_name=answer.product_id,
        side=known(SIDES, answer.side, "side"),
        stage=Stage.PENDING,
    )


def order_of(order: OrderBody) -> OrderShown:
    """Read an order.

    Raises:
        ValueError: a status, side or time that is not known.
    """
    parts = list(order.order_configuration.values())
    limit = parts[0] if len(parts) == 1 else None
    return OrderShown(
        venue_order_id=order.order_id,
        wire_id=order.client_order_id,
        wire_name=order.product_id,
        side=known(SIDES, order.side, "side"),
        stage=known(STAGES, order.status, "status"),
        size_base=None if limit is None else limit.base_size,
        price_limit=None if limit is None else limit.limit_price,
        filled_base=order.filled_size,
        why=order.reject_message or order.cancel_message,
        made_at_ms=_ms(order.created_time),
    )


def trade_of(fill: FillBody) -> TradeShown:
    """Read a fill; what it costs is in the quote asset.

    Raises:
        ValueError: a side or time that is not known, or a size that is none of the base asset.
    """
    if fill.size_in_quote:
        raise ValueError("a fill whose size is in the quote asset")
    return TradeShown(
        trade_id=f"{fill.entry_id}/{fill.trade_id}",
        venue_order_id=fill.order_id,
        wire_name=fill.product_id,
        side=known(SIDES, fill.side, "side"),
        price=fill.price,
        size_base=fill.size,
        fee=fill.commission,
        at_ms=_ms(fill.trade_time),
        is_reversal=fill.trade_type == "REVERSAL",
    )


def balance_of(account: AccountBody) -> BalanceShown:
    """Read what we have of a currency."""
    return BalanceShown(
        asset=account.currency, free=account.available_balance.value, held=account.hold.value
    )


def streamed_order(order: StreamOrder) -> OrderShown:
    """Read an order of the user channel: totals, and neither its size nor its fills.

    Raises:
        ValueError: a status or side that is not known.
    """
    return OrderShown(
        venue_order_id=order.order_id,
        wire_id=order.client_order_id,
        wire_name=order.product_id,
        side=known(SIDES, order.order_side, "side"),
        stage=known(STAGES, order.status, "status"),
        price_limit=order.limit_price,
        filled_base=order.cumulative_quantity,
        why=order.reject_reason or order.cancel_reason,
    )


def _ms(text: str) -> int:
    """Turn the venue's time into ms since the epoch, 0 if it does not say.

    Raises:
        ValueError: it is no time.
    """
    return int(datetime.fromisoformat(text).timestamp() * 1_000) if text else 0
