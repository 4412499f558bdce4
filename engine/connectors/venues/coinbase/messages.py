"""Frames of Coinbase Advanced Trade, and its product list."""

from datetime import datetime
from decimal import Decimal

import msgspec

from engine.connectors.link import NO_LEVELS, VenueNumber


class Event(msgspec.Struct, gc=False):
    """One event of a frame; which fields are there depends on the channel."""

    type: str = ""
    product_id: str = ""
    updates: msgspec.Raw = NO_LEVELS
    heartbeat_counter: VenueNumber | None = None


class Frame(msgspec.Struct, gc=False):
    """Any frame: `sequence_num` counts the frames of the connection over all channels."""

    channel: str = ""
    sequence_num: VenueNumber = -1
    events: list[Event] | None = None
    type: str = ""
    message: str = ""


class Sent(msgspec.Struct, gc=False):
    """When a frame was sent."""

    timestamp: datetime


class ProductStatus(msgspec.Struct, frozen=True, gc=False):
    """A product in a frame of the status channel."""

    id: str
    status: str
    status_message: str = ""
    base_increment: str = ""
    quote_increment: str = ""
    min_market_funds: str = ""


class StatusEvent(msgspec.Struct, gc=False):
    """One event of such a frame."""

    products: list[ProductStatus]


class StatusFrame(msgspec.Struct, gc=False):
    """A frame of the status channel."""

    events: list[StatusEvent]


class Product(msgspec.Struct, gc=False):
    """One product of the list."""

    product_id: str
    base_currency_id: str
    quote_currency_id: str
    base_increment: Decimal
    price_increment: Decimal
    base_min_size: Decimal
    quote_min_size: Decimal
    status: str = ""
    alias: str = ""
    product_type: str = "SPOT"
    is_disabled: bool = False
    trading_disabled: bool = False
    cancel_only: bool = False
    limit_only: bool = False
    post_only: bool = False
    auction_mode: bool = False
    view_only: bool = False


class ProductList(msgspec.Struct, gc=False):
    """The answer to the product list request; entries are decoded one by one."""

    products: list[msgspec.Raw]
