"""Kraken: the book channel of WebSocket version 2 with its checksum, and public REST.

Documents: docs.kraken.com, "Book", "Book checksum (version 2)", "Heartbeat", "AssetPairs", "Depth".
What is played is its own book of 2021, told by version 1 then. Numbers are JSON numbers with all
their digits. Only so many of the best levels are told as were subscribed to: what falls below is
not told to be gone, and is told anew when it comes up again.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

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
    render_level,
    text_list,
)
from engine.sandbox.levels import Change, Side
from engine.sandbox.lineup import Listing

DEPTHS = (10, 25, 100, 500, 1_000)
CHECKED_LEVELS = 10
PAIRS_PATH = "/0/public/AssetPairs"
DEPTH_PATH = "/0/public/Depth"
OWN_CODES = {"BTC": "XBT", "DOGE": "XDG"}
"""Codes of REST; the WebSocket has those of everybody."""


class KrakenSession:
    """A connection to ws.kraken.com/v2."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._depths: dict[str, int] = {}
        self._told: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
        self.topics: set[Topic] = set()

    def opened(self) -> Reply:
        """Tell that the system is online."""
        data = [{"api_version": "v2", "connection_id": 1, "system": "online", "version": "2.0.8"}]
        return Reply([encode({"channel": "status", "type": "update", "data": data})])

    def received(self, text: str) -> Reply:
        """Answer subscriptions and pings; each symbol is answered by itself."""
        asked = decode_object(text)
        if asked is None:
            return Reply([encode({"error": "JSON Syntax error", "success": False})])
        method, said = asked.get("method"), asked.get("params")
        if method == "ping":
            return Reply([encode({"method": "pong", "time_in": self._time(), "req_id": 0})])
        params = said if isinstance(said, dict) else {}
        symbols = text_list(params.get("symbol"))
        depth = params.get("depth", CHECKED_LEVELS)
        is_known = method in ("subscribe", "unsubscribe") and params.get("channel") == "book"
        if not is_known or symbols is None or depth not in DEPTHS:
            return Reply(
                [encode({"error": "Malformed request", "method": method, "success": False})]
            )
        answer = self._subscribe if method == "subscribe" else self._unsubscribe
        return Reply([frame for symbol in symbols for frame in answer(symbol, depth)])

    def publish(self, publication: Publication) -> list[bytes]:
        """Render what changed of what is told."""
        listing = publication.listing
        told = self._told[listing.wire_name]
        changes = self._changes(listing, publication.changes, told, self._depths[listing.wire_name])
        if not changes:
            return []
        return [self._frame("update", listing, changes, publication.at_ns)]

    def heartbeat(self) -> list[bytes]:
        """Tell that the connection lives, to whom has subscribed."""
        return [encode({"channel": "heartbeat"})] if self.topics else []

    def reconnect_request(self) -> list[bytes]:
        """Say nothing: the venue has no such message."""
        return []

    def _subscribe(self, symbol: str, depth: int) -> list[bytes]:
        listing = self._named(symbol)
        if listing is None:
            return [self._refuse("subscribe", symbol)]
        if (listing.wire_name, 0) in self.topics:
            return [self._refuse("subscribe", symbol, why="Already subscribed")]
        self.topics.add((listing.wire_name, 0))
        view = self._market.snapshot(listing, depth)
        self._depths[listing.wire_name] = depth
        self._told[listing.wire_name] = (dict(view.bids), dict(view.asks))
        changes = [(Side.BID, *level) for level in view.bids]
        changes += [(Side.ASK, *level) for level in view.asks]
        result = {"channel": "book", "depth": depth, "snapshot": True, "symbol": symbol}
        done = {"method": "subscribe", "result": result, "success": True, "time_in": self._time()}
        return [encode(done), self._frame("snapshot", listing, changes, view.at_ns)]

    def _unsubscribe(self, symbol: str, depth: int) -> list[bytes]:
        listing = self._named(symbol)
        if listing is None:
            return [self._refuse("unsubscribe", symbol)]
        self.topics.discard((listing.wire_name, 0))
        result = {"channel": "book", "depth": depth, "symbol": symbol}
        return [encode({"method": "unsubscribe", "result": result, "success": True})]

    def _changes(
        self,
        listing: Listing,
        changed: Sequence[Change],
        told: tuple[dict[int, int], dict[int, int]],
        depth: int,
    ) -> list[Change]:
        """Return what is to be told of what changed, and keep what the client has then."""
        book = listing.track.book
        if all(len(book.sides[side]) <= depth and len(told[side]) <= depth for side in Side):
            for side, price, size in changed:
                if size:
                    told[side][price] = size
                else:
                    told[side].pop(price, None)
            return list(changed)
        changes: list[Change] = []
        for side in Side:
            best = dict(book.levels(side, depth))
            gone = told[side].keys() - book.sides[side].keys()
            changes += [(side, price, 0) for price in gone]
            changes += [
                (side, price, size) for price, size in best.items() if told[side].get(price) != size
            ]
            told[side].clear()
            told[side].update(best)
        return changes

    def _frame(self, kind: str, listing: Listing, changes: Sequence[Change], at_ns: int) -> bytes:
        sides: tuple[list[object], list[object]] = ([], [])
        for side, price_steps, size_steps in changes:
            price, size = render_level(listing, price_steps, size_steps)
            sides[side].append({"price": _number(price), "qty": _number(size)})
        data = {
            "symbol": _symbol(listing),
            "bids": sides[Side.BID],
            "asks": sides[Side.ASK],
            "checksum": _checksum(listing, self._told[listing.wire_name]),
            "timestamp": _time(at_ns),
        }
        return encode({"channel": "book", "type": kind, "data": [data]})

    def _named(self, symbol: str) -> Listing | None:
        named = [one for one in self._market.listings() if _symbol(one) == symbol]
        return named[0] if named else None

    def _refuse(
        self, method: str, symbol: str, *, why: str = "Currency pair not supported"
    ) -> bytes:
        said = {"error": f"{why} {symbol}", "method": method, "success": False, "symbol": symbol}
        return encode(said)

    def _time(self) -> str:
        return _time(self._market.venue_now_ns())


