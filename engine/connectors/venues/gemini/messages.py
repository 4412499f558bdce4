"""Frames of Gemini's two market-data feeds, its REST book and its symbol details."""

from decimal import Decimal

import msgspec

from engine.connectors.link import NO_LEVELS, VenueNumber, VenueTimeMs, VenueTimeNs


class DepthFrame(
    msgspec.Struct, gc=False, rename={"first_id": "U", "last_id": "u", "sent_at_ns": "E"}
):
    """A `depthUpdate` of ``ws.gemini.com``, or the answer to a request (`status`)."""

    e: str = ""
    sent_at_ns: VenueTimeNs = -1
    s: str = ""
    first_id: VenueNumber = -1
    last_id: VenueNumber = -1
    b: msgspec.Raw = NO_LEVELS
    a: msgspec.Raw = NO_LEVELS
    status: int = -1
    error: msgspec.Raw = NO_LEVELS


class L2Frame(msgspec.Struct, gc=False):
    """Any frame of the v2 feed. Only the first one of a subscription holds `trades`."""

    type: str = ""
    timestamp: VenueTimeMs = -1
    symbol: str = ""
    changes: msgspec.Raw = NO_LEVELS
    trades: msgspec.Raw = NO_LEVELS
    result: str = ""
    reason: str = ""
    message: str = ""


class BookLevel(msgspec.Struct, gc=False):
    """One level of the REST book."""

    price: str
    amount: str


class Book(msgspec.Struct, gc=False):
    """The REST book; it carries no time and no id."""

    bids: list[BookLevel]
    asks: list[BookLevel]


class SymbolDetails(msgspec.Struct, gc=False):
    """One entry of the symbol details. `tick_size` is the step of sizes, not of prices."""

    symbol: str
    base_currency: str
    quote_currency: str
    tick_size: Decimal
    quote_increment: Decimal
    min_order_size: Decimal
    status: str
    product_type: str = "spot"
