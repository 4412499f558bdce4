"""Gemini: payloads in a header whose numbers rise, orders with their totals, `orderUpdate`."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from engine.sandbox.exchange.doors.door import (
    Answered,
    Asked,
    Asks,
    BaseDoor,
    DoorKey,
    Refusal,
)
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.model import Fill, Life, Ordered, OwnOrder, Reason, Refused, State

_PAGE: Final = 500
_HELD_OFF_MS: Final = 30_000
_CHANGING: Final = frozenset({"/v1/order/cancel", "/v1/heartbeat"})

_LIVES: Final = {
    "immediate-or-cancel": Life.IMMEDIATE,
    "fill-or-kill": Life.WHOLE_OR_NOT,
    "maker-or-cancel": Life.MAKER_ONLY,
}
WHY: Final = {
    Life.IMMEDIATE: "ImmediateOrCancelWouldPost",
    Life.WHOLE_OR_NOT: "FillOrKillWouldNotFill",
    Life.MAKER_ONLY: "MakerOrCancelWouldTake",
    Life.UNTIL_CANCELLED: "Requested",
}
_REFUSALS: Final = {
    Reason.FUNDS: (406, "InsufficientFunds"),
    Reason.SIZE: (400, "InvalidQuantity"),
    Reason.NOTIONAL: (400, "InvalidQuantity"),
    Reason.PRICE: (400, "InvalidPrice"),
    Reason.INSTRUMENT: (400, "InvalidSymbol"),
    Reason.CLOSED: (400, "MarketNotOpen"),
    Reason.DUPLICATE: (400, "InvalidOrderType"),
}


class GeminiDoor(BaseDoor):
    """Obeys `Door`."""

    def __init__(self, exchange: Exchange, key: DoorKey) -> None:
        super().__init__(exchange, key)
        self._last_number = 0
        self._heard_at_ms = 0

    def is_private(self, method: str, path: str) -> bool:
        """See `Door.is_private`."""
        return method == "POST" and path.startswith("/v1/")

    def asks(self, asked: Asked) -> Asks:
        """See `Door.asks`."""
        if asked.path == "/v1/order/new":
            return Asks.PLACE
        return Asks.CHANGE if asked.path in _CHANGING else Asks.READ

    def refused(self, why: Refusal) -> Answered:
        """See `Door.refused`."""
        return _error(429, "RateLimit") if why is Refusal.BANNED else _error(503, "Maintenance")

    def advance(self, at_ms: int) -> None:
        """See `Door.advance`; a key that has to be heard of cancels what it placed if it is not."""
        if self.key.is_held_off and at_ms - self._heard_at_ms > _HELD_OFF_MS:
            for order in self.exchange.open_orders():
                if not order.is_foreign:
                    self.exchange.cancel(order, at_ms)
        super().advance(at_ms)

    def is_signed(self, headers: Mapping[str, str], payload: bytes) -> bool:
        """Say whether headers sign a payload with the account's key."""
        right = hmac.new(self.key.secret.encode(), payload, hashlib.sha384).hexdigest()
        signature = headers.get("x-gemini-signature", "")
        name = headers.get("x-gemini-apikey")
        return self.is_known(name) and hmac.compare_digest(right, signature)

    def answer(self, asked: Asked, at_ms: int) -> Answered:
        """See `Door.answer`."""
        payload = asked.headers.get("x-gemini-payload", "").encode()
        if not self.is_signed(asked.headers, payload):
            return _error(400, "InvalidSignature")
        try:
            fields = msgspec.json.decode(base64.b64decode(payload), type=dict[str, Any])
            number = int(fields["nonce"])
            if fields["request"] != asked.path:
                return _error(400, "EndpointMismatch")
            if number <= self._last_number:
                return _error(400, "InvalidNonce")
            self._last_number = number
            self._heard_at_ms = at_ms
            return self._route(asked.path, fields, at_ms)
        except (KeyError, ValueError, TypeError, InvalidOperation, msgspec.DecodeError):
            return _error(400, "MissingOrderField")

    def _route(self, path: str, fields: dict[str, Any], at_ms: int) -> Answered:
        routes = {
            "/v1/order/new": self._place,
            "/v1/order/cancel": self._cancel,
            "/v1/order/status": self._status,
            "/v1/orders": self._open,
            "/v1/orders/history": self._history,
            "/v1/mytrades": self._trades,
        }
        route = routes.get(path)
        return self._about(path) if route is None else route(fields, at_ms)

    def _cancel(self, fields: dict[str, Any], at_ms: int) -> Answered:
        order = self.exchange.by_number(int(fields["order_id"]))
        if order is None:
            return _error(404, "OrderNotFound")
        self.exchange.cancel(order, at_ms)
        return _answer(self._order(order))

    def _open(self, _: dict[str, Any], __: int) -> Answered:
        return _answer([self._order(one) for one in self.exchange.open_orders()])

    def _history(self, fields: dict[str, Any], _: int) -> Answered:
        orders = [
            self._order(one)
            for one in self.exchange.orders
            if one.ordered.wire_name == fields["symbol"].lower()
            and one.made_at_ms >= int(fields.get("timestamp", 0)) * 1_000
            and one.state is not State.OPEN
        ]
        return _answer(orders[: int(fields.get("limit_orders", 50))])

    def _trades(self, fields: dict[str, Any], _: int) -> Answered:
        trades = [
            self._trade(one)
            for one in self.exchange.fills
            if one.at_ms >= int(fields.get("timestamp", 0)) * 1_000
        ]
        limit = min(int(fields.get("limit_trades", 50)), _PAGE)
        return _answer([one for one in trades if one["symbol"] == fields["symbol"]][:limit])

    def _about(self, path: str) -> Answered:
        if path == "/v1/balances":
            return _answer(
                [
                    {
                        "type": "exchange",
                        "currency": asset,
                        "amount": f"{one.free + one.held:f}",
                        "available": f"{one.free:f}",
                    }
                    for asset, one in self.exchange.balances.items()
                ]
            )
        if path == "/v1/notionalvolume":
            terms = self.exchange.terms
            return _answer(
                {
                    "api_maker_fee_bps": f"{terms.maker_ratio * 10_000:f}",
                    "api_taker_fee_bps": f"{terms.taker_ratio * 10_000:f}",
                }
            )
        if path == "/v1/roles":
            return _answer(
                {
                    "isAuditor": False,
                    "isFundManager": self.key.may_withdraw,
                    "isTrader": self.key.may_trade,
                }
            )
        if path == "/v1/heartbeat":
            return _answer({"result": "ok"})
        return _error(404, "EndpointNotFound")

    def _place(self, fields: dict[str, Any], at_ms: int) -> Answered:
        if not self.key.may_trade:
            return _error(403, "MissingRole")
        options = fields.get("options", [])
        if len(options) > 1:
            return _error(400, "ConflictingOptions")
        ordered = Ordered(
            client_id=fields.get("client_order_id", ""),
            wire_name=fields["symbol"].lower(),
            is_buy={"buy": True, "sell": False}[fields["side"]],
            size=Decimal(fields["amount"]),
            price=Decimal(fields["price"]),
            life=_LIVES[options[0]] if options else Life.UNTIL_CANCELLED,
        )
        made = self.exchange.place(ordered, at_ms)
        if isinstance(made, Refused):
            return _error(*_REFUSALS[made.reason])
        return _answer(self._order(made))

    def _status(self, fields: dict[str, Any], _: int) -> Answered:
        has_trades = bool(fields.get("include_trades"))
        if "order_id" in fields:
            order = self.exchange.by_number(int(fields["order_id"]))
            if order is None:
                return _error(404, "OrderNotFound")
            return _answer(self._order(order, has_trades=has_trades))
        orders = self.exchange.by_client_id(fields["client_order_id"])
        if not orders:
            return _error(404, "OrderNotFound")
        return _answer([self._order(one, has_trades=has_trades) for one in orders])

    def _order(self, order: OwnOrder, *, has_trades: bool = False) -> dict[str, Any]:
        ordered = order.ordered
        is_cancelled = order.state in (State.CANCELLED, State.EXPIRED)
        content: dict[str, Any] = {
            "order_id": str(order.number),
            "client_order_id": ordered.client_id,
            "symbol": ordered.wire_name,
            "side": "buy" if ordered.is_buy else "sell",
            "type": "exchange limit",
            "timestampms": order.made_at_ms,
            "is_live": order.state is State.OPEN,
            "is_cancelled": is_cancelled,
            "executed_amount": f"{order.filled:f}",
            "remaining_amount": f"{order.left:f}",
            "original_amount": f"{ordered.size:f}",
            "price": f"{ordered.price:f}",
            "avg_execution_price": f"{order.price_average:f}",
        }
        if is_cancelled:
            content["reason"] = WHY[ordered.life]
        if has_trades:
            content["trades"] = [self._trade(one) for one in order.fills]
        return content

    def _trade(self, fill: Fill) -> dict[str, Any]:
        order = self.exchange.by_number(fill.order_number)
        assert order is not None
        broken = {"break": "full"} if fill.is_reversed else {}
        return broken | {
            "price": f"{fill.price:f}",
            "amount": f"{fill.size:f}",
            "timestampms": fill.at_ms,
            "type": "Buy" if order.ordered.is_buy else "Sell",
            "aggressor": not fill.is_maker,
            "fee_currency": fill.fee_asset,
            "fee_amount": f"{fill.fee:f}",
            "tid": fill.number,
            "order_id": str(fill.order_number),
            "client_order_id": order.ordered.client_id,
            "symbol": order.ordered.wire_name,
        }


def _answer(content: object) -> Answered:
    return Answered(status=200, body=msgspec.json.encode(content))


def _error(status: int, reason: str) -> Answered:
    content = {"result": "error", "reason": reason, "message": f"refused: {reason}"}
    return Answered(status=status, body=msgspec.json.encode(content))