def _checksum(listing: Listing, told: tuple[dict[int, int], dict[int, int]]) -> int:
    """Return the checksum of what the client has: digits of the ten best, asks first."""
    texts = []
    for side in (Side.ASK, Side.BID):
        best = sorted(told[side].items(), reverse=side is Side.BID)[:CHECKED_LEVELS]
        for price_steps, size_steps in best:
            level = render_level(listing, price_steps, size_steps)
            texts += [number.replace(".", "").lstrip("0") for number in level]
    return zlib.crc32("".join(texts).encode())


def _number(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _symbol(listing: Listing) -> str:
    return f"{listing.instrument.pair.base}/{listing.instrument.pair.quote}"


def _time(at_ns: int) -> str:
    at = datetime.fromtimestamp(at_ns / 1e9, UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _render_pair(listing: Listing) -> dict[str, object]:
    rules = listing.rules
    base, quote = (OWN_CODES.get(str(one), str(one)) for one in (rules.pair.base, rules.pair.quote))
    return {
        "altname": listing.wire_name,
        "wsname": f"{base}/{quote}",
        "aclass_base": "currency",
        "base": base,
        "aclass_quote": "currency",
        "quote": quote,
        "pair_decimals": rules.price_decimals,
        "lot_decimals": rules.size_decimals,
        "lot_multiplier": 1,
        "ordermin": f"{rules.size_min_base:f}",
        "costmin": f"{rules.notional_min_quote:f}",
        "tick_size": f"{rules.tick_quote:f}",
        "status": listing.state or "online",
    }


def answer(market: Market, path: str, query: Mapping[str, str]) -> RestAnswer | None:
    """Answer the list of pairs and books; errors come with status 200."""
    if path == PAIRS_PATH:
        pairs = {listing.wire_name: _render_pair(listing) for listing in market.listings()}
        return RestAnswer(body=encode({"error": [], "result": pairs}))
    if path != DEPTH_PATH:
        return None
    listing = market.listing(query.get("pair", ""))
    if listing is None:
        return RestAnswer(body=encode({"error": ["EQuery:Unknown asset pair"]}))
    count = query.get("count", "100")
    view = market.snapshot(listing, int(count) if count.isdecimal() else 100)
    at_s = view.at_ns // 1_000_000_000
    bids, asks = ([[*level, at_s] for level in side] for side in render_book(listing, view))
    book = {"asks": asks, "bids": bids}
    return RestAnswer(body=encode({"error": [], "result": {listing.wire_name: book}}))


DIALECT = Dialect(
    venue="kraken",
    feeds={
        "book": FeedSpec(
            open=lambda market, _path, _query: KrakenSession(market),
            heartbeat_s=1.0,
            has_sequence=False,
        )
    },
    rest=answer,
    rate_limited=encode({"error": ["EGeneral:Too many requests"]}),
)
