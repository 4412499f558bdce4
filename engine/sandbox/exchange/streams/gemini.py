"""Gemini's user stream: known by the headers of the socket, orders and balances, times in ns.

The AsyncAPI document of ws.gemini.com: what was executed is that of the last fill with a fill, and
of the whole order otherwise; a field of zero is left out. Nothing is numbered.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from engine.sandbox.dialects.base import Reply, decode_object, encode, text_list
from engine.sandbox.exchange.doors.gemini import WHY, GeminiDoor
from engine.sandbox.exchange.model import Change, ChangeKind, Life, OwnOrder, State
from engine.sandbox.exchange.streams.session import Knock, UserSession

_NS_PER_MS: Final = 1_000_000
_MS_PER_S: Final = 1_000
_OFF_MS_MAX: Final = 30_000
_RESTING: Final = frozenset({Life.MAKER_ONLY, Life.UNTIL_CANCELLED})
STREAMS: Final = frozenset({"orders@account", "orders@session", "balances@account"})


class GeminiUserSession(UserSession[GeminiDoor]):
    """A connection to ws.gemini.com whose own request was signed."""

    def __init__(self, door: GeminiDoor, now_ms: Callable[[], int]) -> None:
        super().__init__(door, now_ms)
        self.streams: set[str] = set()

    def answered(self, text: str) -> Reply:
        """Answer a request: all have an id, a method and parameters."""
        asked = decode_object(text) or {}
        number, method = asked.get("id"), asked.get("method")
        params = text_list(asked.get("params", []))
        if method == "ping":
            return Reply([encode({"id": number, "status": 200, "result": {}})])
        if method not in ("subscribe", "unsubscribe") or params is None:
            return _refuse(number, "unknown method")
        unknown = set(params) - STREAMS
        if unknown or not params:
            return _refuse(number, f"unknown streams {sorted(unknown)}")
        if method == "subscribe":
            self.streams |= set(params)
        else:
            self.streams -= set(params)
        return Reply([encode({"id": number, "status": 200, "result": sorted(self.streams)})])

    def told(self, change: Change) -> list[bytes]:
        """See `UserSession.told`."""
        events: list[dict[str, Any]] = []
        order = change.order
        has_orders = bool({"orders@account", "orders@session"} & self.streams)
        if order is not None and has_orders and not _is_told_already(change):
            events.append(_update(change, order))
        if "balances@account" in self.streams and change.balances:
            parts = [
                {"a": asset, "f": f"{free:f}", "c": f"{free + held:f}"}
                for asset, (free, held) in change.balances.items()
            ]
            at_ns = change.at_ms * _NS_PER_MS
            events.append({"e": "balanceUpdate", "E": at_ns, "u": at_ns, "B": parts})
        return [encode(event) for event in events]


def may_open(door: GeminiDoor, knock: Knock, at_ms: int) -> bool:
    """Say whether the request of a socket is signed with the account's key, now."""
    payload = knock.headers.get("x-gemini-payload", "")
    nonce = knock.headers.get("x-gemini-nonce", "")
    try:
        signed = base64.b64decode(payload, validate=True).decode()
        is_now = abs(int(nonce) * _MS_PER_S - at_ms) <= _OFF_MS_MAX
    except (ValueError, binascii.Error):
        return False
    return signed == nonce and is_now and door.is_signed(knock.headers, payload.encode())


def _is_told_already(change: Change) -> bool:
    """Say whether it is the end of an order that its last fill has told."""
    return change.kind is ChangeKind.ENDED and change.state is State.FILLED


def _update(change: Change, order: OwnOrder) -> dict[str, Any]:
    ordered, fill = order.ordered, change.fill
    event: dict[str, Any] = {
        "e": "orderUpdate",
        "E": change.at_ms * _NS_PER_MS,
        "s": ordered.wire_name.upper(),
        "i": order.number,
        "c": ordered.client_id,
        "S": "BUY" if ordered.is_buy else "SELL",
        "o": "LIMIT",
        "p": f"{ordered.price:f}",
        "q": f"{ordered.size:f}",
        "z": f"{ordered.size - change.filled:f}",
        "T": change.at_ms * _NS_PER_MS,
    }
    if fill is not None:
        is_whole = change.filled >= ordered.size
        event |= {
            "X": "FILLED" if is_whole else "PARTIALLY_FILLED",
            "Z": f"{fill.size:f}",
            "L": f"{fill.price:f}",
            "t": fill.number,
            "n": f"{fill.fee:f}",
            "m": fill.is_maker,
        }
        if is_whole:
            del event["z"]
    elif change.kind is ChangeKind.MADE:
        event["X"] = "OPEN" if ordered.life in _RESTING else "NEW"
    else:
        event |= {"X": "CANCELED", "Z": f"{change.filled:f}", "r": WHY[ordered.life]}
    return event


def _refuse(number: object, why: str) -> Reply:
    return Reply([encode({"id": number, "status": 400, "error": {"code": -1000, "msg": why}})])
