"""Coinbase in the list of venues."""

from engine.connectors.venues.coinbase import instruments
from engine.connectors.venues.coinbase.feed import CoinbaseFeed
from engine.domain.instruments import BuyFee
from engine.ports import RequestBudget, VenueSpec

SPEC = VenueSpec(
    venue=instruments.VENUE,
    feeds={"level2": CoinbaseFeed},
    websocket_urls={"level2": "wss://advanced-trade-ws.coinbase.com"},
    rest_url="https://api.coinbase.com",
    instruments_path=instruments.INSTRUMENTS_PATH,
    parse_instruments=instruments.parse_instruments,
    fee_bps_taker=120.0,
    buy_fee=BuyFee.QUOTE,
    latency_ms_median=25.0,
    latency_ms_p99=150.0,
    budget=RequestBudget(weight_per_s=5.0),
)
