"""Bitstamp: signed texts, orders that are answered without a status, private channels."""

import hashlib
import hmac
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from engine.sandbox.exchange.doors.door import (
    TOKEN_MS,
    Answered,
    Asked,
    Asks,
    BaseDoor,
    DoorKey,
    Refusal,
)
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.model import Fill, Life, Ordered, OwnOrder, Reason, Refused, State

HOST: Final = "www.bitstamp.net"

_ROOT: Final = "/api/v2"
_WINDOW_MS: Final = 150_000
_PAGE_MAX: Final = 1_000
USER: Final = 4
_HEADERS: Final = ("x-auth-nonce", "x-auth-timestamp", "x-auth-version")

_OPTIONS: Final = {
    "ioc_order": Life.IMMEDIATE,
    "fok_order": Life.WHOLE_OR_NOT,
    "moc_order": Life.MAKER_ONLY,
}
_STATUSES: Final = {
    State.OPEN: "Open",
    State.FILLED: "Finished",
    State.CANCELLED: "Canceled",
    State.EXPIRED: "Canceled",
}
_REFUSALS: Final = {
    Reason.FUNDS: ("400.009", "You have not enough available."),
    Reason.DUPLICATE: ("400.019", "An order with this client order id exists."),
    Reason.SIZE: ("400.020", "The amount is too small."),
    Reason.NOTIONAL: ("400.046", "The order is too small."),
    Reason.PRICE: ("400.021", "The price is not allowed."),
    Reason.INSTRUMENT: ("404.003", "There is no such market."),
}


