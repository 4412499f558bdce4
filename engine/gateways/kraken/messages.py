"""Answers of Kraken's private REST interface, and frames of its WebSocket version 2."""

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

Result = TypeVar("Result")


class Envelope(msgspec.Struct):
    """Around every answer; errors come with status 200, too."""

    error: list[str]
    result: msgspec.Raw = msgspec.Raw(b"")


class Answered(msgspec.Struct, Generic[Result]):
    """An answer whose result is of a kind."""

    error: list[str]
    result: Result


class Placed(msgspec.Struct):
    """What is said of an order that was placed: its ids alone."""

    txid: list[str]


class Cancelled(msgspec.Struct):
    """How many were cancelled."""

    count: int


class Description(msgspec.Struct):
    """What an order was placed for."""

    pair: str
    type: str
    price: Decimal


class OrderBody(msgspec.Struct):
    """An order."""

    status: str
    opentm: float
    descr: Description
    vol: Decimal
    vol_exec: Decimal
    cl_ord_id: str | None = None
    reason: str | None = None


class OpenOrders(msgspec.Struct):
    """Open orders by the venue's ids."""

    open: dict[str, OrderBody]


class ClosedOrders(msgspec.Struct):
    """Orders that have ended, and how many there are in all pages."""

    closed: dict[str, OrderBody]
    count: int


class TradeBody(msgspec.Struct):
    """One of the account's trades."""

    ordertxid: str
    pair: str
    time: float
    type: str
    price: Decimal
    vol: Decimal
    fee: Decimal


class Trades(msgspec.Struct):
    """Trades by their ids, and how many there are in all pages."""

    trades: dict[str, TradeBody]
    count: int


class BalanceBody(msgspec.Struct):
    """What we have of one asset."""

    balance: Decimal
    hold_trade: Decimal = Decimal(0)


class FeeBody(msgspec.Struct):
    """One fee in percent."""

    fee: Decimal


class Volume(msgspec.Struct):
    """Fees of our tier, by instrument."""

    fees: dict[str, FeeBody]
    fees_maker: dict[str, FeeBody] = {}


class Token(msgspec.Struct):
    """What opens the authenticated socket, for some minutes."""

    token: str


class FeePart(msgspec.Struct, gc=False):
    """A fee of an execution."""

    asset: str
    qty: Decimal


class Execution(msgspec.Struct, gc=False):
    """A report of the executions channel; what does not change is told in the first alone."""

    order_id: str
    exec_type: str
    order_status: str = ""
    cl_ord_id: str = ""
    side: str = ""
    symbol: str = ""
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    cum_qty: Decimal | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    exec_id: str = ""
    fees: list[FeePart] = []
    timestamp: str = ""
    reason: str = ""


class Frame(msgspec.Struct, gc=False):
    """A frame of any channel, or the answer to a request."""

    channel: str = ""
    type: str = ""
    sequence: int = -1
    data: msgspec.Raw = msgspec.Raw(b"[]")
    method: str = ""
    success: bool | None = None
    error: str = ""
