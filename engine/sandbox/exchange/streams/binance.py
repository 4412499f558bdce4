"""Binance's user stream: a subscription on the WebSocket interface, and its events.

user-data-stream.md and web-socket-api.md (2026-07): one `executionReport` for each thing that
happens to an order, then what the account has of the assets concerned. Nothing is numbered.
"""

import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlencode

from engine.sandbox.dialects.base import Reply, decode_object, encode
from engine.sandbox.exchange.doors.binance import BinanceDoor, is_in_time
from engine.sandbox.exchange.model import Change, ChangeKind, Life, OwnOrder, State
from engine.sandbox.exchange.streams.session import UserSession

PATH: Final = "/ws-api/v3"

_ENDS: Final = {State.CANCELLED: "CANCELED", State.EXPIRED: "EXPIRED"}
_LIVES: Final = {Life.IMMEDIATE: "IOC", Life.WHOLE_OR_NOT: "FOK"}


class BinanceUserSession(UserSession[BinanceDoor]):
    """A connection to ws-api.binance.com."""

    is_subscribed = False

    def answered(self, text: str) -> Reply:
        """Answer a request: all have an id, a method and parameters."""
        asked = decode_object(text)
        if asked is None:
            return Reply([_answer(None, 400, error=(-1100, "Malformed request."))])
        number, method, params = asked.get("id"), asked.get("method"), asked.get("params", {})
        if method == "ping":
            return Reply([_answer(number, 200, result={})])
        if method != "userDataStream.subscribe.signature" or not isinstance(params, dict):
            return Reply([_answer(number, 400, error=(-1099, "Unknown method."))])
        refusal = self._refusal(params)
        if refusal is not None:
            return Reply([_answer(number, 400, error=refusal)])
        self.is_subscribed = True
        return Reply([_answer(number, 200, result={"subscriptionId": 0})])

    def told(self, change: Change) -> list[bytes]:
        """See `UserSession.told`."""
        if not self.is_subscribed:
            return []
        events: list[dict[str, object]] = []
        if change.order is not None and not _is_told_already(change):
            events.append(_report(change, change.order))
        if change.kind is ChangeKind.MOVED:
            asset, amount = change.moved
            delta = {"a": asset, "d": f"{amount:f}", "T": change.at_ms}
            events.append({"e": "balanceUpdate", "E": change.at_ms, **delta})
        if change.balances:
            parts = [
                {"a": asset, "f": f"{free:f}", "l": f"{held:f}"}
                for asset, (free, held) in change.balances.items()
            ]
            times = {"E": change.at_ms, "u": change.at_ms}
            events.append({"e": "outboundAccountPosition", **times, "B": parts})
        return [encode({"subscriptionId": 0, "event": event}) for event in events]

    def _refusal(self, params: Mapping[str, Any]) -> tuple[int, str] | None:
        said = {name: str(value) for name, value in params.items() if name != "signature"}
        text = urlencode(sorted(said.items()), quote_via=quote)
        if not self.door.is_known(said.get("apiKey")):
            return (-2015, "Invalid API-key, IP, or permissions for action.")
        signature = str(params.get("signature", ""))
        if not hmac.compare_digest(self.door.signature(text), signature):
            return (-1022, "Signature for this request is not valid.")
        if not is_in_time(said, self.now_ms()):
            return (-1021, "Timestamp for this request is outside of the recvWindow.")
        return None


def _is_told_already(change: Change) -> bool:
    """Say whether it is the end of an order that its last fill has told."""
    return change.kind is ChangeKind.ENDED and change.state is State.FILLED


def _report(change: Change, order: OwnOrder) -> dict[str, object]:
    ordered, fill = order.ordered, change.fill
    state = _state(change, order)
    is_cancelled = change.kind is ChangeKind.ENDED and change.state is State.CANCELLED
    return {
        "e": "executionReport",
        "E": change.at_ms,
        "s": ordered.wire_name,
        # A cancellation has an id of its own; the order's is told beside it then.
        "c": f"cancel-{order.number}" if is_cancelled else ordered.client_id,
        "S": "BUY" if ordered.is_buy else "SELL",
        "o": "LIMIT_MAKER" if ordered.life is Life.MAKER_ONLY else "LIMIT",
        "f": _LIVES.get(ordered.life, "GTC"),
        "q": f"{ordered.size:f}",
        "p": f"{ordered.price:f}",
        "C": ordered.client_id if is_cancelled else "",
        "x": "TRADE" if fill is not None else state,
        "X": state,
        "r": "NONE",
        "i": order.number,
        "l": "0" if fill is None else f"{fill.size:f}",
        "z": f"{change.filled:f}",
        "L": "0" if fill is None else f"{fill.price:f}",
        "n": "0" if fill is None else f"{fill.fee:f}",
        "N": None if fill is None else fill.fee_asset,
        "T": change.at_ms,
        "t": -1 if fill is None else fill.number,
        "m": fill is not None and fill.is_maker,
        "O": order.made_at_ms,
    }


def _state(change: Change, order: OwnOrder) -> str:
    if change.kind is ChangeKind.ENDED:
        return _ENDS[change.state]
    if change.filled >= order.ordered.size:
        return "FILLED"
    return "PARTIALLY_FILLED" if change.filled > Decimal(0) else "NEW"


def _answer(
    number: object,
    status: int,
    *,
    result: object = None,
    error: tuple[int, str] | None = None,
) -> bytes:
    said = {"result": result} if error is None else {"error": {"code": error[0], "msg": error[1]}}
    return encode({"id": number, "status": status, **said, "rateLimits": []})
