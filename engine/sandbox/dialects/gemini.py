"""Gemini: the v2 market data feed, the newer WebSocket API, and public REST.

Documents: developer.gemini.com, "Market Data v2 (Archived)", "WebSocket introduction", "Streams",
"Message Format". The two feeds differ in all but the books, so each has its session class.

v2: the first `l2_updates` of a symbol is its book; there are no sequence numbers.
Newer API: with `snapshot=-1` the first `depthUpdate` of a stream is the whole book, with `U` equal
to `u`, and it comes before the confirmation; each later frame's `U` equals the `u` before it.
"""

from collections.abc import Mapping

from engine.sandbox.dialects.base import (
    Dialect,
    FeedSpec,
    Market,
    RestAnswer,
    encode,
    render_level,
)
from engine.sandbox.dialects.gemini_fast import GeminiFastSession
from engine.sandbox.dialects.gemini_v2 import GeminiV2Session
from engine.sandbox.lineup import Listing

LEVELS_DEFAULT = 50
SYMBOLS_PATH = "/v1/symbols"
DETAILS_PATH = "/v1/symbols/details/"
BOOK_PATH = "/v1/book/"


def _render_details(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "symbol": listing.wire_name,
        "base_currency": rules.pair.base,
        "quote_currency": rules.pair.quote,
        "tick_size": float(rules.lot_base),
        "quote_increment": float(rules.tick_quote),
        "min_order_size": f"{rules.size_min_base:f}",
        "status": listing.state or "open",
        "wrap_enabled": False,
        "product_type": "spot",
        "contract_type": "vanilla",
        "contract_price_currency": rules.pair.quote,
    }


def answer(market: Market, path: str, query: Mapping[str, str]) -> RestAnswer | None:
    """Answer symbol lists, symbol details and books."""
    path = path.rstrip("/")
    if path == SYMBOLS_PATH:
        names = [listing.wire_name.lower() for listing in market.listings()]
        return RestAnswer(body=encode(names))
    if path == f"{DETAILS_PATH}all":
        details = [_render_details(listing) for listing in market.listings()]
        return RestAnswer(body=encode(details))
    for prefix in (DETAILS_PATH, BOOK_PATH):
        if not path.startswith(prefix):
            continue
        symbol = path.removeprefix(prefix)
        listing = market.listing(symbol.upper())
        if listing is None:
            why = f"Supplied value '{symbol}' is not a valid symbol"
            refusal = {"result": "error", "reason": "Bad Request", "message": why}
            return RestAnswer(body=encode(refusal), status=400)
        if prefix == DETAILS_PATH:
            return RestAnswer(body=encode(_render_details(listing)))
        return _answer_book(market, listing, query)
    return None


def _answer_book(market: Market, listing: Listing, query: Mapping[str, str]) -> RestAnswer:
    limits = []
    for name in ("limit_bids", "limit_asks"):
        text = query.get(name, str(LEVELS_DEFAULT))
        if not text.isdecimal():
            refusal = {"result": "error", "reason": "InvalidParameter", "message": name}
            return RestAnswer(body=encode(refusal), status=400)
        limits.append(int(text) or None)
    view = market.snapshot(listing)
    timestamp = str(view.at_ns // 1_000_000_000)
    sides = []
    for levels, limit in zip((view.bids, view.asks), limits, strict=True):
        rendered = (render_level(listing, price, size) for price, size in levels[:limit])
        sides.append(
            [{"price": price, "amount": size, "timestamp": timestamp} for price, size in rendered]
        )
    return RestAnswer(body=encode({"bids": sides[0], "asks": sides[1]}))


DIALECT = Dialect(
    venue="gemini",
    feeds={
        "l2": FeedSpec(
            open=lambda market, _path, _query: GeminiV2Session(market),
            heartbeat_s=5.0,
            has_sequence=False,
        ),
        "depth": FeedSpec(
            open=lambda market, _path, query: GeminiFastSession(market, query),
            announced_query="?snapshot=-1",
        ),
    },
    rest=answer,
    rate_limited=encode({"result": "error", "reason": "RateLimit", "message": "Rate limited"}),
    first_id=1_764_527_605_192_163,
    has_common_ids=True,
)
