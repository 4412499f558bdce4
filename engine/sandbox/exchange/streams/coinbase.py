"""Coinbase's user stream: totals of orders, and a number on every frame of the connection.

WebSocket channels `user` and `heartbeats`: a token in each subscription, a snapshot of what is
open, then an update with the totals of an order for each thing that happens to it. No fills, no
balances.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.sandbox.dialects.base import Reply, decode_object, encode, text_list
from engine.sandbox.exchange.doors.coinbase import STATES, CoinbaseDoor, time_text
from engine.sandbox.exchange.model import Change, ChangeKind, OwnOrder, State
from engine.sandbox.exchange.streams.session import UserSession


class CoinbaseUserSession(UserSession[CoinbaseDoor]):
    """A connection to advanced-trade-ws-user.coinbase.com."""

    is_subscribed = False
    has_heartbeats = False
    _next_number = 0
    _beats = 0
    _products: frozenset[str] = frozenset()

    def answered(self, text: str) -> Reply:
        """Subscribe to a channel; anything else is refused."""
        asked = decode_object(text) or {}
        products, channel = text_list(asked.get("product_ids", [])), asked.get("channel")
        if asked.get("type") != "subscribe" or products is None:
            return _refuse("invalid subscription request")
        if not self.door.is_token(str(asked.get("jwt", "")), self.now_ms(), uri=None):
            return _refuse("authentication failure")
        if channel == "heartbeats":
            self.has_heartbeats = True
            return Reply([self._confirm()])
        if channel != "user":
            return _refuse(f"channel {channel} is not offered here")
        self.is_subscribed = True
        self._products = frozenset(products)
        resting = [
            _order(one, one.state, one.filled)
            for one in self.door.exchange.open_orders()
            if self._is_wanted(one)
        ]
        snapshot = self._frame("user", [{"type": "snapshot", "orders": resting}])
        return Reply([snapshot, self._confirm()])

    def told(self, change: Change) -> list[bytes]:
        """See `UserSession.told`."""
        order = change.order
        if not self.is_subscribed or order is None or not self._is_wanted(order):
            return []
        if change.kind is ChangeKind.FILLED and change.filled >= order.ordered.size:
            return []  # that it is filled is told at its end
        event = {"type": "update", "orders": [_order(order, change.state, change.filled)]}
        return [self._frame("user", [event])]

    def beat(self) -> list[bytes]:
        """Tell that the connection lives."""
        if not self.has_heartbeats:
            return []
        self._beats += 1
        event = {"current_time": time_text(self.now_ms()), "heartbeat_counter": str(self._beats)}
        return [self._frame("heartbeats", [event])]

    def _is_wanted(self, order: OwnOrder) -> bool:
        return not self._products or order.ordered.wire_name in self._products

    def _confirm(self) -> bytes:
        channels: dict[str, list[str]] = {"user": ["account"]} if self.is_subscribed else {}
        if self.has_heartbeats:
            channels["heartbeats"] = ["heartbeats"]
        return self._frame("subscriptions", [{"subscriptions": channels}])

    def _frame(self, channel: str, events: Sequence[object]) -> bytes:
        number, self._next_number = self._next_number, self._next_number + 1
        frame: dict[str, Any] = {
            "channel": channel,
            "client_id": "",
            "timestamp": time_text(self.now_ms()),
            "sequence_num": number,
            "events": events,
        }
        return encode(frame)


def _order(order: OwnOrder, state: State, filled: Decimal) -> dict[str, object]:
    ordered = order.ordered
    fees, notional, left = Decimal(0), Decimal(0), filled
    for fill in order.fills:  # those of the time of the change alone
        if left <= 0:
            break
        left -= fill.size
        fees += fill.fee
        notional += fill.size * fill.price
    average = notional / filled if filled else Decimal(0)
    is_open = state is State.OPEN
    return {
        "order_id": f"o-{order.number}",
        "client_order_id": ordered.client_id,
        "product_id": ordered.wire_name,
        "order_side": "BUY" if ordered.is_buy else "SELL",
        "status": STATES[state],
        "cumulative_quantity": f"{filled:f}",
        "leaves_quantity": f"{ordered.size - filled:f}" if is_open else "0",
        "avg_price": f"{average:f}",
        "total_fees": f"{fees:f}",
        "limit_price": f"{ordered.price:f}",
    }


def _refuse(why: str) -> Reply:
    return Reply([encode({"type": "error", "message": why})])
