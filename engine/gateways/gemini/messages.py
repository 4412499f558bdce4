"""Answers of Gemini's REST interface, and events of its authenticated streams."""

from decimal import Decimal

import msgspec


class Error(msgspec.Struct):
    """How it refuses."""

    result: str
    reason: str
    message: str = ""


class TradePart(msgspec.Struct):
    """One of the account's trades; within an order it does not say whose."""

    price: Decimal
    amount: Decimal
    timestampms: int
    type: str
    fee_currency: str
    fee_amount: Decimal
    tid: int
    order_id: str = ""
    client_order_id: str = ""
    symbol: str = ""
    broken: str = msgspec.field(name="break", default="")


class OrderBody(msgspec.Struct):
    """An order, in the answer to its placing, a look-up or a listing."""

    order_id: str
    symbol: str
    side: str
    price: Decimal
    original_amount: Decimal
    executed_amount: Decimal
    is_live: bool
    is_cancelled: bool
    timestampms: int
    client_order_id: str = ""
    reason: str = ""
    trades: list[TradePart] = []


class BalanceBody(msgspec.Struct):
    """What we have of one currency."""

    currency: str
    amount: Decimal
    available: Decimal


class Volume(msgspec.Struct):
    """Our volume, which has the fees of our tier."""

    api_maker_fee_bps: Decimal
    api_taker_fee_bps: Decimal


class Roles(msgspec.Struct, rename="camel"):
    """What the key may do."""

    is_auditor: bool
    is_fund_manager: bool
    is_trader: bool


class BalancePart(msgspec.Struct, gc=False):
    """One asset of a `balanceUpdate`: what is free, and all of it."""

    a: str
    f: Decimal
    c: Decimal


class Event(msgspec.Struct, gc=False, rename={"filled": "Z", "last_price": "L", "at_ns": "E"}):
    """An event of a stream, or the answer to a request; fields of no value are left out."""

    e: str = ""
    at_ns: int = 0
    s: str = ""
    i: int = 0
    c: str = ""
    S: str = ""
    X: str = ""
    p: Decimal | None = None
    q: Decimal | None = None
    z: Decimal | None = None
    filled: Decimal = Decimal(0)
    last_price: Decimal | None = None
    t: int = 0
    n: Decimal = Decimal(0)
    r: str = ""
    B: list[BalancePart] = []
    status: int | None = None
    id: int | str | None = None
    error: msgspec.Raw = msgspec.Raw(b"")
