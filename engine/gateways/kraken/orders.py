"""Kraken's orders, trades and balances as the domain has them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from engine.domain.opportunities import Side
from engine.domain.venue_orders import BalanceShown, OrderShown, Stage, TradeShown
from engine.gateways.kraken.messages import BalanceBody, Execution, OrderBody, TradeBody
from engine.gateways.wire import known

SIDES: Final[Mapping[str, Side]] = {"buy": Side.BUY, "sell": Side.SELL}

STAGES: Final[Mapping[str, Stage]] = {
    "pending": Stage.PENDING,
    "open": Stage.OPEN,
    "closed": Stage.FILLED,
    "canceled": Stage.CANCELLED,
    "expired": Stage.EXPIRED,
}

_STREAM_STAGES: Final[Mapping[str, Stage]] = {
    "pending_new": Stage.PENDING,
    "new": Stage.OPEN,
    "partially_filled": Stage.OPEN,
    "filled": Stage.FILLED,
    "canceled": Stage.CANCELLED,
    "expired": Stage.EXPIRED,
}

_MS_PER_S: Final = 1_000

_ASSETS: Final[Mapping[str, str]] = {
    "XBT": "BTC",
    "XXBT": "BTC",
    "XETH": "ETH",
    "XETC": "ETC",
    "XLTC": "LTC",
    "XDG": "DOGE",
    "XXDG": "DOGE",
    "XXLM": "XLM",
    "XXMR": "XMR",
    "XXRP": "XRP",
    "XZEC": "ZEC",
    "ZAUD": "AUD",
    "ZCAD": "CAD",
    "ZEUR": "EUR",
    "ZGBP": "GBP",
    "ZJPY": "JPY",
    "ZUSD": "USD",
}
"""Old names of assets; all others have the codes of everybody. What is lent out or staked has a
suffix, and so another name: it cannot be traded."""


def order_of(venue_order_id: str, order: OrderBody) -> OrderShown:
    """Read an order.

    Raises:
        ValueError: a status or side that is not known.
    """
    stage = known(STAGES, order.status, "status")
    if stage is Stage.FILLED and order.vol_exec < order.vol:
        stage = Stage.CANCELLED
    return OrderShown(
        venue_order_id=venue_order_id,
        wire_id=order.cl_ord_id or "",
        wire_name=order.descr.pair,
        side=known(SIDES, order.descr.type, "side"),
        stage=stage,
        size_base=order.vol,
        price_limit=order.descr.price or None,
        filled_base=order.vol_exec,
        why=order.reason or "",
        made_at_ms=int(order.opentm * _MS_PER_S),
    )


def trade_of(trade_id: str, trade: TradeBody) -> TradeShown:
    """Read a trade; its instrument is named in another way than an order's.

    Raises:
        ValueError: a side that is not known.
    """
    return TradeShown(
        trade_id=trade_id,
        venue_order_id=trade.ordertxid,
        wire_name=trade.pair,
        side=known(SIDES, trade.type, "side"),
        price=trade.price,
        size_base=trade.vol,
        fee=trade.fee,
        at_ms=int(trade.time * _MS_PER_S),
    )


def balance_of(asset: str, balance: BalanceBody) -> BalanceShown:
    """Read what we have of an asset, under the code that everybody has for it."""
    free = balance.balance - balance.hold_trade
    asset = _ASSETS.get(asset, asset)
    return BalanceShown(asset=asset, free=free, held=balance.hold_trade)


def streamed(execution: Execution) -> OrderShown | TradeShown | None:
    """Read a report; None for one that says nothing that counts.

    Later reports of an order leave out what does not change, its side too; one of a fill then
    stands for its trade alone.

    Raises:
        ValueError: a status or side that is not known, or a fill without its price, size or fee.
    """
    trade = _trade(execution) if execution.exec_type == "trade" else None
    if not execution.side:
        return None
    if not execution.order_status:
        return trade
    return OrderShown(
        venue_order_id=execution.order_id,
        wire_id=execution.cl_ord_id,
        wire_name="",
        side=known(SIDES, execution.side, "side"),
        stage=known(_STREAM_STAGES, execution.order_status, "status"),
        size_base=execution.order_qty,
        price_limit=execution.limit_price,
        filled_base=execution.cum_qty,
        trades=() if trade is None else (trade,),
        why=execution.reason,
    )


def _trade(execution: Execution) -> TradeShown | None:
    if not execution.side:
        return None
    if execution.last_qty is None or execution.last_price is None or not execution.exec_id:
        raise ValueError("a fill without its size, price or id")
    if len(execution.fees) > 1:
        raise ValueError(f"a fill with {len(execution.fees)} fees")
    fee = execution.fees[0] if execution.fees else None
    at = datetime.fromisoformat(execution.timestamp) if execution.timestamp else None
    return TradeShown(
        trade_id=execution.exec_id,
        venue_order_id=execution.order_id,
        wire_id=execution.cl_ord_id,
        wire_name=execution.symbol,
        side=known(SIDES, execution.side, "side"),
        price=execution.last_price,
        size_base=execution.last_qty,
        fee=execution.last_qty * 0 if fee is None else fee.qty,
        fee_asset="" if fee is None else fee.asset,
        at_ms=0 if at is None else int(at.timestamp() * _MS_PER_S),
    )
