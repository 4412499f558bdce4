"""What the role `ccxt` and the engine say to each other: frames of books, a list, and terms.

This is the dialect of a venue like any other. Numbers are text, with all their digits. A book is
told whole once, then by what changed of it; each frame of a book names the one before it.
"""

from typing import Final

import msgspec

from engine.connectors.link import NO_LEVELS, VenueNumber, VenueTimeNs

BOOK: Final = "book"
CHANGE: Final = "change"
LOST: Final = "lost"
REFUSED: Final = "refused"
ALIVE: Final = "alive"

Levels = list[tuple[str, str]]


class Frame(msgspec.Struct, gc=False):
    """Any frame of the role.

    Attributes:
        type: `book` is whole, `change` follows `before`; `lost` says that the exchange cannot be
            followed now, `refused` that it does not serve the symbol, `alive` nothing else.
        number: of the frame among those of its symbol and subscription.
        at_ns: when the role had it from ccxt; an exchange's own time is not always told.
        fault: of `lost`, by the name of our fault.
    """

    type: str = ""
    symbol: str = ""
    before: VenueNumber = -1
    number: VenueNumber = -1
    at_ns: VenueTimeNs = -1
    bids: msgspec.Raw = NO_LEVELS
    asks: msgspec.Raw = NO_LEVELS
    fault: str = ""
    why: str = ""


class Asked(msgspec.Struct, gc=False):
    """What the engine asks of the role: to tell books whole, and then what changes."""

    type: str
    symbols: list[str]


class RestBook(msgspec.Struct, gc=False):
    """A book that the role fetched over the exchange's REST."""

    bids: msgspec.Raw
    asks: msgspec.Raw


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """One market of an exchange, its steps and least amounts as exact text.

    Attributes:
        symbol: ccxt's own name, as BTC/USDT.
        tick_quote, lot_base: least steps of an order.
        size_min_base, notional_min_quote: least order; 0 where the exchange says nothing.
        closed: why it may not be traded now; empty if it may.
    """

    symbol: str
    base: str
    quote: str
    tick_quote: str
    lot_base: str
    size_min_base: str = "0"
    notional_min_quote: str = "0"
    closed: str = ""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of a whole exchange.

    Attributes:
        feed: how it can be followed at best.
        fee_bps_taker: the highest of the markets asked for, else the exchange's usual one.
        is_fee_in_base: a buy's fee is taken out of what is received.
    """

    feed: str
    fee_bps_taker: str
    is_fee_in_base: bool
