"""Gemini's symbol details as instruments."""

from collections.abc import Sequence

import msgspec

from engine.connectors.listing import decode_list, listed
from engine.connectors.steps import make_pair, wire_decimals
from engine.connectors.venues.gemini.messages import SymbolDetails
from engine.domain.instruments import Instrument, VenueId
from engine.ports import Listed

VENUE = VenueId("gemini")
INSTRUMENTS_PATH = "/v1/symbols/details/all"


def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Listed]:
    """Return the spot instruments of those pairs; see `ports.InstrumentParser`.

    Raises:
        BadValueError: the list cannot be read.
    """
    symbols = decode_list(payload, list[msgspec.Raw], "symbol details of gemini")
    return listed(symbols, SymbolDetails, _make, pairs)


def _make(symbol: SymbolDetails) -> Listed | None:
    if symbol.product_type != "spot":
        return None
    closed = "" if symbol.status == "open" else f"status {symbol.status[:40]}"
    instrument = Instrument(
        venue=VENUE,
        pair=make_pair(symbol.base_currency, symbol.quote_currency),
        wire_name=symbol.symbol.lower(),
        price_decimals=wire_decimals(symbol.quote_increment),
        size_decimals=wire_decimals(symbol.tick_size),
        tick_quote=symbol.quote_increment,
        lot_base=symbol.tick_size,
        size_min_base=symbol.min_order_size,
    )
    return Listed(instrument=instrument, closed=closed)
