"""Kraken's user stream: the executions channel of WebSocket version 2, its frames numbered.

A token by REST opens it, a snapshot of what is open and of the last trades begins it. A trade says
`partially_filled` even where it fills an order; that it is filled is a report of its own. That an
order is live is told without what it is.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from engine.sandbox.dialects.base import Reply, decode_object, encode
from engine.sandbox.exchange.doors.kraken import KrakenDoor, order_name, time_text
from engine.sandbox.exchange.model import Change, ChangeKind, Fill, OwnOrder, State
from engine.sandbox.exchange.streams.session import UserSession

_ENDS: Final = {State.FILLED: "filled", State.CANCELLED: "canceled", State.EXPIRED: "canceled"}
_TRADES_MAX: Final = 50


class KrakenUserSession(UserSession[KrakenDoor]):
    """A connection to ws-auth.kraken.com."""

    is_subscribed = False
    _number = 0

    def answered(self, text: str) -> Reply:
        """Answer a request: all have a method, and most parameters."""
        asked = decode_object(text) or {}
        method, said = asked.get("method"), asked.get("params")
        if method == "ping":
            return Reply([encode({"method": "pong", "time_in": time_text(self.now_ms())})])
        params: dict[str, Any] = said if isinstance(said, dict) else {}
        if method != "subscribe" or params.get("channel") != "executions":
            return _refuse(method, "Unsupported channel")
        if not self.door.is_fresh(str(params.get("token", "")), self.now_ms()):
            return _refuse(method, "EGeneral:Invalid token")
        self.is_subscribed = True
        result = {"channel": "executions", "snap_orders": True, "snap_trades": True}
        done = encode({"method": method, "result": result, "success": True})
        return Reply([done, self._frame("snapshot", self._snapshot(params))])

    def told(self, change: Change) -> list[bytes]:
        """See `UserSession.told`."""
        order = change.order
        if not self.is_subscribed or order is None:
            return []
        if change.kind is ChangeKind.MADE:
            new = {"order_id": order_name(order.number), "exec_type": "new", "order_status": "new"}
            reports = [
                _about(order, "pending_new", Decimal(0), change.at_ms),
                new | {"timestamp": time_text(change.at_ms)},
            ]
        elif change.fill is not None:
            reports = [_trade(order, change.fill, change.filled)]
        else:
            reports = [_about(order, _ENDS[change.state], change.filled, change.at_ms)]
        return [self._frame("update", [report]) for report in reports]

    def beat(self) -> list[bytes]:
        """Tell that the connection lives, to whom has subscribed."""
        return [encode({"channel": "heartbeat"})] if self.is_subscribed else []

    def _snapshot(self, params: dict[str, Any]) -> list[dict[str, object]]:
        exchange, reports = self.door.exchange, []
        if params.get("snap_orders", True):
            for order in exchange.open_orders():
                word = "partially_filled" if order.fills else "new"
                reports.append(_about(order, word, order.filled, order.changed_at_ms))
        if params.get("snap_trades", False):
            for fill in exchange.fills[-_TRADES_MAX:]:
                made = exchange.by_number(fill.order_number)
                if made is not None and not fill.is_reversed:
                    reports.append(_trade(made, fill, None))
        return reports

    def _frame(self, kind: str, reports: Sequence[object]) -> bytes:
        self._number += 1
        about = {"channel": "executions", "type": kind, "data": reports}
        return encode({**about, "sequence": self._number})


def _about(order: OwnOrder, word: str, filled: Decimal, at_ms: int) -> dict[str, object]:
    ordered, market = order.ordered, order.market
    return {
        "order_id": order_name(order.number),
        "cl_ord_id": ordered.client_id,
        "symbol": f"{market.base}/{market.quote}",
        "side": "buy" if ordered.is_buy else "sell",
        "order_type": "limit",
        "order_qty": _number(ordered.size),
        "limit_price": _number(ordered.price),
        "cum_qty": _number(filled),
        "exec_type": word,
        "order_status": word,
        "timestamp": time_text(at_ms),
    }


def _trade(order: OwnOrder, fill: Fill, filled: Decimal | None) -> dict[str, object]:
    report = _about(order, "partially_filled", filled or Decimal(0), fill.at_ms)
    if filled is None:  # among those of the past it does not say how the order was then
        del report["cum_qty"], report["order_status"]
    return report | {
        "exec_type": "trade",
        "exec_id": f"T{fill.number}",
        "last_qty": _number(fill.size),
        "last_price": _number(fill.price),
        "liquidity_ind": "m" if fill.is_maker else "t",
        "fees": [{"asset": fill.fee_asset, "qty": _number(fill.fee)}],
    }


def _number(amount: Decimal) -> msgspec.Raw:
    """Write a number of the stream, where they are no texts, without rounding it."""
    return msgspec.Raw(f"{amount:f}".encode())


def _refuse(method: object, why: str) -> Reply:
    return Reply([encode({"method": method, "success": False, "error": why})])
