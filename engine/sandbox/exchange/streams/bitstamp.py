"""Bitstamp's user stream: private channels of orders and of trades, one pair of them a market.

A token by REST opens them. An order is created, changed and deleted; that it is deleted means
filled or cancelled, which its amounts tell. Its fills come on the other channel. No numbers.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from engine.sandbox.dialects.base import Reply, decode_object, encode
from engine.sandbox.exchange.doors.bitstamp import USER, BitstampDoor
from engine.sandbox.exchange.model import Change, ChangeKind, Fill, OwnOrder
from engine.sandbox.exchange.streams.session import UserSession

_CHANNEL: Final = re.compile(rf"private-my_(orders|trades)_([a-z0-9]{{4,24}})-{USER}")
_US_PER_MS: Final = 1_000
_EVENTS: Final = {
    ChangeKind.MADE: "order_created",
    ChangeKind.FILLED: "order_changed",
    ChangeKind.ENDED: "order_deleted",
}


class BitstampUserSession(UserSession[BitstampDoor]):
    """A connection to ws.bitstamp.net."""

    def __init__(self, door: BitstampDoor, now_ms: Callable[[], int]) -> None:
        super().__init__(door, now_ms)
        self.channels: set[str] = set()

    def answered(self, text: str) -> Reply:
        """Answer subscriptions and heartbeats."""
        asked = decode_object(text) or {}
        event, inner = asked.get("event"), asked.get("data")
        if event == "bts:heartbeat":
            return Reply([_frame(event, "", {"status": "success"})])
        said: dict[str, Any] = inner if isinstance(inner, dict) else {}
        channel, token = str(said.get("channel", "")), str(said.get("auth", ""))
        if event != "bts:subscribe" or _CHANNEL.fullmatch(channel) is None:
            return _refuse(None, "Bad subscription string.")
        if not self.door.is_fresh(token, self.now_ms()):
            return _refuse(4009, "Connection is unauthorized.")
        self.channels.add(channel)
        return Reply([_frame("bts:subscription_succeeded", channel, {})])

    def told(self, change: Change) -> list[bytes]:
        """See `UserSession.told`."""
        order = change.order
        if order is None:
            return []
        frames = []
        name = order.ordered.wire_name
        trades = f"private-my_trades_{name}-{USER}"
        if change.fill is not None and trades in self.channels:
            frames.append(_frame("trade", trades, _trade(order, change.fill)))
        is_last = change.kind is ChangeKind.FILLED and change.filled >= order.ordered.size
        orders = f"private-my_orders_{name}-{USER}"
        if orders in self.channels and not is_last:
            frames.append(_frame(_EVENTS[change.kind], orders, _order(order, change)))
        return frames

    def reconnect_request(self) -> list[bytes]:
        """Ask the client to reconnect."""
        return [_frame("bts:request_reconnect", "", None)]


def _order(order: OwnOrder, change: Change) -> dict[str, object]:
    ordered = order.ordered
    left = ordered.size - change.filled
    return {
        "id": order.number,
        "id_str": str(order.number),
        "client_order_id": ordered.client_id,
        "order_type": 0 if ordered.is_buy else 1,
        "price": f"{ordered.price:f}",
        "price_str": f"{ordered.price:f}",
        "amount": f"{left:f}",
        "amount_str": f"{left:f}",
        "amount_traded": f"{change.filled:f}",
        "amount_at_create": f"{ordered.size:f}",
        "microtimestamp": str(change.at_ms * _US_PER_MS),
    }


def _trade(order: OwnOrder, fill: Fill) -> dict[str, object]:
    return {
        "id": fill.number,
        "amount": f"{fill.size:f}",
        "price": f"{fill.price:f}",
        "microtimestamp": str(fill.at_ms * _US_PER_MS),
        "fee": f"{fill.fee:f}",
        "order_id": order.number,
        "client_order_id": order.ordered.client_id,
        "side": "buy" if order.ordered.is_buy else "sell",
    }


def _frame(event: str, channel: str, data: object) -> bytes:
    return encode({"event": event, "channel": channel, "data": data})


def _refuse(code: int | None, why: str) -> Reply:
    return Reply([_frame("bts:error", "", {"code": code, "message": why})])
