"""Frames of Bitstamp's WebSocket API v2, its order book and its lists of markets."""

import msgspec

from engine.connectors.link import NO_LEVELS, VenueNumber, VenueTimeUs


class Content(msgspec.Struct, gc=False):
    """What a frame's `data` may hold: changes of a book, or a message to the client."""

    microtimestamp: VenueTimeUs = -1
    bids: msgspec.Raw = NO_LEVELS
    asks: msgspec.Raw = NO_LEVELS
    message: str | None = None


class Frame(msgspec.Struct, gc=False):
    """Any frame; decoded with ``strict=False``, for the time comes as text."""

    event: str = ""
    channel: str = ""
    data: Content | str | None = None


class Snapshot(msgspec.Struct, gc=False, rename={"last_id": "microtimestamp"}):
    """The REST order book; `last_id` is its time in us."""

    last_id: VenueNumber
    bids: msgspec.Raw
    asks: msgspec.Raw


class Market(msgspec.Struct, gc=False):
    """One entry of ``/api/v2/markets/`` or of the older ``/api/v2/trading-pairs-info/``."""

    name: str
    base_decimals: int
    counter_decimals: int
    trading: str
    market_symbol: str = ""
    url_symbol: str = ""
    market_type: str = "SPOT"
    minimum_order: str = ""
    minimum_order_value: str = ""
