"""Binance spot: signed queries, an order as it is answered, and `executionReport` (rest-api.md)."""

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from engine.sandbox.exchange.doors.binance_funding import FUNDING_PATHS, WITHDRAW, answer_funding
from engine.sandbox.exchange.doors.door import (
    Answered,
    Asked,
    Asks,
    BaseDoor,
    DoorKey,
    Refusal,
)
from engine.sandbox.exchange.model import (
    Life,
    Ordered,
    OwnOrder,
    Reason,
    Refused,
    State,
)

_PAGE: Final = 1_000
_AHEAD_MS: Final = 1_000

_PATHS: Final = frozenset(
    {
        "/api/v3/order",
        "/api/v3/openOrders",
        "/api/v3/allOrders",
        "/api/v3/myTrades",
        "/api/v3/account",
        "/api/v3/account/commission",
        "/sapi/v1/account/apiRestrictions",
        *FUNDING_PATHS,
    }
)

_STATES: Final = {State.FILLED: "FILLED", State.CANCELLED: "CANCELED", State.EXPIRED: "EXPIRED"}
_LIVES: Final = {"IOC": Life.IMMEDIATE, "FOK": Life.WHOLE_OR_NOT, "GTC": Life.UNTIL_CANCELLED}
_REFUSALS: Final = {
    Reason.FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Reason.DUPLICATE: (-2010, "Duplicate order sent."),
    Reason.SIZE: (-1013, "Filter failure: LOT_SIZE"),
    Reason.PRICE: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.NOTIONAL: (-1013, "Filter failure: NOTIONAL"),
    Reason.INSTRUMENT: (-1121, "Invalid symbol."),
    Reason.CLOSED: (-1013, "Market is closed."),
}


