"""Binance in the list of venues."""

from engine.connectors.venues.binance import instruments
from engine.connectors.venues.binance.feed import BinanceFeed
from engine.domain.instruments import BuyFee
from engine.ports import RequestBudget, VenueSpec

SPEC = VenueSpec(
    venue=instruments.VENUE,
    feeds={"depth": BinanceFeed},
    websocket_urls={"depth": "wss://stream.binance.com:9443/stream"},
    rest_url="https://api.binance.com",
    instruments_path=instruments.INSTRUMENTS_PATH,
    parse_instruments=instruments.parse_instruments,
    fee_bps_taker=10.0,
    buy_fee=BuyFee.BASE,
    latency_ms_median=30.0,
    latency_ms_p99=200.0,
    # 6,000 weight a minute for one address; the first minute here spends 5,700 at most.
    budget=RequestBudget(
        weight_per_s=45.0,
        weight_burst=3_000.0,
        weights={
            "/api/v3/depth": 250.0,
            "/api/v3/exchangeInfo": 20.0,
            "/fapi/v1/depth": 20.0,
        },
        used_header="X-MBX-USED-WEIGHT-1M",
        weight_per_minute_max=6_000.0,
    ),
)
