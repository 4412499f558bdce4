"""A call to a venue's private interface, before anybody has signed it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.instruments import VenueId


class CallKind(StrEnum):
    """What a call asks for."""

    PLACE = "place"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"
    LOOK_UP = "look_up"
    OPEN_ORDERS = "open_orders"
    ORDERS = "orders"
    TRADES = "trades"
    BALANCES = "balances"
    FEES = "fees"
    RIGHTS = "rights"
    STREAM_KEY = "stream_key"
    """What opens the user stream."""
    KEEP_ALIVE = "keep_alive"
    """Holds the venue's dead-man switch off."""
    WITHDRAW = "withdraw"
    WITHDRAWALS = "withdrawals"
    DEPOSITS = "deposits"

    @property
    def may_change(self) -> bool:
        """Whether anything at the venue may be another after it."""
        return self in _CHANGING


_CHANGING: Final = frozenset(
    {CallKind.PLACE, CallKind.CANCEL, CallKind.CANCEL_ALL, CallKind.WITHDRAW}
)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a venue; how it is written and signed is its authentication's.

    Attributes:
        method: of HTTP.
        path: without a query.
        fields: what is asked, in the order in which it is written; for a GET the query. Texts,
            numbers, truths, lists and mappings, as the venue's format has them.
        weight: in the venue's own units.
        is_public: it is sent unsigned.
    """

    venue: VenueId
    kind: CallKind
    method: str
    path: str
    fields: Mapping[str, object] = {}
    weight: float = 1.0
    is_public: bool = False


class SignedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it is written to the wire.

    Attributes:
        target: path and query.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
