"""Answers of Binance's private REST interface, and events of its user stream."""

from decimal import Decimal

import msgspec


class Error(msgspec.Struct):
    """How it refuses."""

    code: int
    msg: str


class FillPart(msgspec.Struct, rename="camel"):
    """One fill within the full answer to an order."""

    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    trade_id: int


class OrderAnswer(msgspec.Struct, rename="camel"):
    """An order: as answered to its placing, by a look-up, or in a listing."""

    symbol: str
    order_id: int
    client_order_id: str
    status: str
    side: str
    orig_qty: Decimal
    price: Decimal
    executed_qty: Decimal
    transact_time: int = 0
    time: int = 0
    fills: list[FillPart] = []
    expiry_reason: str = ""


class Trade(msgspec.Struct, rename="camel"):
    """One of the account's trades."""

    symbol: str
    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    is_buyer: bool


class Balance(msgspec.Struct):
    """One asset of the account."""

    asset: str
    free: Decimal
    locked: Decimal


class Account(msgspec.Struct, rename="camel"):
    """The account."""

    balances: list[Balance]
    can_trade: bool = True


class Rates(msgspec.Struct, frozen=True):
    """One set of commission rates."""

    maker: Decimal
    taker: Decimal


class Commission(msgspec.Struct, rename="camel"):
    """What orders of one symbol cost."""

    symbol: str
    standard_commission: Rates
    special_commission: Rates = Rates(maker=Decimal(0), taker=Decimal(0))
    tax_commission: Rates = Rates(maker=Decimal(0), taker=Decimal(0))


class Restrictions(msgspec.Struct, rename="camel"):
    """What the key may do."""

    ip_restrict: bool
    enable_reading: bool
    enable_withdrawals: bool
    enable_spot_and_margin_trading: bool


class Report(msgspec.Struct, gc=False):
    """An event of the user stream; fields of an `executionReport` by their one-letter names."""

    e: str
    s: str = ""
    c: str = ""
    C: str = ""
    S: str = ""
    q: Decimal | None = None
    p: Decimal | None = None
    x: str = ""
    X: str = ""
    r: str = ""
    i: int = 0
    l: Decimal = Decimal(0)  # noqa: E741 (the venue's own name)
    z: Decimal = Decimal(0)
    L: Decimal = Decimal(0)
    n: Decimal = Decimal(0)
    N: str | None = None
    T: int = 0
    t: int = -1
    O: int = 0  # noqa: E741 (the venue's own name)
    B: list["BalancePart"] = []


class BalancePart(msgspec.Struct, gc=False):
    """One asset of an `outboundAccountPosition`."""

    a: str
    f: Decimal
    l: Decimal  # noqa: E741 (the venue's own name)


class Event(msgspec.Struct, gc=False):
    """A frame of a subscription by the WebSocket interface."""

    event: Report | None = None
    status: int | None = None
    error: Error | None = None
    id: int | str | None = None
