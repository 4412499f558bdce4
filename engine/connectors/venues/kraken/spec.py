"""Kraken in the list of venues."""

from engine.connectors.venues.kraken import instruments
from engine.connectors.venues.kraken.feed import KrakenFeed
from engine.domain.instruments import BuyFee
from engine.ports import RequestBudget, VenueSpec

SPEC = VenueSpec(
    venue=instruments.VENUE,
    feeds={"book": KrakenFeed},
    websocket_urls={"book": "wss://ws.kraken.com/v2"},
    rest_url="https://api.kraken.com",
    instruments_path=instruments.INSTRUMENTS_PATH,
    parse_instruments=instruments.parse_instruments,
    fee_bps_taker=40.0,
    buy_fee=BuyFee.QUOTE,
    latency_ms_median=30.0,
    latency_ms_p99=200.0,
    # "1 per second or less" of public requests is what its documents call within bounds.
    budget=RequestBudget(weight_per_s=1.0, weight_burst=2.0),
)
