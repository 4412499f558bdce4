"""Bitstamp's list of markets as instruments."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.connectors.listing import decode_list, listed
from engine.connectors.steps import make_pair, wire_decimals
from engine.connectors.venues.bitstamp.messages import Market
from engine.domain.assets import parse_decimal
from engine.domain.instruments import Instrument, VenueId
from engine.ports import Listed

VENUE = VenueId("bitstamp")
INSTRUMENTS_PATH = "/api/v2/markets/"


def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Listed]:
    """Return the instruments of those pairs; see `ports.InstrumentParser`.

    Raises:
        BadValueError: the list cannot be read.
    """
    markets = decode_list(payload, list[msgspec.Raw], "market list of bitstamp")
    return listed(markets, Market, _make, pairs)


def _make(market: Market) -> Listed | None:
    if market.market_type != "SPOT":
        return None
    closed = "" if market.trading == "Enabled" else f"trading {market.trading[:40]}"
    base, _, quote = market.name.partition("/")
    minimum = market.minimum_order_value or market.minimum_order.partition(" ")[0] or "0"
    tick = Decimal(1).scaleb(-market.counter_decimals)
    lot = Decimal(1).scaleb(-market.base_decimals)
    instrument = Instrument(
        venue=VENUE,
        pair=make_pair(base, quote),
        wire_name=market.market_symbol or market.url_symbol,
        price_decimals=wire_decimals(tick),
        size_decimals=wire_decimals(lot),
        tick_quote=tick,
        lot_base=lot,
        notional_min_quote=parse_decimal(minimum, what="least order value of bitstamp"),
    )
    return Listed(instrument=instrument, closed=closed)
