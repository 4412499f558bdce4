"""Bitstamp's orders, transactions and balances as the domain has them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from engine.domain.opportunities import Side
from engine.domain.venue_orders import BalanceShown, OrderShown, Stage, TradeShown
from engine.gateways.bitstamp.messages import (
    BalanceBody,
    ChannelData,
    OpenBody,
    OrderBody,
    PlacedBody,
    Transaction,
)
from engine.gateways.wire import known

SIDES: Final[Mapping[str, Side]] = {"0": Side.BUY, "1": Side.SELL}

_STATUSES: Final = {
    "Open": Stage.OPEN,
    "Cancel pending": Stage.OPEN,
    "Expired": Stage.EXPIRED,
    "Canceled": Stage.CANCELLED,
    "Finished": Stage.FILLED,
}

_US_PER_MS: Final = 1_000


def made(order: PlacedBody) -> OrderShown:
    """Read what is said of an order that was placed.

    Raises:
        ValueError: a side that is not known.
    """
    return OrderShown(
        venue_order_id=str(order.id),
        wire_id=order.client_order_id,
        wire_name="",
        side=known(SIDES, str(order.type), "side"),
        stage=Stage.PENDING,
        size_base=order.amount,
        price_limit=order.price,
    )


def order_of(order: OrderBody) -> OrderShown:
    """Read an order with its fills.

    Raises:
        ValueError: a status, side or transaction that is not known.
    """
    side = known(SIDES, str(order.type), "side")
    trades = tuple(_part(one, order, side) for one in order.transactions)
    stage = known(_STATUSES, order.status, "status")
    return OrderShown(
        venue_order_id=str(order.id),
        wire_id=order.client_order_id,
        wire_name=wire_name_of(order.market),
        side=side,
        stage=stage,
        filled_base=sum((one.size_base for one in trades), start=Decimal(0)),
        trades=trades,
    )


def open_order(order: OpenBody) -> OrderShown:
    """Read an open order.

    Raises:
        ValueError: a side that is not known.
    """
    return OrderShown(
        venue_order_id=str(order.id),
        wire_id=order.client_order_id,
        wire_name=wire_name_of(order.market),
        side=known(SIDES, str(order.type), "side"),
        stage=Stage.OPEN,
        size_base=order.amount_at_create,
        price_limit=order.price,
        filled_base=order.amount_at_create - order.amount,
    )


def trade_of(transaction: Transaction) -> TradeShown | None:
    """Read a transaction of the account; None for one that is no trade.

    Its assets are names of fields: ``btc``, ``usd``, and ``btc_usd`` for the price.

    Raises:
        ValueError: it is a trade, and something of it is missing or cannot be read.
    """
    if _text(transaction, "type") != "2":
        return None
    names = [name for name in transaction if "_" in name and name not in ("order_id", "self_trade")]
    names = [name for name in names if all(part in transaction for part in name.split("_", 1))]
    if len(names) != 1:
        raise ValueError(f"a trade with {len(names)} prices")
    base, quote = names[0].split("_", 1)
    amount = _number(transaction, base)
    return TradeShown(
        trade_id=_text(transaction, "id"),
        venue_order_id=_text(transaction, "order_id"),
        wire_name=base + quote,
        side=Side.BUY if amount > 0 else Side.SELL,
        price=_number(transaction, names[0]),
        size_base=abs(amount),
        fee=_number(transaction, "fee"),
        at_ms=_ms(_text(transaction, "datetime")),
    )


def id_of(transaction: Transaction) -> str:
    """Read the number of a transaction.

    Raises:
        ValueError: it has none.
    """
    return _text(transaction, "id")


def balance_of(balance: BalanceBody) -> BalanceShown:
    """Read what we have of a currency."""
    return BalanceShown(
        asset=balance.currency.upper(),
        free=balance.available,
        held=balance.total - balance.available,
    )


def streamed_order(event: str, told: ChannelData) -> OrderShown:
    """Read an event of an order; that it is gone may be its fill or its cancellation.

    Raises:
        ValueError: an event or side that is not known, or no amounts.
    """
    if told.amount_at_create is None or told.amount_traded is None:
        raise ValueError("an order without its amounts")
    is_whole = told.amount_traded >= told.amount_at_create
    stages = {
        "order_created": Stage.OPEN,
        "order_changed": Stage.OPEN,
        "order_deleted": Stage.FILLED if is_whole else Stage.CANCELLED,
    }
    return OrderShown(
        venue_order_id=str(told.id),
        wire_id=told.client_order_id,
        wire_name="",
        side=known(SIDES, str(told.order_type), "side"),
        stage=known(stages, event, "event"),
        size_base=told.amount_at_create,
        price_limit=told.price,
        filled_base=told.amount_traded,
    )


def streamed_trade(told: ChannelData, wire_name: str) -> TradeShown:
    """Read a trade of the account.

    Raises:
        ValueError: a side that is not known, or no price or size.
    """
    if told.price is None or told.amount is None:
        raise ValueError("a trade without its price or size")
    return TradeShown(
        trade_id=str(told.id),
        venue_order_id=str(told.order_id),
        wire_id=told.client_order_id,
        wire_name=wire_name,
        side=known({"buy": Side.BUY, "sell": Side.SELL}, told.side, "side"),
        price=told.price,
        size_base=told.amount,
        fee=told.fee,
        at_ms=told.microtimestamp // _US_PER_MS,
    )


def wire_name_of(market: str) -> str:
    """Return the name that addresses have of a market: ``BTC/USD`` is ``btcusd``."""
    return market.replace("/", "").lower()


def _part(transaction: Transaction, order: OrderBody, side: Side) -> TradeShown:
    base = order.market.partition("/")[0].lower()
    return TradeShown(
        trade_id=_text(transaction, "tid"),
        venue_order_id=str(order.id),
        wire_id=order.client_order_id,
        wire_name=wire_name_of(order.market),
        side=side,
        price=_number(transaction, "price"),
        size_base=_number(transaction, base),
        fee=_number(transaction, "fee"),
        at_ms=_ms(_text(transaction, "datetime")),
    )


def _text(transaction: Transaction, name: str) -> str:
    if name not in transaction:
        raise ValueError(f"a transaction without {name}")
    return bytes(transaction[name]).decode().strip('"')


def _number(transaction: Transaction, name: str) -> Decimal:
    number = Decimal(_text(transaction, name))
    if not number.is_finite():
        raise ValueError(f"a transaction whose {name} is {number}")
    return number


def _ms(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)
