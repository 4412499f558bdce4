"""Frames of Kraken's WebSocket version 2, its REST book and its list of pairs."""

from datetime import datetime
from decimal import Decimal

import msgspec

from engine.connectors.link import NO_LEVELS


class Level(msgspec.Struct, gc=False):
    """One level; its numbers stay as they are written, for the checksum is of their digits."""

    price: msgspec.Raw
    qty: msgspec.Raw


class BookData(msgspec.Struct, gc=False):
    """A whole book, or what changed in one; the checksum is that of the ten best after it."""

    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: int
    timestamp: datetime | None = None


class Frame(msgspec.Struct, gc=False):
    """A frame of any channel, or the answer to a request."""

    channel: str = ""
    type: str = ""
    data: msgspec.Raw = NO_LEVELS
    method: str = ""
    success: bool | None = None
    error: str = ""
    symbol: str = ""


class Depth(msgspec.Struct, gc=False):
    """The book of one pair over REST: price, size and time of each level."""

    bids: list[tuple[str | float, str | float, float]]
    asks: list[tuple[str | float, str | float, float]]


class DepthAnswer(msgspec.Struct, gc=False):
    """The answer to a request for one pair's book, which has a name of its own for the pair."""

    error: list[str]
    result: dict[str, Depth] = {}


class PairBody(msgspec.Struct, gc=False):
    """One pair of the list; what is newer than 2021 may be missing."""

    altname: str
    wsname: str
    pair_decimals: int
    lot_decimals: int
    ordermin: Decimal = Decimal(0)
    costmin: Decimal = Decimal(0)
    tick_size: Decimal | None = None
    status: str = "online"
    aclass_base: str = "currency"


class PairList(msgspec.Struct, gc=False):
    """The list of pairs; they are decoded one by one."""

    error: list[str]
    result: dict[str, msgspec.Raw] = {}
