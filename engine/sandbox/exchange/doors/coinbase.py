"""Coinbase Advanced Trade: tokens, orders that are answered without their fills, user channel."""

import base64
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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

HOST: Final = "api.coinbase.com"

_ROOT: Final = "/api/v3/brokerage"
_TOKEN_S: Final = 120

STATES: Final = {
    State.OPEN: "OPEN",
    State.FILLED: "FILLED",
    State.CANCELLED: "CANCELLED",
    State.EXPIRED: "CANCELLED",
}
_CONFIGURATIONS: Final = {
    Life.IMMEDIATE: "sor_limit_ioc",
    Life.WHOLE_OR_NOT: "limit_limit_fok",
    Life.MAKER_ONLY: "limit_limit_gtc",
    Life.UNTIL_CANCELLED: "limit_limit_gtc",
}
_REFUSALS: Final = {
    Reason.FUNDS: "INSUFFICIENT_FUND",
    Reason.DUPLICATE: "DUPLICATE_CLIENT_ORDER_ID",
    Reason.CLOSED: "UNSUPPORTED_ORDER_CONFIGURATION",
}


class CoinbaseDoor(BaseDoor):
    """Obeys `Door`; the key is the public half of an Ed25519 key, in base64."""

    def __init__(self, exchange: Exchange, key: DoorKey) -> None:
        super().__init__(exchange, key)
        self._public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.secret))

    def is_private(self, method: str, path: str) -> bool:  # noqa: ARG002
        """See `Door.is_private`."""
        return path.startswith(_ROOT) and not path.startswith(f"{_ROOT}/market/")

    def asks(self, asked: Asked) -> Asks:
        """See `Door.asks`."""
        if asked.method == "GET":
            return Asks.READ
        return Asks.PLACE if asked.path == f"{_ROOT}/orders" else Asks.CHANGE

    def refused(self, why: Refusal) -> Answered:
        """See `Door.refused`."""
        if why is Refusal.BANNED:
            errors = [{"id": "rate_limit_exceeded", "message": "You have exceeded your limit."}]
            return _answer({"errors": errors}, 429)
        return Answered(status=503, body=b"<html><body>upstream unavailable</body></html>")

    def answer(self, asked: Asked, at_ms: int) -> Answered:
        """See `Door.answer`."""
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.is_token(token, at_ms, uri=f"{asked.method} {HOST}{asked.path}"):
            return _answer({"error": "authentication_error", "message": "Unauthorized"}, 401)
        path = asked.path.removeprefix(_ROOT)
        try:
            if asked.method == "POST":
                fields = msgspec.json.decode(asked.body, type=dict[str, Any])
                if path == "/orders":
                    return self._place(fields, at_ms)
                if path == "/orders/batch_cancel":
                    return self._cancel(fields, at_ms)
                return Answered(status=404, body=b"404")
            return self._read(path, parse_qs(asked.query))
        except (KeyError, ValueError, TypeError, InvalidOperation, msgspec.DecodeError):
            return _answer({"error": "INVALID_ARGUMENT", "message": "malformed"}, 400)

    def is_token(self, token: str, at_ms: int, *, uri: str | None) -> bool:
        """Say whether a token is one of the account's key for an address; of a stream for none."""
        try:
            text, signature = token.rsplit(".", 1)
            header, claims = (msgspec.json.decode(_unpadded(part)) for part in text.split("."))
            self._public.verify(_unpadded(signature), text.encode())
            return bool(
                header["alg"] == "EdDSA"
                and header["kid"] == claims["sub"]
                and self.is_known(claims["sub"])
                and claims["iss"] == "cdp"
                and _address(claims) == uri
                and claims["nbf"] <= at_ms // 1_000 + 30
                and at_ms // 1_000 <= claims["exp"] <= claims["nbf"] + _TOKEN_S
            )
        except (ValueError, KeyError, TypeError, msgspec.DecodeError, InvalidSignature):
            return False

    def _place(self, fields: dict[str, Any], at_ms: int) -> Answered:
        if not self.key.may_trade:
            return _refused("PERMISSION_DENIED")
        ((name, limits),) = fields["order_configuration"].items()
        life = {
            "sor_limit_ioc": Life.IMMEDIATE,
            "limit_limit_fok": Life.WHOLE_OR_NOT,
            "limit_limit_gtc": (
                Life.MAKER_ONLY if limits.get("post_only") else Life.UNTIL_CANCELLED
            ),
        }[name]
        ordered = Ordered(
            client_id=fields["client_order_id"],
            wire_name=fields["product_id"],
            is_buy={"BUY": True, "SELL": False}[fields["side"]],
            size=Decimal(limits["base_size"]),
            price=Decimal(limits["limit_price"]),
            life=life,
        )
        made = self.exchange.place(ordered, at_ms)
        if isinstance(made, Refused):
            return _refused(_REFUSALS.get(made.reason, "INVALID_ARGUMENT"))
        success = {
            "order_id": f"o-{made.number}",
            "product_id": made.ordered.wire_name,
            "side": "BUY" if made.ordered.is_buy else "SELL",
            "client_order_id": made.ordered.client_id,
        }
        return _answer(
            {
                "success": True,
                "failure_reason": "UNKNOWN_FAILURE_REASON",
                "order_id": success["order_id"],
                "success_response": success,
                "order_configuration": fields["order_configuration"],
            }
        )

    def _cancel(self, fields: dict[str, Any], at_ms: int) -> Answered:
        results = []
        for name in fields["order_ids"]:
            order = self._numbered(name)
            is_done = order is not None and self.exchange.cancel(order, at_ms)
            reason = "UNKNOWN_CANCEL_FAILURE_REASON" if is_done else "UNKNOWN_CANCEL_ORDER"
            results.append({"success": is_done, "failure_reason": reason, "order_id": name})
        return _answer({"results": results})

    def _read(self, path: str, query: dict[str, list[str]]) -> Answered:
        if path == "/orders/historical/batch":
            orders = [self._order(one) for one in self.exchange.orders if _is_asked(one, query)]
            limit = int(query.get("limit", ["1000"])[0])
            return _answer(
                {"orders": orders[:limit], "has_next": len(orders) > limit, "cursor": "next"}
            )
        if path == "/orders/historical/fills":
            wanted = query.get("order_ids")
            since_ms = _ms(query.get("start_sequence_timestamp", [""])[0])
            fills = [
                self._fill(one)
                for one in self.exchange.fills
                if one.at_ms >= since_ms and (not wanted or f"o-{one.order_number}" in wanted)
            ]
            return _answer({"fills": fills, "cursor": ""})
        if path == "/accounts":
            accounts = [
                {
                    "uuid": asset,
                    "currency": asset,
                    "available_balance": {"value": f"{one.free:f}", "currency": asset},
                    "hold": {"value": f"{one.held:f}", "currency": asset},
                }
                for asset, one in self.exchange.balances.items()
            ]
            return _answer({"accounts": accounts, "has_next": False, "cursor": ""})
        if path == "/transaction_summary":
            terms = self.exchange.terms
            rates = {
                "maker_fee_rate": f"{terms.maker_ratio:f}",
                "taker_fee_rate": f"{terms.taker_ratio:f}",
            }
            return _answer({"fee_tier": {"pricing_tier": "", **rates}})
        if path == "/key_permissions":
            key = self.key
            return _answer(
                {"can_view": True, "can_trade": key.may_trade, "can_transfer": key.may_withdraw}
            )
        return Answered(status=404, body=b"404")

    def _numbered(self, name: str) -> OwnOrder | None:
        digits = name.removeprefix("o-")
        return self.exchange.by_number(int(digits)) if digits.isdecimal() else None

    def _order(self, order: OwnOrder) -> dict[str, object]:
        ordered = order.ordered
        limits = {"base_size": f"{ordered.size:f}", "limit_price": f"{ordered.price:f}"}
        return {
            "order_id": f"o-{order.number}",
            "product_id": ordered.wire_name,
            "side": "BUY" if ordered.is_buy else "SELL",
            "client_order_id": ordered.client_id,
            "status": STATES[order.state],
            "created_time": time_text(order.made_at_ms),
            "filled_size": f"{order.filled:f}",
            "average_filled_price": f"{order.price_average:f}",
            "order_configuration": {_CONFIGURATIONS[ordered.life]: limits},
            "reject_message": "",
            "cancel_message": "",
        }

    def _fill(self, fill: Fill) -> dict[str, object]:
        order = self.exchange.by_number(fill.order_number)
        assert order is not None
        return {
            "entry_id": f"e-{fill.number}",
            "trade_id": f"t-{fill.number}",
            "order_id": f"o-{fill.order_number}",
            "product_id": order.ordered.wire_name,
            "side": "BUY" if order.ordered.is_buy else "SELL",
            "price": f"{fill.price:f}",
            "size": f"{fill.size:f}",
            "commission": f"{fill.fee:f}",
            "trade_time": time_text(fill.at_ms),
            "trade_type": "REVERSAL" if fill.is_reversed else "FILL",
            "size_in_quote": False,
        }


def _is_asked(order: OwnOrder, query: dict[str, list[str]]) -> bool:
    wanted, statuses = query.get("order_ids"), query.get("order_status")
    products = query.get("product_ids")
    return (
        (not wanted or f"o-{order.number}" in wanted)
        and (not statuses or STATES[order.state] in statuses)
        and (not products or order.ordered.wire_name in products)
        and order.made_at_ms >= _ms(query.get("start_date", [""])[0])
    )


def _refused(word: str) -> Answered:
    return _answer(
        {
            "success": False,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "order_id": "",
            "error_response": {"error": word, "message": word.lower(), "error_details": ""},
        }
    )


def _answer(content: object, status: int = 200) -> Answered:
    return Answered(status=status, body=msgspec.json.encode(content))


def _address(claims: dict[str, Any]) -> str | None:
    """Return for which address a token is: other clients say it as a list of one."""
    several = claims.get("uris", ())
    return several[0] if len(several) == 1 else claims.get("uri")


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def time_text(at_ms: int) -> str:
    """Write a time as the venue does."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat().replace("+00:00", "Z")


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000) if text else 0
