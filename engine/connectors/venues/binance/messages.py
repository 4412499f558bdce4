"""Frames of Binance's combined streams, its depth snapshot and its exchange information."""

from decimal import Decimal

import msgspec

from engine.connectors.link import NO_LEVELS, VenueNumber, VenueTimeMs


class Update(msgspec.Struct, gc=False, rename={"first_id": "U", "last_id": "u", "sent_at_ms": "E"}):
    """A `depthUpdate`, or any other event. `pu` is there on perpetuals only."""

    e: str = ""
    sent_at_ms: VenueTimeMs = -1
    s: str = ""
    first_id: VenueNumber = -1
    last_id: VenueNumber = -1
    pu: VenueNumber = -1
    b: msgspec.Raw = NO_LEVELS
    a: msgspec.Raw = NO_LEVELS


class Frame(msgspec.Struct, gc=False):
    """A frame of a combined stream, or the answer to a request (`id`)."""

    stream: str = ""
    data: Update | None = None
    id: int | str | None = None
    error: msgspec.Raw = NO_LEVELS
    code: int | None = None


class Snapshot(msgspec.Struct, gc=False, rename={"last_id": "lastUpdateId"}):
    """The REST answer to a depth request."""

    last_id: VenueNumber
    bids: msgspec.Raw
    asks: msgspec.Raw


class Filter(msgspec.Struct, gc=False, rename="camel"):
    """One trading rule of a symbol; which fields are there depends on its type."""

    filter_type: str = ""
    tick_size: Decimal = Decimal(0)
    step_size: Decimal = Decimal(0)
    min_qty: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)


class Symbol(msgspec.Struct, gc=False, rename="camel"):
    """One symbol of the exchange information."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[Filter]
    is_spot_trading_allowed: bool = True


class ExchangeInformation(msgspec.Struct, gc=False):
    """The REST answer that lists the symbols; entries are decoded one by one."""

    symbols: list[msgspec.Raw]
