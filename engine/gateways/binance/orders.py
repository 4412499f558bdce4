"""Binance's orders, trades and balances as the domain has them."""

from collections.abc import Mapping
from typing import Final

from engine.domain.opportunities import Side
from engine.domain.venue_orders import BalanceShown, OrderShown, Stage, TradeShown
from engine.gateways.binance.messages import Balance, OrderAnswer, Report, Trade
from engine.gateways.wire import known

STAGES: Final[Mapping[str, Stage]] = {
    "PENDING_NEW": Stage.PENDING,
    "NEW": Stage.OPEN,
    "PARTIALLY_FILLED": Stage.OPEN,
    "PENDING_CANCEL": Stage.OPEN,
    "FILLED": Stage.FILLED,
    "CANCELED": Stage.CANCELLED,
    "REJECTED": Stage.REFUSED,
    "EXPIRED": Stage.EXPIRED,
    "EXPIRED_IN_MATCH": Stage.EXPIRED,
}

SIDES: Final[Mapping[str, Side]] = {"BUY": Side.BUY, "SELL": Side.SELL}


def order_of(answer: OrderAnswer) -> OrderShown:
    """Read an order.

    Raises:
        ValueError: a status or a side that is not known.
    """
    side = known(SIDES, answer.side, "side")
    return OrderShown(
        venue_order_id=str(answer.order_id),
        wire_id=answer.client_order_id,
        wire_name=answer.symbol,
        side=side,
        stage=known(STAGES, answer.status, "status"),
        size_base=answer.orig_qty,
        price_limit=answer.price or None,
        filled_base=answer.executed_qty,
        trades=tuple(
            TradeShown(
                trade_id=str(fill.trade_id),
                venue_order_id=str(answer.order_id),
                wire_id=answer.client_order_id,
                wire_name=answer.symbol,
                side=side,
                price=fill.price,
                size_base=fill.qty,
                fee=fill.commission,
                fee_asset=fill.commission_asset,
                at_ms=answer.transact_time,
            )
            for fill in answer.fills
        ),
        why=answer.expiry_reason,
        made_at_ms=answer.time or answer.transact_time,
    )


def trade_of(trade: Trade) -> TradeShown:
    """Read one of the account's trades."""
    return TradeShown(
        trade_id=str(trade.id),
        venue_order_id=str(trade.order_id),
        wire_name=trade.symbol,
        side=Side.BUY if trade.is_buyer else Side.SELL,
        price=trade.price,
        size_base=trade.qty,
        fee=trade.commission,
        fee_asset=trade.commission_asset,
        at_ms=trade.time,
    )


def balance_of(balance: Balance) -> BalanceShown:
    """Read what we have of one asset."""
    return BalanceShown(asset=balance.asset, free=balance.free, held=balance.locked)


def reported(report: Report) -> OrderShown:
    """Read an `executionReport`; the fill that it tells stands with the order.

    Raises:
        ValueError: a status or a side that is not known, or no size.
    """
    if report.q is None or report.p is None:
        raise ValueError("an executionReport without a size or price")
    side = known(SIDES, report.S, "side")
    # A cancellation has an id of its own in `c`; the order's stands in `C` then.
    wire_id = report.C or report.c
    trades: tuple[TradeShown, ...] = ()
    if report.x == "TRADE":
        trades = (
            TradeShown(
                trade_id=str(report.t),
                venue_order_id=str(report.i),
                wire_id=wire_id,
                wire_name=report.s,
                side=side,
                price=report.L,
                size_base=report.l,
                fee=report.n,
                fee_asset=report.N or "",
                at_ms=report.T,
            ),
        )
    return OrderShown(
        venue_order_id=str(report.i),
        wire_id=wire_id,
        wire_name=report.s,
        side=side,
        stage=known(STAGES, report.X, "status"),
        size_base=report.q,
        price_limit=report.p or None,
        filled_base=report.z,
        trades=trades,
        why="" if report.r == "NONE" else report.r,
        made_at_ms=report.O,
    )
