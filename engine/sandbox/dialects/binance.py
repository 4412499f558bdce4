"""Binance spot: combined and raw diff depth streams, REST depth and exchange information.

Documents: binance-spot-api-docs, "WebSocket Streams" (frames, requests, errors, how to manage a
local order book) and "REST API". A frame's `U` is the previous frame's `u` + 1. REST books are
ahead of the stream within an interval, so that `lastUpdateId` can lie inside a frame's range.
"""

from collections.abc import Mapping

import msgspec

from engine.sandbox.dialects.base import (
    Dialect,
    FeedSpec,
    Market,
    Publication,
    Reply,
    RestAnswer,
    Topic,
    decode_object,
    encode,
    render_book,
    split_sides,
    text_list,
)
from engine.sandbox.dialects.streams import parse_stream, stream_name, stream_names
from engine.sandbox.lineup import Listing

LEVELS_DEFAULT = 100
LEVELS_MAX = 5000
METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


class BinanceSession:
    """A connection to `/stream` (combined frames) or `/ws/<stream>` (raw frames)."""

    def __init__(self, market: Market, path: str, query: Mapping[str, str]) -> None:
        self._market = market
        self.topics: set[Topic] = set()
        first, _, stream = path.strip("/").partition("/")
        self._is_combined = first != "ws"
        names = query.get("streams", "").split("/") if self._is_combined else [stream]
        for name in names:
            self._add(name)

    def opened(self) -> Reply:
        """Say nothing, as the venue does."""
        return Reply()

    def received(self, text: str) -> Reply:
        """Answer a request."""
        asked = decode_object(text)
        if asked is None:
            return _refuse(3, "Invalid JSON: expected value at line 1 column 1")
        request_id, method = asked.get("id"), asked.get("method")
        names = text_list(asked.get("params", []))
        if method == "LIST_SUBSCRIPTIONS":
            return _confirm(request_id, stream_names(self.topics))
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            return _refuse(
                2, f"Invalid request: unknown variant {method}, expected one of {METHODS}"
            )
        if names is None:
            return _refuse(2, "Invalid request: params must be strings")
        for name in names:
            if method == "SUBSCRIBE":
                self._add(name)
            elif (topic := parse_stream(self._market, name)) is not None:
                self.topics.discard(topic)
        return _confirm(request_id, None)

    def publish(self, publication: Publication) -> list[bytes]:
        """Render a depth update."""
        listing = publication.listing
        bids, asks = split_sides(listing, publication.changes)
        update = {
            "e": "depthUpdate",
            "E": publication.at_ns // 1_000_000,
            "s": listing.wire_name,
            "U": publication.previous_id + 1,
            "u": publication.last_id,
            "b": bids,
            "a": asks,
        }
        if not self._is_combined:
            return [encode(update)]
        return [encode({"stream": stream_name(publication.topic), "data": update})]

    def heartbeat(self) -> list[bytes]:
        """Say nothing: the feed has protocol pings only."""
        return []

    def reconnect_request(self) -> list[bytes]:
        """Say nothing: the venue has no such message."""
        return []

    def _add(self, name: str) -> None:
        # A stream of an unknown symbol is confirmed and stays silent, as at the venue.
        topic = parse_stream(self._market, name)
        if topic is not None:
            self.topics.add(topic)


def _confirm(request_id: object, result: object) -> Reply:
    return Reply([encode({"result": result, "id": request_id})])


def _refuse(code: int, why: str) -> Reply:
    return Reply([encode({"code": code, "msg": why})])


def _render_symbol(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    filters = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": f"{rules.tick_quote:f}",
            "maxPrice": "1000000.00000000",
            "tickSize": f"{rules.tick_quote:.8f}",
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": f"{rules.size_min_base:.8f}",
            "maxQty": "9000.00000000",
            "stepSize": f"{rules.lot_base:.8f}",
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": f"{rules.notional_min_quote:.8f}",
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
    ]
    return {
        "symbol": listing.wire_name,
        "status": listing.state or "TRADING",
        "baseAsset": rules.pair.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.pair.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters,
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def answer(market: Market, path: str, query: Mapping[str, str]) -> RestAnswer | None:
    """Answer depth and exchange information."""
    if path == "/api/v3/depth":
        return _answer_depth(market, query)
    if path == "/api/v3/exchangeInfo":
        return _answer_exchange_info(market, query)
    return None


def _answer_depth(market: Market, query: Mapping[str, str]) -> RestAnswer:
    listing = market.listing(query.get("symbol", ""))
    if listing is None:
        return _refuse_request(-1121, "Invalid symbol.")
    text = query.get("limit", str(LEVELS_DEFAULT))
    if not text.isdecimal() or int(text) < 1:
        return _refuse_request(-1100, "Illegal characters found in parameter 'limit'.")
    view = market.snapshot(listing, min(int(text), LEVELS_MAX))
    bids, asks = render_book(listing, view)
    return RestAnswer(body=encode({"lastUpdateId": view.last_id, "bids": bids, "asks": asks}))


def _answer_exchange_info(market: Market, query: Mapping[str, str]) -> RestAnswer:
    listings = list(market.listings())
    asked: list[str] | None = None
    if "symbol" in query:
        asked = [query["symbol"]]
    elif "symbols" in query:
        try:
            asked = msgspec.json.decode(query["symbols"], type=list[str])
        except msgspec.MsgspecError:
            return _refuse_request(-1100, "Illegal characters found in parameter 'symbols'.")
    if asked is not None:
        found = [market.listing(name) for name in asked]
        listings = [listing for listing in found if listing is not None]
        if len(listings) < len(asked):
            return _refuse_request(-1121, "Invalid symbol.")
    body = {
        "timezone": "UTC",
        "serverTime": market.venue_now_ns() // 1_000_000,
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 6000,
            }
        ],
        "exchangeFilters": [],
        "symbols": [_render_symbol(listing) for listing in listings],
    }
    return RestAnswer(body=encode(body))


def _refuse_request(code: int, why: str) -> RestAnswer:
    return RestAnswer(body=encode({"code": code, "msg": why}), status=400)


DIALECT = Dialect(
    venue="binance",
    feeds={"depth": FeedSpec(open=BinanceSession)},
    rest=answer,
    rate_limited=encode({"code": -1003, "msg": "Too many requests."}),
    first_id=50_093_239_218,
    has_empty_events=True,
)