class BinanceDoor(BaseDoor):
    """Obeys `Door`."""

    def is_private(self, method: str, path: str) -> bool:  # noqa: ARG002
        """See `Door.is_private`."""
        return path in _PATHS

    def asks(self, asked: Asked) -> Asks:
        """See `Door.asks`."""
        if asked.path == WITHDRAW:
            return Asks.WITHDRAW
        if asked.method == "POST":
            return Asks.PLACE
        return Asks.READ if asked.method == "GET" else Asks.CHANGE

    def refused(self, why: Refusal) -> Answered:
        """See `Door.refused`."""
        if why is Refusal.BANNED:
            return _error(-1003, "Way too much request weight used; IP banned.", 418)
        return Answered(status=503, body=b"<html><body>Service Unavailable</body></html>")

    def signature(self, text: str, key: DoorKey | None = None) -> str:
        """Return what signs a text: with the account's key, or another one of it."""
        secret = (key or self.key).secret.encode()
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()

    def answer(self, asked: Asked, at_ms: int) -> Answered:
        """See `Door.answer`."""
        key = self.key_named(asked.headers.get("x-mbx-apikey"))
        if key is None:
            return _error(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        refusal = self._refusal(asked, key, at_ms)
        if refusal is not None:
            return refusal
        return self._routed(asked, key, at_ms)

    def _routed(self, asked: Asked, key: DoorKey, at_ms: int) -> Answered:
        fields = asked.fields
        routes = {
            ("POST", "/api/v3/order"): self._place,
            ("DELETE", "/api/v3/order"): self._cancel,
            ("GET", "/api/v3/order"): self._look_up,
            ("GET", "/api/v3/openOrders"): self._open,
            ("GET", "/api/v3/allOrders"): self._all,
            ("GET", "/api/v3/myTrades"): self._trades,
            ("GET", "/api/v3/account"): self._account,
            ("GET", "/api/v3/account/commission"): self._commission,
        }
        try:
            if asked.path in FUNDING_PATHS:
                return answer_funding(self.funding, asked, at_ms)
            if asked.path == "/sapi/v1/account/apiRestrictions":
                return _restrictions(key)
            route = routes.get((asked.method, asked.path))
            if route is None:
                return Answered(status=404, body=b"<html>404</html>")
            return route(fields, at_ms)
        except (KeyError, ValueError, InvalidOperation):
            return _error(-1102, "Mandatory parameter was not sent, was empty/null, or malformed.")

    def _refusal(self, asked: Asked, key: DoorKey, at_ms: int) -> Answered | None:
        text, separator, signature = asked.query.rpartition("&signature=")
        if not separator or not hmac.compare_digest(self.signature(text, key), signature):
            return _error(-1022, "Signature for this request is not valid.")
        if not is_in_time(asked.fields, at_ms):
            return _error(-1021, "Timestamp for this request is outside of the recvWindow.")
        may_it = key.may_withdraw if asked.path == WITHDRAW else key.may_trade
        if asked.method != "GET" and not may_it:
            return _error(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return None

    def _place(self, fields: dict[str, str], at_ms: int) -> Answered:
        kind = fields["type"]
        if kind == "LIMIT_MAKER":
            life = Life.MAKER_ONLY
        elif kind == "LIMIT":
            life = _LIVES[fields["timeInForce"]]
        else:
            return _error(-1116, "Invalid orderType.")
        ordered = Ordered(
            client_id=fields.get("newClientOrderId", ""),
            wire_name=fields["symbol"],
            is_buy={"BUY": True, "SELL": False}[fields["side"]],
            size=Decimal(fields["quantity"]),
            price=Decimal(fields["price"]),
            life=life,
        )
        made = self.exchange.place(ordered, at_ms)
        if isinstance(made, Refused):
            return _error(*_REFUSALS[made.reason])
        answer = self._order(made) | {"transactTime": at_ms}
        if fields.get("newOrderRespType") == "FULL":
            answer["fills"] = [
                {
                    "price": _plain(one.price),
                    "qty": _plain(one.size),
                    "commission": _plain(one.fee),
                    "commissionAsset": one.fee_asset,
                    "tradeId": one.number,
                }
                for one in made.fills
            ]
        return _ok(answer)

    def _cancel(self, fields: dict[str, str], at_ms: int) -> Answered:
        order = self._named(fields)
        if order is None or not self.exchange.cancel(order, at_ms):
            return _error(-2011, "Unknown order sent.")
        return _ok(self._order(order) | {"transactTime": at_ms})

    def _look_up(self, fields: dict[str, str], _: int) -> Answered:
        order = self._named(fields)
        if order is None:
            return _error(-2013, "Order does not exist.")
        return _ok(self._order(order) | {"time": order.made_at_ms})

    def _open(self, fields: dict[str, str], _: int) -> Answered:
        symbol = fields.get("symbol")
        orders = [
            one
            for one in self.exchange.open_orders()
            if symbol is None or one.ordered.wire_name == symbol
        ]
        return _ok([self._order(one) | {"time": one.made_at_ms} for one in orders])

    def _all(self, fields: dict[str, str], _: int) -> Answered:
        first, since_ms = int(fields.get("orderId", "0")), int(fields.get("startTime", "0"))
        orders = [
            one
            for one in self.exchange.orders
            if one.ordered.wire_name == fields["symbol"]
            and one.number >= first
            and one.made_at_ms >= since_ms
        ]
        limit = min(int(fields.get("limit", "500")), _PAGE)
        return _ok([self._order(one) | {"time": one.made_at_ms} for one in orders[:limit]])

    def _trades(self, fields: dict[str, str], _: int) -> Answered:
        trades = []
        for fill in self.exchange.fills:
            if fill.is_reversed:  # no word for that is known: it is listed no more
                continue
            order = self.exchange.by_number(fill.order_number)
            assert order is not None
            is_asked = (
                order.ordered.wire_name == fields["symbol"]
                and fields.get("orderId") in (None, str(order.number))
                and fill.number >= int(fields.get("fromId", "0"))
                and fill.at_ms >= int(fields.get("startTime", "0"))
            )
            if is_asked:
                trades.append(
                    {
                        "symbol": order.ordered.wire_name,
                        "id": fill.number,
                        "orderId": order.number,
                        "price": _plain(fill.price),
                        "qty": _plain(fill.size),
                        "commission": _plain(fill.fee),
                        "commissionAsset": fill.fee_asset,
                        "time": fill.at_ms,
                        "isBuyer": order.ordered.is_buy,
                        "isMaker": fill.is_maker,
                    }
                )
        return _ok(trades[: min(int(fields.get("limit", "500")), _PAGE)])

    def _account(self, _: dict[str, str], __: int) -> Answered:
        balances = [
            {"asset": asset, "free": _plain(one.free), "locked": _plain(one.held)}
            for asset, one in self.exchange.balances.items()
        ]
        return _ok({"canTrade": self.key.may_trade, "balances": balances})

    def _commission(self, fields: dict[str, str], _: int) -> Answered:
        terms = self.exchange.terms
        nothing = {"maker": "0", "taker": "0", "buyer": "0", "seller": "0"}
        rates = nothing | {"maker": _plain(terms.maker_ratio), "taker": _plain(terms.taker_ratio)}
        return _ok(
            {
                "symbol": fields["symbol"],
                "standardCommission": rates,
                "specialCommission": nothing,
                "taxCommission": nothing,
                "discount": {"enabledForAccount": False, "enabledForSymbol": False},
            }
        )

    def _named(self, fields: dict[str, str]) -> OwnOrder | None:
        if "orderId" in fields:
            found = self.exchange.by_number(int(fields["orderId"]))
        else:
            found = next(iter(self.exchange.by_client_id(fields["origClientOrderId"])[-1:]), None)
        is_there = found is not None and found.ordered.wire_name == fields["symbol"]
        return found if is_there else None

    def _status(self, order: OwnOrder) -> str:
        if order.state is State.OPEN:
            return "PARTIALLY_FILLED" if order.fills else "NEW"
        return _STATES[order.state]

    def _order(self, order: OwnOrder) -> dict[str, object]:
        ordered = order.ordered
        return {
            "symbol": ordered.wire_name,
            "orderId": order.number,
            "orderListId": -1,
            "clientOrderId": ordered.client_id,
            "price": _plain(ordered.price),
            "origQty": _plain(ordered.size),
            "executedQty": _plain(order.filled),
            "cummulativeQuoteQty": _plain(order.notional),
            "status": self._status(order),
            "type": "LIMIT",
            "side": "BUY" if ordered.is_buy else "SELL",
        }


def _restrictions(key: DoorKey) -> Answered:
    return _ok(
        {
            "ipRestrict": True,
            "enableReading": True,
            "enableWithdrawals": key.may_withdraw,
            "enableSpotAndMarginTrading": key.may_trade,
        }
    )


def is_in_time(fields: Mapping[str, str], at_ms: int) -> bool:
    """Say whether what was signed may still be taken, or already."""
    try:
        sent_ms, window_ms = int(fields["timestamp"]), int(fields.get("recvWindow", "5000"))
    except (KeyError, ValueError):
        return False
    return sent_ms - _AHEAD_MS < at_ms <= sent_ms + window_ms


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _ok(content: object) -> Answered:
    return Answered(status=200, body=_encode(content))


def _error(code: int, message: str, status: int = 400) -> Answered:
    return Answered(status=status, body=_encode({"code": code, "msg": message}))


_encode = msgspec.json.encode
