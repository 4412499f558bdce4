"""Gemini in the list of venues."""

from engine.connectors.venues.gemini import instruments
from engine.connectors.venues.gemini.feed import GeminiFeed
from engine.connectors.venues.gemini.l2_feed import GeminiL2Feed
from engine.domain.instruments import BuyFee
from engine.ports import RequestBudget, VenueSpec

SPEC = VenueSpec(
    venue=instruments.VENUE,
    feeds={"depth": GeminiFeed, "l2": GeminiL2Feed},
    websocket_urls={
        "depth": "wss://ws.gemini.com?snapshot=-1",
        "l2": "wss://api.gemini.com/v2/marketdata",
    },
    rest_url="https://api.gemini.com",
    instruments_path=instruments.INSTRUMENTS_PATH,
    parse_instruments=instruments.parse_instruments,
    fee_bps_taker=40.0,
    buy_fee=BuyFee.QUOTE,
    latency_ms_median=25.0,
    latency_ms_p99=150.0,
    # 120 public requests a minute (docs.gemini.com/rate-limit); no minute here has over 118.
    budget=RequestBudget(weight_per_s=1.9),
)
