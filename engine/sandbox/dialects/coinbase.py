"""Coinbase Advanced Trade: market data WebSocket and public REST products and books.

Documents: docs.cdp.coinbase.com, "WebSocket Channels" and the AsyncAPI page of level2. One
`sequence_num` per connection counts the messages of all channels from 0. A snapshot precedes the
`subscriptions` message that confirms it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

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
    render_level,
    sides_of,
    text_list,
)
from engine.sandbox.levels import Change, Side
from engine.sandbox.lineup import Listing

SIDES = {Side.BID: "bid", Side.ASK: "offer"}
PRODUCTS_PATH = "/api/v3/brokerage/market/products"
SPOT = "SPOT"
FLAGS = (
    "is_disabled",
    "trading_disabled",
    "cancel_only",
    "limit_only",
    "post_only",
    "auction_mode",
    "view_only",
)
STATUS_BEATS = 5
"""States are told with each so many heartbeats; the venue does not say how often it tells them."""

BOOK_PATH = "/api/v3/brokerage/market/product_book"


def render_time(at_ns: int) -> str:
    """Render an instant as RFC 3339 with nine decimals."""
    seconds, rest_ns = divmod(at_ns, 1_000_000_000)
    return f"{_render_second(seconds)}.{rest_ns:09d}Z"


@lru_cache(maxsize=8)
def _render_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


class CoinbaseSession:
    """A connection to the market data feed."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._next_sequence = 0
        self._has_heartbeats = False
        self._heartbeats = 0
        self._beats = 0
        self._status_of: set[str] = set()
        self.topics: set[Topic] = set()

    def opened(self) -> Reply:
        """Say nothing, as the venue does."""
        return Reply()

    def received(self, text: str) -> Reply:
        """Subscribe or unsubscribe one channel."""
        asked = decode_object(text)
        if asked is None:
            return self._refuse("failure to parse request")
        products = text_list(asked.get("product_ids", []))
        kind, channel = asked.get("type"), asked.get("channel")
        if kind not in ("subscribe", "unsubscribe") or products is None:
            return self._refuse("invalid subscription request")
        if channel != "level2":
            return self._subscribe_other(channel, products, is_wanted=kind == "subscribe")
        if kind == "unsubscribe":
            gone = set(products) or {name for name, _ in self.topics}
            self.topics = {topic for topic in self.topics if topic[0] not in gone}
            return Reply([self._confirm()])
        return self._subscribe(products)

    def publish(self, publication: Publication) -> list[bytes]:
        """Render an update event."""
        self._next_sequence += publication.skipped
        event = self._event("update", publication.listing, publication.changes, publication.at_ns)
        return [self._message("l2_data", [event], publication.at_ns)]

    def heartbeat(self) -> list[bytes]:
        """Render the heartbeat of each second, and now and then the states of products."""
        self._beats += 1
        frames = self._statuses() if self._beats % STATUS_BEATS == 0 else []
        if not self._has_heartbeats:
            return frames
        self._heartbeats += 1
        now_ns = self._market.venue_now_ns()
        current = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
        event = {
            "current_time": f"{current:%Y-%m-%d %H:%M:%S}.{now_ns % 1_000_000_000:09d} +0000 UTC",
            "heartbeat_counter": str(self._heartbeats),
        }
        return [*frames, self._message("heartbeats", [event], now_ns)]

    def reconnect_request(self) -> list[bytes]:
        """Say nothing: the venue has no such message."""
        return []

    def _subscribe(self, products: list[str]) -> Reply:
        listings = [self._market.listing(name) for name in products]
        unknown = [name for name, listing in zip(products, listings, strict=True) if not listing]
        if unknown or not products:
            return self._refuse(f"invalid product ids: {', '.join(unknown) or 'none given'}")
        frames = []
        for listing in listings:
            if listing is None or (listing.wire_name, 0) in self.topics:
                continue
            self.topics.add((listing.wire_name, 0))
            view = self._market.snapshot(listing)
            event = self._event("snapshot", listing, sides_of(view), view.at_ns)
            frames.append(self._message("l2_data", [event], view.at_ns))
        frames.append(self._confirm())
        return Reply(frames)

    def _subscribe_other(self, channel: object, products: list[str], *, is_wanted: bool) -> Reply:
        if channel == "heartbeats":
            self._has_heartbeats = is_wanted
            return Reply([self._confirm()])
        if channel != "status":
            return self._refuse(f"channel {channel} is not offered here")
        unknown = [name for name in products if self._market.listing(name) is None]
        if unknown:
            return self._refuse(f"invalid product ids: {', '.join(unknown)}")
        if not is_wanted:
            self._status_of.difference_update(products)
            return Reply([self._confirm()])
        self._status_of.update(products)
        return Reply([*self._statuses(), self._confirm()])

    def _statuses(self) -> list[bytes]:
        wanted = [one for one in self._market.listings() if one.wire_name in self._status_of]
        if not wanted:
            return []
        event = {"type": "snapshot", "products": [_render_status(listing) for listing in wanted]}
        return [self._message("status", [event], self._market.venue_now_ns())]

    def _event(
        self, kind: str, listing: Listing, changes: Sequence[Change], at_ns: int
    ) -> dict[str, object]:
        event_time = render_time(at_ns)
        updates = []
        for side, price_steps, size_steps in changes:
            price, size = render_level(listing, price_steps, size_steps, zero="0")
            updates.append(
                {
                    "side": SIDES[side],
                    "event_time": event_time,
                    "price_level": price,
                    "new_quantity": size,
                }
            )
        return {"type": kind, "product_id": listing.wire_name, "updates": updates}

    def _confirm(self) -> bytes:
        subscriptions: dict[str, list[str]] = {}
        if self.topics:
            subscriptions["level2"] = sorted(name for name, _ in self.topics)
        if self._status_of:
            subscriptions["status"] = sorted(self._status_of)
        if self._has_heartbeats:
            subscriptions["heartbeats"] = ["heartbeats"]
        event = {"subscriptions": subscriptions}
        return self._message("subscriptions", [event], self._market.venue_now_ns())

    def _message(self, channel: str, events: Sequence[object], at_ns: int) -> bytes:
        message = {
            "channel": channel,
            "client_id": "",
            "timestamp": render_time(at_ns),
            "sequence_num": self._next_sequence,
            "events": events,
        }
        self._next_sequence += 1
        return encode(message)

    def _refuse(self, why: str) -> Reply:
        return Reply([encode({"type": "error", "message": why})])


