"""Kraken: numbered forms, errors with status 200, the executions channel with numbered frames."""

import base64
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
from engine.sandbox.exchange.doors.kraken_funding import (
    FUNDING_PATHS,
    WITHDRAW,
    answer_funding,
)
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.model import Fill, Life, Ordered, OwnOrder, Reason, Refused, State

_ROOT: Final = "/0/private"
_PAGE: Final = 50
_CHANGING: Final = frozenset({"/CancelOrder", "/CancelAllOrdersAfter", "/GetWebSocketsToken"})

_STATES: Final = {
    State.OPEN: "open",
    State.FILLED: "closed",
    State.CANCELLED: "canceled",
    State.EXPIRED: "canceled",
}
_ASSETS: Final = {"BTC": "XXBT", "ETH": "XETH", "LTC": "XLTC", "USD": "ZUSD", "EUR": "ZEUR"}
"""Old names of assets, which its REST interface still has."""

_REFUSALS: Final = {
    Reason.FUNDS: "EOrder:Insufficient funds",
    Reason.SIZE: "EOrder:Order minimum not met",
    Reason.NOTIONAL: "EOrder:Cost minimum not met",
    Reason.PRICE: "EOrder:Tick size check failed",
    Reason.INSTRUMENT: "EQuery:Unknown asset pair",
    Reason.CLOSED: "EService:Market in cancel_only mode",
    Reason.DUPLICATE: "EOrder:Duplicate client order id",
}


