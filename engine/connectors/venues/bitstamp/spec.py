"""Bitstamp in the list of venues."""

from engine.connectors.venues.bitstamp import instruments
from engine.connectors.venues.bitstamp.feed import BitstampFeed
from engine.domain.instruments import BuyFee
from engine.ports import RequestBudget, VenueSpec

SPEC = VenueSpec(
    venue=instruments.VENUE,
    feeds={"diff": BitstampFeed},
    websocket_urls={"diff": "wss://ws.bitstamp.net"},
    rest_url="https://www.bitstamp.net",
    instruments_path=instruments.INSTRUMENTS_PATH,
    parse_instruments=instruments.parse_instruments,
    fee_bps_taker=40.0,
    buy_fee=BuyFee.QUOTE,
    latency_ms_median=30.0,
    latency_ms_p99=200.0,
    # 10,000 requests in ten minutes, orders among them, as others cite it; 9,000 are for data.
    budget=RequestBudget(weight_per_s=15.0),
)