def _status(listing: Listing) -> str:
    return "online" if listing.state in FLAGS else listing.state or "online"


def _render_status(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "product_type": "SPOT",
        "id": listing.wire_name,
        "base_currency": rules.pair.base,
        "quote_currency": rules.pair.quote,
        "base_increment": f"{rules.lot_base:f}",
        "quote_increment": f"{rules.tick_quote:f}",
        "display_name": f"{rules.pair.base}/{rules.pair.quote}",
        "status": _status(listing),
        "status_message": "",
        "min_market_funds": f"{rules.notional_min_quote:f}",
    }


def _render_product(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    return {
        "product_id": listing.wire_name,
        "price": "",
        "base_increment": f"{rules.lot_base:f}",
        "quote_increment": f"{rules.tick_quote:f}",
        "price_increment": f"{rules.tick_quote:f}",
        "quote_min_size": f"{rules.notional_min_quote:f}",
        "quote_max_size": "150000000",
        "base_min_size": f"{rules.size_min_base:f}",
        "base_max_size": "3400",
        "base_name": rules.pair.base,
        "quote_name": rules.pair.quote,
        "new": False,
        "status": _status(listing),
        **{flag: listing.state == flag for flag in FLAGS},
        "product_type": SPOT,
        "quote_currency_id": rules.pair.quote,
        "base_currency_id": rules.pair.base,
        "base_display_symbol": rules.pair.base,
        "quote_display_symbol": rules.pair.quote,
        "alias": "",
        "alias_to": [],
        "display_name": listing.wire_name,
        "product_venue": "CBE",
    }


def answer(market: Market, path: str, query: Mapping[str, str]) -> RestAnswer | None:
    """Answer product lists, one product and product books."""
    path = path.rstrip("/")
    if path == PRODUCTS_PATH:
        is_spot = query.get("product_type", SPOT) == SPOT
        listings = market.listings() if is_spot else ()
        products = [_render_product(listing) for listing in listings]
        return RestAnswer(body=encode({"products": products, "num_products": len(products)}))
    if path == BOOK_PATH:
        return _answer_book(market, query)
    if path.startswith(f"{PRODUCTS_PATH}/"):
        listing = market.listing(path.removeprefix(f"{PRODUCTS_PATH}/"))
        if listing is not None:
            return RestAnswer(body=encode(_render_product(listing)))
    return None


def _answer_book(market: Market, query: Mapping[str, str]) -> RestAnswer:
    listing = market.listing(query.get("product_id", ""))
    limit = query.get("limit", "")
    if listing is None or (limit and not limit.isdecimal()):
        why = {"error": "INVALID_ARGUMENT", "error_details": "valid product_id is required"}
        return RestAnswer(body=encode(why | {"message": why["error_details"]}), status=400)
    view = market.snapshot(listing, int(limit) if limit else None)
    sides = []
    for levels in (view.bids, view.asks):
        rendered = (render_level(listing, price, size) for price, size in levels)
        sides.append([{"price": price, "size": size} for price, size in rendered])
    book = {
        "product_id": listing.wire_name,
        "bids": sides[0],
        "asks": sides[1],
        "time": render_time(view.at_ns),
    }
    return RestAnswer(body=encode({"pricebook": book}))


DIALECT = Dialect(
    venue="coinbase",
    feeds={
        "level2": FeedSpec(
            open=lambda market, _path, _query: CoinbaseSession(market),
            heartbeat_s=1.0,
            subscribe_within_s=5.0,
        )
    },
    rest=answer,
    rate_limited=encode({"error": "RATE_LIMIT_EXCEEDED", "message": "too many requests"}),
)
