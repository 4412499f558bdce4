"""Binance's exchange information as instruments."""

from collections.abc import Sequence

from engine.connectors.listing import decode_list, listed
from engine.connectors.steps import make_pair, wire_decimals
from engine.connectors.venues.binance.messages import ExchangeInformation, Filter, Symbol
from engine.domain.instruments import Instrument, VenueId
from engine.ports import Listed

VENUE = VenueId("binance")
INSTRUMENTS_PATH = "/api/v3/exchangeInfo?permissions=SPOT&showPermissionSets=false"


def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Listed]:
    """Return the spot instruments of those pairs; see `ports.InstrumentParser`.

    Raises:
        BadValueError: the list cannot be read.
    """
    symbols = decode_list(payload, ExchangeInformation, "exchange information of binance").symbols
    return listed(symbols, Symbol, _make, pairs)


def _make(symbol: Symbol) -> Listed | None:
    closed = "" if symbol.status == "TRADING" else f"status {symbol.status[:40]}"
    if not symbol.is_spot_trading_allowed:
        closed = closed or "no spot trading"
    rules = {rule.filter_type: rule for rule in symbol.filters}
    price, size = rules.get("PRICE_FILTER", Filter()), rules.get("LOT_SIZE", Filter())
    notional = rules.get("NOTIONAL", rules.get("MIN_NOTIONAL", Filter()))
    instrument = Instrument(
        venue=VENUE,
        pair=make_pair(symbol.base_asset, symbol.quote_asset),
        wire_name=symbol.symbol,
        price_decimals=wire_decimals(price.tick_size),
        size_decimals=wire_decimals(size.step_size),
        tick_quote=price.tick_size,
        lot_base=size.step_size,
        size_min_base=size.min_qty,
        notional_min_quote=notional.min_notional,
    )
    return Listed(instrument=instrument, closed=closed)
