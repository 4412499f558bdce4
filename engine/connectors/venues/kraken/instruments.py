"""Kraken's list of pairs as instruments.

Its REST interface names a pair as `XBTUSD`, its WebSocket as `BTC/USD`: the instrument has the
first name, under which orders are placed, and the feed makes the second of the pair.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.connectors.listing import decode_list, listed
from engine.connectors.steps import make_pair
from engine.connectors.venues.kraken.messages import PairBody, PairList
from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument, VenueId
from engine.ports import Listed

VENUE = VenueId("kraken")
INSTRUMENTS_PATH = "/0/public/AssetPairs"

_CODES: Final[Mapping[str, str]] = {"XBT": "BTC", "XDG": "DOGE"}
"""Codes of its own; of its WebSocket's second version they are as everywhere."""


def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Listed]:
    """Return the instruments of those pairs; see `ports.InstrumentParser`.

    Raises:
        BadValueError: the list cannot be read.
    """
    told = decode_list(payload, PairList, "list of pairs of kraken")
    if told.error:
        raise BadValueError(f"list of pairs of kraken: {told.error[0][:100]}")
    return listed(told.result.values(), PairBody, _make, pairs)


def symbol_of(instrument: Instrument) -> str:
    """Return the WebSocket's name of an instrument."""
    return f"{instrument.pair.base}/{instrument.pair.quote}"


def _make(body: PairBody) -> Listed | None:
    if body.aclass_base != "currency":
        return None
    base, _, quote = body.wsname.partition("/")
    tick = body.tick_size or Decimal(1).scaleb(-body.pair_decimals)
    instrument = Instrument(
        venue=VENUE,
        pair=make_pair(_CODES.get(base, base), _CODES.get(quote, quote)),
        wire_name=body.altname,
        # Those of the wire, neither more nor less: the checksum is of the digits as they stand.
        price_decimals=body.pair_decimals,
        size_decimals=body.lot_decimals,
        tick_quote=tick,
        lot_base=Decimal(1).scaleb(-body.lot_decimals),
        size_min_base=body.ordermin,
        notional_min_quote=body.costmin,
    )
    closed = "" if body.status == "online" else f"status {body.status[:40]}"
    return Listed(instrument=instrument, closed=closed)
