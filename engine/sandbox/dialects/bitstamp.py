"""Bitstamp: the diff order book channel and public REST.

Documents: bitstamp.net "WebSocket API v2" and "HTTP API". Nothing in the feed shows a lost frame;
`microtimestamp` orders frames against the REST book. Heartbeats answer the client's. A channel of
an unknown but well-formed market is confirmed and stays silent.
"""

import re
from collections.abc import Mapping

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
)
from engine.sandbox.lineup import Listing

CHANNEL = re.compile(r"diff_order_book_([a-z0-9-]{4,24})")
BOOK_PATH = "/api/v2/order_book/"
PAIRS_PATH = "/api/v2/trading-pairs-info/"
MARKETS_PATH = "/api/v2/markets/"
RECEIVED_BYTES_MAX = 512
CHANNELS_MAX = 1024


class BitstampSession:
    """A connection to ws.bitstamp.net."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self.topics: set[Topic] = set()

    def opened(self) -> Reply:
        """Say nothing, as the venue does."""
        return Reply()

    def received(self, text: str) -> Reply:
        """Answer subscriptions and heartbeats."""
        asked = decode_object(text)
        if asked is None:
            return self._refuse("Incorrect JSON format.")
        event, inner = asked.get("event"), asked.get("data")
        if event == "bts:heartbeat":
            return Reply([encode({"event": event, "channel": "", "data": {"status": "success"}})])
        channel = inner.get("channel") if isinstance(inner, dict) else None
        if event not in ("bts:subscribe", "bts:unsubscribe") or not isinstance(channel, str):
            return self._refuse("Bad subscription string.")
        match = CHANNEL.fullmatch(channel)
        if match is None:
            return self._refuse("Invalid channel provided.")
        if event == "bts:unsubscribe":
            self.topics.discard((match[1], 0))
            done = "bts:unsubscription_succeeded"
        else:
            self.topics.add((match[1], 0))
            done = "bts:subscription_succeeded"
        frame = encode({"event": done, "channel": channel, "data": {}})
        return Reply([frame], is_last=len(self.topics) > CHANNELS_MAX)

    def publish(self, publication: Publication) -> list[bytes]:
        """Render changed levels."""
        bids, asks = split_sides(publication.listing, publication.changes)
        book = _stamp(publication.at_ns) | {"bids": bids, "asks": asks}
        channel = f"diff_order_book_{publication.listing.wire_name}"
        return [encode({"data": book, "channel": channel, "event": "data"})]

    def heartbeat(self) -> list[bytes]:
        """Say nothing: the client asks for heartbeats."""
        return []

    def reconnect_request(self) -> list[bytes]:
        """Ask the client to reconnect."""
        return [encode({"event": "bts:request_reconnect", "channel": "", "data": None})]

    def _refuse(self, why: str) -> Reply:
        data = {"code": None, "message": why}
        return Reply([encode({"event": "bts:error", "channel": "", "data": data})])


def _stamp(at_ns: int) -> dict[str, object]:
    return {"timestamp": str(at_ns // 1_000_000_000), "microtimestamp": str(at_ns // 1000)}


def _render_pair(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "trading": listing.state or "Enabled",
        "base_decimals": rules.size_decimals,
        "url_symbol": listing.wire_name,
        "name": f"{rules.pair.base}/{rules.pair.quote}",
        "instant_and_market_orders": "Enabled",
        "minimum_order": f"{rules.notional_min_quote:f} {rules.pair.quote}",
        "counter_decimals": rules.price_decimals,
        "description": f"{rules.pair.base} / {rules.pair.quote}",
    }


def _render_market(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "name": f"{rules.pair.base}/{rules.pair.quote}",
        "market_symbol": listing.wire_name,
        "base_currency": rules.pair.base,
        "base_decimals": rules.size_decimals,
        "counter_currency": rules.pair.quote,
        "counter_decimals": rules.price_decimals,
        "minimum_order_value": f"{rules.notional_min_quote:f}",
        "minimum_order_amount": f"{rules.size_min_base:f}",
        "trading": listing.state or "Enabled",
        "instant_order_counter_decimals": rules.price_decimals,
        "instant_and_market_orders": "Enabled",
        "description": f"{rules.pair.base} / {rules.pair.quote}",
        "market_type": "SPOT",
    }


def answer(market: Market, path: str, _query: Mapping[str, str]) -> RestAnswer | None:
    """Answer pair lists and books."""
    path = path.rstrip("/") + "/"
    if path == PAIRS_PATH:
        return RestAnswer(body=encode([_render_pair(listing) for listing in market.listings()]))
    if path == MARKETS_PATH:
        return RestAnswer(body=encode([_render_market(listing) for listing in market.listings()]))
    if not path.startswith(BOOK_PATH):
        return None
    listing = market.listing(path.removeprefix(BOOK_PATH).rstrip("/"))
    if listing is None:
        return None
    view = market.snapshot(listing)
    bids, asks = render_book(listing, view)
    return RestAnswer(body=encode(_stamp(view.at_ns) | {"bids": bids, "asks": asks}))


DIALECT = Dialect(
    venue="bitstamp",
    feeds={
        "diff": FeedSpec(
            open=lambda market, _path, _query: BitstampSession(market),
            received_bytes_max=RECEIVED_BYTES_MAX,
            has_sequence=False,
        )
    },
    rest=answer,
    rate_limited=encode(
        {
            "status": "error",
            "reason": "Request rejected due to exceeded rate limit.",
            "response_code": "400.002",
        }
    ),
)
