"""Answers of Bitstamp's private REST interface, and events of its private channels."""

from decimal import Decimal

import msgspec

Transaction = dict[str, msgspec.Raw]
"""Its fields are named after its assets; numbers stay as they are written."""


class Error(msgspec.Struct):
    """How it refuses; older answers have their code under another name."""

    status: str
    code: str = ""
    response_code: str = ""
    reason: msgspec.Raw = msgspec.Raw(b"")


class PlacedBody(msgspec.Struct):
    """The answer to a placing: neither a status nor fills."""

    id: int | str
    type: int | str
    price: Decimal
    amount: Decimal
    client_order_id: str = ""


class OrderBody(msgspec.Struct):
    """An order by a look-up; what it was placed for is not in it."""

    id: int | str
    status: str
    type: int | str
    market: str
    amount_remaining: Decimal
    transactions: list[Transaction]
    client_order_id: str = ""


class OpenBody(msgspec.Struct):
    """An open order in the list of all."""

    id: int | str
    type: int | str
    price: Decimal
    amount: Decimal
    amount_at_create: Decimal
    market: str
    client_order_id: str = ""


class CancelledBody(msgspec.Struct):
    """The answer to a cancellation."""

    id: int | str
    amount: Decimal


class BalanceBody(msgspec.Struct):
    """What we have of one currency."""

    currency: str
    total: Decimal
    available: Decimal
    reserved: Decimal


class Rates(msgspec.Struct):
    """Fees in percent."""

    maker: Decimal
    taker: Decimal


class FeeBody(msgspec.Struct):
    """Fees of one market."""

    market: str
    fees: Rates


class TokenBody(msgspec.Struct):
    """What opens private channels for a minute, and whose they are."""

    token: str
    user_id: int | str


class ChannelData(msgspec.Struct, gc=False):
    """What an event of a private channel is about."""

    id: int | str = ""
    order_id: int | str = ""
    client_order_id: str = ""
    order_type: int = -1
    side: str = ""
    price: Decimal | None = None
    amount: Decimal | None = None
    amount_traded: Decimal | None = None
    amount_at_create: Decimal | None = None
    fee: Decimal = Decimal(0)
    microtimestamp: int = 0


class Event(msgspec.Struct, gc=False):
    """A frame of any channel."""

    event: str
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")