class KrakenDoor(BaseDoor):
    """Obeys `Door`."""

    def __init__(self, exchange: Exchange, key: DoorKey) -> None:
        super().__init__(exchange, key)
        self._last_numbers: dict[str, int] = {}
        self._silent_until_ms = 0

    def is_private(self, method: str, path: str) -> bool:  # noqa: ARG002
        """See `Door.is_private`."""
        return path.startswith(_ROOT)

    def asks(self, asked: Asked) -> Asks:
        """See `Door.asks`."""
        name = asked.path.removeprefix(_ROOT)
        if name == "/AddOrder":
            return Asks.PLACE
        if name == WITHDRAW:
            return Asks.WITHDRAW
        return Asks.CHANGE if name in _CHANGING else Asks.READ

    def refused(self, why: Refusal) -> Answered:
        """See `Door.refused`."""
        is_ban = why is Refusal.BANNED
        return _error("EGeneral:Temporary lockout" if is_ban else "EService:Unavailable")

    def answer(self, asked: Asked, at_ms: int) -> Answered:
        """See `Door.answer`."""
        form = asked.form
        nonce = form.get("nonce", "")
        key = self.key_named(asked.headers.get("api-key"))
        if key is None:
            return _error("EAPI:Invalid key")
        digest = hashlib.sha256(nonce.encode() + asked.body).digest()
        secret = base64.b64decode(key.secret)
        right = hmac.new(secret, asked.path.encode() + digest, hashlib.sha512).digest()
        signature = asked.headers.get("api-sign", "")
        if not hmac.compare_digest(base64.b64encode(right).decode(), signature):
            return _error("EAPI:Invalid signature")
        if not nonce.isdecimal() or int(nonce) <= self._last_numbers.get(key.name, 0):
            return _error("EAPI:Invalid nonce")
        self._last_numbers[key.name] = int(nonce)
        return self._routed(asked.path.removeprefix(_ROOT), form, key, at_ms)

    def _routed(self, name: str, form: dict[str, str], key: DoorKey, at_ms: int) -> Answered:
        try:
            if name in FUNDING_PATHS:
                return answer_funding(self.funding, name, form, at_ms, key)
            if name == "/AddOrder" and not key.may_trade:
                return _error("EGeneral:Permission denied")
            return self._route(name, form, at_ms)
        except (KeyError, ValueError, InvalidOperation):
            return _error("EGeneral:Invalid arguments")

    def advance(self, at_ms: int) -> None:
        """See `Door.advance`; a switch that was set and that nobody held off cancels everything."""
        if self._silent_until_ms and at_ms >= self._silent_until_ms:
            self._silent_until_ms = 0
            self.exchange.cancel_all(at_ms)
        super().advance(at_ms)

    def _route(self, path: str, form: dict[str, str], at_ms: int) -> Answered:
        if path == "/AddOrder":
            return self._place(form, at_ms)
        if path == "/CancelOrder":
            order = self._named(form)
            if order is None or not self.exchange.cancel(order, at_ms):
                return _error("EOrder:Unknown order")
            return _answer({"count": 1})
        if path == "/CancelAllOrdersAfter":
            wait_s = int(form["timeout"])
            self._silent_until_ms = at_ms + wait_s * 1_000 if wait_s else 0
            return _answer({"currentTime": time_text(at_ms), "triggerTime": "0"})
        if path == "/GetWebSocketsToken":
            return _answer({"token": self.new_token(at_ms), "expires": TOKEN_MS // 1_000})
        return self._read(path, form)

    def _read(self, path: str, form: dict[str, str]) -> Answered:
        wanted, since_s = form.get("cl_ord_id"), Decimal(form.get("start", "0"))
        orders = [one for one in self.exchange.orders if wanted in (None, one.ordered.client_id)]
        if path == "/OpenOrders":
            open_ones = [one for one in orders if one.state is State.OPEN]
            return _answer(
                {"open": {order_name(one.number): self._order(one) for one in open_ones}}
            )
        if path == "/ClosedOrders":
            ended = [
                one
                for one in orders
                if one.state is not State.OPEN and one.made_at_ms >= since_s * 1_000
            ]
            page = {order_name(one.number): self._order(one) for one in ended[:_PAGE]}
            return _answer({"closed": page, "count": len(ended)})
        if path == "/TradesHistory":
            fills = [one for one in self.exchange.fills if one.at_ms >= since_s * 1_000]
            # Of one that was taken back no word is known: it is listed no more.
            fills = [one for one in fills if not one.is_reversed]
            first = int(form.get("ofs", "0"))
            page = {f"T{one.number}": self._trade(one) for one in fills[first : first + _PAGE]}
            return _answer({"trades": page, "count": len(fills)})
        if path == "/BalanceEx":
            return _answer(
                {
                    _ASSETS.get(asset, asset): {
                        "balance": f"{one.free + one.held:f}",
                        "hold_trade": f"{one.held:f}",
                    }
                    for asset, one in self.exchange.balances.items()
                }
            )
        if path == "/TradeVolume":
            terms = self.exchange.terms
            names = form.get("pair", "").split(",")
            return _answer(
                {
                    "fees": {one: {"fee": f"{terms.taker_ratio * 100:f}"} for one in names},
                    "fees_maker": {one: {"fee": f"{terms.maker_ratio * 100:f}"} for one in names},
                }
            )
        return _error("EGeneral:Unknown method")

    def _place(self, form: dict[str, str], at_ms: int) -> Answered:
        if "deadline" in form:
            deadline = datetime.fromisoformat(form["deadline"]).timestamp() * 1_000
            if at_ms > deadline:
                return _error("EService:Deadline elapsed")
        lives = {"IOC": Life.IMMEDIATE, "GTC": Life.UNTIL_CANCELLED}
        life = lives[form.get("timeinforce", "GTC")]
        if "post" in form.get("oflags", "").split(","):
            life = Life.MAKER_ONLY
        ordered = Ordered(
            client_id=form.get("cl_ord_id", ""),
            wire_name=form["pair"],
            is_buy={"buy": True, "sell": False}[form["type"]],
            size=Decimal(form["volume"]),
            price=Decimal(form["price"]),
            life=life,
        )
        made = self.exchange.place(ordered, at_ms)
        if isinstance(made, Refused):
            return _error(_REFUSALS[made.reason])
        side = "buy" if ordered.is_buy else "sell"
        order = f"{side} {ordered.size:f} {ordered.wire_name} @ limit {ordered.price:f}"
        return _answer({"descr": {"order": order}, "txid": [order_name(made.number)]})

    def _named(self, form: dict[str, str]) -> OwnOrder | None:
        if "txid" in form:
            return self.exchange.by_number(int(form["txid"].rpartition("-")[2]))
        return next(iter(self.exchange.by_client_id(form["cl_ord_id"])[-1:]), None)

    def _order(self, order: OwnOrder) -> dict[str, object]:
        ordered = order.ordered
        return {
            "cl_ord_id": ordered.client_id,
            "status": _STATES[order.state],
            "opentm": order.made_at_ms / 1_000,
            "descr": {
                "pair": ordered.wire_name,
                "type": "buy" if ordered.is_buy else "sell",
                "ordertype": "limit",
                "price": f"{ordered.price:f}",
            },
            "vol": f"{ordered.size:f}",
            "vol_exec": f"{order.filled:f}",
            "cost": f"{order.notional:f}",
            "price": f"{order.price_average:f}",
        }

    def _trade(self, fill: Fill) -> dict[str, object]:
        order = self.exchange.by_number(fill.order_number)
        assert order is not None
        market = self.exchange.market_of(order)
        return {
            "ordertxid": order_name(fill.order_number),
            "pair": f"X{market.base}Z{market.quote}",
            "time": fill.at_ms / 1_000,
            "type": "buy" if order.ordered.is_buy else "sell",
            "price": f"{fill.price:f}",
            "vol": f"{fill.size:f}",
            "cost": f"{fill.size * fill.price:f}",
            "fee": f"{fill.fee:f}",
        }


def order_name(number: int) -> str:
    """Return the venue's own id of an order."""
    return f"OSANDB-BOX00-{number}"


def _answer(result: object) -> Answered:
    return Answered(status=200, body=msgspec.json.encode({"error": [], "result": result}))


def _error(word: str) -> Answered:
    return Answered(status=200, body=msgspec.json.encode({"error": [word]}))


def time_text(at_ms: int) -> str:
    """Write a time as the venue does."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat().replace("+00:00", "Z")
