"""THE list of venues. Adding a venue is a folder beside this file and a line in `VENUES`.

Fees are those of the entry tier and latencies are assumptions for paper mode; both are defaults
that the operator's settings override. In which asset a buy's fee is taken is as the venues document
it: Binance takes it from the asset received.
"""

from engine.connectors.binance import instruments as binance
from engine.connectors.binance.feed import BinanceFeed
from engine.connectors.bitstamp import instruments as bitstamp
from engine.connectors.bitstamp.feed import BitstampFeed
from engine.connectors.coinbase import instruments as coinbase
from engine.connectors.coinbase.feed import CoinbaseFeed
from engine.connectors.gemini import instruments as gemini
from engine.connectors.gemini.feed import GeminiFeed
from engine.connectors.gemini.l2_feed import GeminiL2Feed
from engine.domain.instruments import BuyFee, VenueId
from engine.ports import RequestBudget, VenueSpec

_ALL = (
    VenueSpec(
        venue=coinbase.VENUE,
        feeds={"level2": CoinbaseFeed},
        websocket_urls={"level2": "wss://advanced-trade-ws.coinbase.com"},
        rest_url="https://api.coinbase.com",
        instruments_path=coinbase.INSTRUMENTS_PATH,
        parse_instruments=coinbase.parse_instruments,
        fee_bps_taker=120.0,
        buy_fee=BuyFee.QUOTE,
        latency_ms_median=25.0,
        latency_ms_p99=150.0,
        budget=RequestBudget(weight_per_s=5.0),
    ),
    VenueSpec(
        venue=gemini.VENUE,
        feeds={"depth": GeminiFeed, "l2": GeminiL2Feed},
        websocket_urls={
            "depth": "wss://ws.gemini.com?snapshot=-1",
            "l2": "wss://api.gemini.com/v2/marketdata",
        },
        rest_url="https://api.gemini.com",
        instruments_path=gemini.INSTRUMENTS_PATH,
        parse_instruments=gemini.parse_instruments,
        fee_bps_taker=40.0,
        buy_fee=BuyFee.QUOTE,
        latency_ms_median=25.0,
        latency_ms_p99=150.0,
        # 120 public requests a minute (docs.gemini.com/rate-limit); no minute here has over 118.
        budget=RequestBudget(weight_per_s=1.9),
    ),
    VenueSpec(
        venue=bitstamp.VENUE,
        feeds={"diff": BitstampFeed},
        websocket_urls={"diff": "wss://ws.bitstamp.net"},
        rest_url="https://www.bitstamp.net",
        instruments_path=bitstamp.INSTRUMENTS_PATH,
        parse_instruments=bitstamp.parse_instruments,
        fee_bps_taker=40.0,
        buy_fee=BuyFee.QUOTE,
        latency_ms_median=30.0,
        latency_ms_p99=200.0,
        # 10,000 requests in ten minutes, orders among them, as others cite it; 9,000 are for data.
        budget=RequestBudget(weight_per_s=15.0),
    ),
    VenueSpec(
        venue=binance.VENUE,
        feeds={"depth": BinanceFeed},
        websocket_urls={"depth": "wss://stream.binance.com:9443/stream"},
        rest_url="https://api.binance.com",
        instruments_path=binance.INSTRUMENTS_PATH,
        parse_instruments=binance.parse_instruments,
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
    ),
)

VENUES: dict[VenueId, VenueSpec] = {spec.venue: spec for spec in _ALL}
