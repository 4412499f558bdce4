"""What is known of a venue through ccxt before anything is loaded: a replay needs no more.

Its address is that of the role `ccxt` on this machine, which a run puts in.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from engine.connectors.by_ccxt.feed import CcxtFeed
from engine.connectors.by_ccxt.instruments import INSTRUMENTS_PATH, parser_of
from engine.connectors.by_ccxt.names import FEEDS, venue_of
from engine.domain.instruments import BuyFee, Instrument
from engine.ports import BookSink, FeedLimits, FeedMaker, RequestBudget, VenueSpec

NOWHERE: Final = "127.0.0.1:9"
"""Nobody listens there."""

FEE_BPS_UNKNOWN: Final = 100.0
"""The taker fee of an exchange of which ccxt states none: more than almost any takes."""

BUDGET: Final = RequestBudget(weight_per_s=1.1)
"""What the engine asks of the role: an audit a second. The role keeps the exchange's own pace."""


@cache
def spec_by_ccxt(exchange: str) -> VenueSpec:
    """Make the spec of an exchange that ccxt calls so."""
    return VenueSpec(
        venue=venue_of(exchange),
        feeds={name: _maker(exchange, is_polled=name == "poll") for name in FEEDS},
        websocket_urls={name: f"ws://{NOWHERE}/{exchange}/{name}" for name in FEEDS},
        rest_url=f"http://{NOWHERE}/{exchange}",
        instruments_path=INSTRUMENTS_PATH,
        parse_instruments=parser_of(exchange),
        fee_bps_taker=FEE_BPS_UNKNOWN,
        buy_fee=BuyFee.BASE,
        latency_ms_median=60.0,
        latency_ms_p99=400.0,
        budget=BUDGET,
    )


def _maker(exchange: str, *, is_polled: bool) -> FeedMaker:
    def make(
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
    ) -> CcxtFeed:
        return CcxtFeed(
            instruments, books, sink, limits, venue=venue_of(exchange), is_polled=is_polled
        )

    return make