class BitstampDoor(BaseDoor):
    """Obeys `Door`."""

    def __init__(self, exchange: Exchange, key: DoorKey) -> None:
        super().__init__(exchange, key)
        self._nonces: dict[str, int] = {}

    def is_private(self, method: str, path: str) -> bool:
        """See `Door.is_private`."""
        return method == "POST" and path.startswith(_ROOT)

    def asks(self, asked: Asked) -> Asks:
        """See `Door.asks`."""
        name = asked.path.removeprefix(_ROOT).strip("/").partition("/")[0]
        if name in ("buy", "sell"):
            return Asks.PLACE
        return Asks.CHANGE if name in ("cancel_order", "websockets_token") else Asks.READ

    def refused(self, why: Refusal) -> Answered:
        """See `Door.refused`."""
        if why is Refusal.BANNED:
            return _error("400.002", "Request rejected due to exceeded rate limit.")
        return Answered(status=503, body=b"<html><body>Maintenance</body></html>")

    def answer(self, asked: Asked, at_ms: int) -> Answered:
        """See `Door.answer`."""
        refusal = self._refusal(asked, at_ms)
        if refusal is not None:
            return refusal
        parts = asked.path.removeprefix(_ROOT).strip("/").split("/")
        form = asked.form
        try:
            if parts[0] in ("buy", "sell"):
                return self._place(parts[-1], form, at_ms, is_buy=parts[0] == "buy")
            if parts[0] == "user_transactions":
                return _answer(self._transactions(parts[-1], form))
            return self._other("/".join(parts), form, at_ms)
        except (KeyError, ValueError, InvalidOperation):
            return _error("400.004", "A parameter is missing or malformed.")

    def _refusal(self, asked: Asked, at_ms: int) -> Answered | None:
        headers = asked.headers
        if not self.is_known(headers.get("x-auth", "").removeprefix("BITSTAMP ")):
            return _error("API0001", "API key not found", 403, is_old=True)
        nonce, sent, version = (headers.get(name, "") for name in _HEADERS)
        kind = headers.get("content-type", "") if asked.body else ""
        text = (
            f"BITSTAMP {self.key.name}{asked.method}{HOST}{asked.path}{asked.query}{kind}"
            f"{nonce}{sent}{version}{asked.body.decode('ascii', 'replace')}"
        )
        right = hmac.new(self.key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, headers.get("x-auth-signature", "")):
            return _error("API0005", "Invalid signature", 403, is_old=True)
        if not asked.body:
            return _error("API0020", "The body is empty", 403, is_old=True)
        if not sent.isdecimal() or abs(at_ms - int(sent)) > _WINDOW_MS:
            return _error("API0017", "X-Auth-Timestamp is too far off", 403, is_old=True)
        if at_ms - self._nonces.get(nonce, -_WINDOW_MS - 1) <= _WINDOW_MS:
            return _error("API0013", "The nonce was used before", 403, is_old=True)
        self._nonces[nonce] = at_ms
        return None

    def _place(self, wire_name: str, form: dict[str, str], at_ms: int, *, is_buy: bool) -> Answered:
        if not self.key.may_trade:
            return _error("API0003", "No permission found", 403, is_old=True)
        chosen = [life for name, life in _OPTIONS.items() if form.get(name) == "True"]
        ordered = Ordered(
            client_id=form.get("client_order_id", ""),
            wire_name=wire_name,
            is_buy=is_buy,
            size=Decimal(form["amount"]),
            price=Decimal(form["price"]),
            life=chosen[0] if chosen else Life.UNTIL_CANCELLED,
        )
        made = self.exchange.place(ordered, at_ms)
        if isinstance(made, Refused):
            if made.reason is Reason.CLOSED:  # of a market that is halted it says no more
                return _error("", "Order could not be placed.", 400, is_old=True)
            return _error(*_REFUSALS[made.reason])
        return _answer(
            {
                "id": str(made.number),
                "market": self._market(made),
                "datetime": _time(made.made_at_ms),
                "type": "0" if is_buy else "1",
                "price": f"{ordered.price:f}",
                "amount": f"{ordered.size:f}",
                "client_order_id": ordered.client_id,
            }
        )

    def _other(self, name: str, form: dict[str, str], at_ms: int) -> Answered:
        if name in ("cancel_order", "order_status"):
            return self._about(self._named(form), at_ms, is_cancel=name == "cancel_order")
        if name == "websockets_token":
            token = self.new_token(at_ms)
            return _answer({"token": token, "user_id": USER, "valid_sec": TOKEN_MS // 1_000})
        if name == "open_orders/all":
            return _answer([self._open(one) for one in self.exchange.open_orders()])
        if name == "account_balances":
            return _answer(self._balances())
        if name == "fees/trading":
            return _answer(self._fees())
        return Answered(status=404, body=b"<html>404</html>")

    def _about(self, order: OwnOrder | None, at_ms: int, *, is_cancel: bool) -> Answered:
        if order is None or (is_cancel and not self.exchange.cancel(order, at_ms)):
            return _error("404.002", "Order not found.", 404)
        if not is_cancel:
            return _answer(self._status(order))
        return _answer(
            {
                "id": order.number,
                "amount": f"{order.left:f}",
                "price": f"{order.ordered.price:f}",
                "type": 0 if order.ordered.is_buy else 1,
            }
        )

    def _balances(self) -> list[dict[str, str]]:
        return [
            {
                "currency": asset.lower(),
                "total": f"{one.free + one.held:f}",
                "available": f"{one.free:f}",
                "reserved": f"{one.held:f}",
            }
            for asset, one in self.exchange.balances.items()
        ]

    def _fees(self) -> list[dict[str, object]]:
        terms = self.exchange.terms
        rates = {"maker": f"{terms.maker_ratio * 100:f}", "taker": f"{terms.taker_ratio * 100:f}"}
        names = {one.ordered.wire_name: self._market(one) for one in self.exchange.orders}
        return [{"market": market, "fees": rates} for market in names.values()]

    def _named(self, form: dict[str, str]) -> OwnOrder | None:
        if "id" in form:
            return self.exchange.by_number(int(form["id"]))
        return next(iter(self.exchange.by_client_id(form["client_order_id"])), None)

    def _market(self, order: OwnOrder) -> str:
        market = self.exchange.market_of(order)
        return f"{market.base}/{market.quote}"

    def _transactions(self, wire_name: str, form: dict[str, str]) -> list[dict[str, object]]:
        """Return a page of them: a hundred unless more are asked for, a thousand at the most."""
        found = self._fills(wire_name, int(form.get("since_timestamp", "0")) * 1_000)
        if form.get("sort", "desc") == "desc":
            found.reverse()
        first, limit = int(form.get("offset", "0")), int(form.get("limit", "100"))
        if not 0 < limit <= _PAGE_MAX:
            raise ValueError(f"limit {limit}")
        return [self._transaction(one) for one in found[first : first + limit]]

    def _fills(self, wire_name: str, since_ms: int) -> list[Fill]:
        found = []
        for fill in self.exchange.fills:
            order = self.exchange.by_number(fill.order_number)
            if (
                order is not None
                and not fill.is_reversed  # no word for that is known: it is listed no more
                and order.ordered.wire_name == wire_name
                and fill.at_ms >= since_ms
            ):
                found.append(fill)
        return found

    def _transaction(self, fill: Fill) -> dict[str, object]:
        order = self.exchange.by_number(fill.order_number)
        assert order is not None
        market = self.exchange.market_of(order)
        base, quote = market.base.lower(), market.quote.lower()
        sign = 1 if order.ordered.is_buy else -1
        return {
            "id": fill.number,
            "datetime": _time(fill.at_ms),
            "type": "2",
            "fee": f"{fill.fee:f}",
            "order_id": fill.order_number,
            base: f"{sign * fill.size:f}",
            quote: f"{-sign * fill.size * fill.price:f}",
            f"{base}_{quote}": f"{fill.price:f}",
        }

    def _status(self, order: OwnOrder) -> dict[str, object]:
        market = self.exchange.market_of(order)
        return {
            "id": order.number,
            "datetime": _time(order.made_at_ms),
            "type": "0" if order.ordered.is_buy else "1",
            "status": _STATUSES[order.state],
            "market": f"{market.base}/{market.quote}",
            "amount_remaining": f"{order.left:f}",
            "client_order_id": order.ordered.client_id,
            "transactions": [
                {
                    "tid": fill.number,
                    "price": f"{fill.price:f}",
                    "fee": f"{fill.fee:f}",
                    market.base.lower(): f"{fill.size:f}",
                    market.quote.lower(): f"{fill.size * fill.price:f}",
                    "datetime": _time(fill.at_ms),
                    "type": 2,
                }
                for fill in order.fills
                if not fill.is_reversed
            ],
        }

    def _open(self, order: OwnOrder) -> dict[str, object]:
        return {
            "id": str(order.number),
            "datetime": _time(order.made_at_ms),
            "type": "0" if order.ordered.is_buy else "1",
            "price": f"{order.ordered.price:f}",
            "amount": f"{order.left:f}",
            "amount_at_create": f"{order.ordered.size:f}",
            "market": self._market(order),
            "client_order_id": order.ordered.client_id,
        }


_encode = msgspec.json.encode


def _answer(content: object) -> Answered:
    return Answered(status=200, body=_encode(content))


def _error(code: str, reason: str, status: int = 400, *, is_old: bool = False) -> Answered:
    named = {"code": code} if is_old else {"response_code": code}
    told = reason if is_old else {"__all__": [reason]}
    return Answered(status=status, body=_encode({"status": "error", "reason": told, **named}))


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).replace(tzinfo=None).isoformat(" ")
