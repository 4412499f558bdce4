"""A ccxt exchange's markets as instruments, as the role `ccxt` lists them."""

from collections.abc import Sequence

import msgspec

from engine.connectors.by_ccxt.messages import Market
from engine.connectors.by_ccxt.names import venue_of
from engine.connectors.listing import decode_list, listed
from engine.connectors.steps import make_pair, wire_decimals
from engine.domain.assets import parse_decimal
from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument
from engine.ports import InstrumentParser, Listed

INSTRUMENTS_PATH = "/markets"


def parser_of(exchange: str) -> InstrumentParser:
    """Return what parses the list of an exchange; see `ports.InstrumentParser`.

    In the place of a list the role says in words why it has none.
    """

    def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Listed]:
        if payload.startswith(b'"'):
            raise BadValueError(decode_list(payload, str, "the role's words"))
        markets = decode_list(payload, list[msgspec.Raw], f"market list of {venue_of(exchange)}")
        return listed(markets, Market, lambda market: instrument_of(exchange, market), pairs)

    return parse_instruments


def instrument_of(exchange: str, market: Market) -> Listed:
    """Make the instrument of a market.

    Raises:
        BadValueError: a step is none, or finer than a book can hold.
    """
    venue = venue_of(exchange)
    tick, lot, size_min, notional_min = (
        parse_decimal(text, what=f"{what} of {market.symbol} at {venue}")
        for text, what in (
            (market.tick_quote, "price step"),
            (market.lot_base, "size step"),
            (market.size_min_base, "least size"),
            (market.notional_min_quote, "least notional"),
        )
    )
    instrument = Instrument(
        venue=venue,
        pair=make_pair(market.base, market.quote),
        wire_name=market.symbol,
        price_decimals=wire_decimals(tick),
        size_decimals=wire_decimals(lot),
        tick_quote=tick,
        lot_base=lot,
        size_min_base=size_min,
        notional_min_quote=notional_min,
    )
    return Listed(instrument=instrument, closed=market.closed)
