"""Fake venues without input or output: each writes its dialect from the same kind of truth."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import msgspec

from engine.connectors.venues.binance.feed import BinanceFeed
from engine.connectors.venues.binance.instruments import VENUE as BINANCE
from engine.connectors.venues.bitstamp.feed import BitstampFeed
from engine.connectors.venues.bitstamp.instruments import VENUE as BITSTAMP
from engine.connectors.venues.coinbase.feed import CoinbaseFeed
from engine.connectors.venues.coinbase.instruments import VENUE as COINBASE
from engine.connectors.venues.gemini.feed import GeminiFeed
from engine.connectors.venues.gemini.instruments import VENUE as GEMINI
from engine.connectors.venues.gemini.l2_feed import GeminiL2Feed
from engine.connectors.venues.kraken.feed import KrakenFeed
from engine.connectors.venues.kraken.instruments import VENUE as KRAKEN
from engine.domain.instruments import Instrument, Kind
from engine.ports import FeedMaker
from tests.connectors import ccxt_dialect
from tests.connectors.truth import Change, Texts, Truth, make_instrument
from tests.connectors.wire_frames import Frame, text_of


class Dialect(Protocol):
    """What the conformance suite needs to know of a venue.

    Attributes:
        sees_gaps: the stream proves that nothing was lost.
        sees_order: the stream proves that nothing came twice or in the wrong order.
        is_audited: lost changes are found by the REST cross-audit.
    """

    maker: FeedMaker
    instruments: list[Instrument]
    truth: Truth
    sees_gaps: bool
    sees_order: bool
    is_audited: bool

    def connect(self) -> None: ...
    def receive(self, text: str) -> list[Frame]: ...
    def frame(self, change: Change) -> Frame: ...
    def heartbeat(self) -> Frame: ...
    def error(self) -> bytes: ...
    def fetch(self, path: str) -> Frame: ...
    def unknown(self, change: Change) -> bytes: ...


@dataclass(slots=True)
class Coinbase:
    random: Random
    maker: FeedMaker = CoinbaseFeed
    sees_gaps: bool = True
    sees_order: bool = True
    is_audited: bool = False
    sequence: int = 0
    beats: int = 0
    instruments: list[Instrument] = field(default_factory=list)
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        self.instruments = [
            make_instrument(COINBASE, "BTC-USD", "BTC-USD"),
            make_instrument(COINBASE, "ETH-USD", "ETH-USD"),
        ]
        self.truth = Truth(self.random, [each.wire_name for each in self.instruments])

    def connect(self) -> None:
        self.sequence = 0
        self.beats = 0

    def receive(self, text: str) -> list[Frame]:
        message = msgspec.json.decode(text)
        channel = message["channel"]
        frames = [Frame(self._envelope("subscriptions", [{"subscriptions": {channel: []}}]))]
        if channel == "level2" and message["type"] == "subscribe":
            for wire in message["product_ids"]:
                bids, asks = self.truth.texts(wire)
                payload = self._levels("snapshot", wire, bids, asks)
                frames.append(Frame(payload, wire, self.truth.versions[wire]))
        return frames

    def frame(self, change: Change) -> Frame:
        payload = self._levels("update", change.wire, change.bids, change.asks)
        return Frame(payload, change.wire, change.version)

    def unknown(self, change: Change) -> bytes:
        return self._levels("update", "DOGE-USD", change.bids, change.asks)

    def heartbeat(self) -> Frame:
        self.beats += 1
        event = {"current_time": "2026-01-01 00:00:00 +0000 UTC", "heartbeat_counter": self.beats}
        return Frame(self._envelope("heartbeats", [event]))

    def status(self, products: list[dict[str, str]]) -> bytes:
        return self._envelope("status", [{"type": "snapshot", "products": products}])

    def error(self) -> bytes:
        return text_of({"type": "error", "message": "rate limit exceeded"})

    def fetch(self, path: str) -> Frame:
        raise AssertionError(path)

    def _levels(self, kind: str, wire: str, bids: Texts, asks: Texts) -> bytes:
        time = "2026-01-01T00:00:00.000000Z"
        updates = [
            {"side": side, "event_time": time, "price_level": price, "new_quantity": size}
            for side, levels in (("bid", bids), ("offer", asks))
            for price, size in levels
        ]
        return self._envelope("l2_data", [{"type": kind, "product_id": wire, "updates": updates}])

    def _envelope(self, channel: str, events: list[dict[str, object]]) -> bytes:
        sequence, self.sequence = self.sequence, self.sequence + 1
        return text_of(
            {
                "channel": channel,
                "client_id": "",
                "timestamp": "2026-01-01T00:00:00.000000000Z",
                "sequence_num": sequence,
                "events": events,
            }
        )


@dataclass(slots=True)
class SparseIds:
    """The ids of a book's changes: each takes some, and often one alone, as venues give them."""

    random: Random
    known: dict[tuple[str, int], int] = field(default_factory=dict)

    def last(self, wire: str, version: int) -> int:
        """Return the last id of a version."""
        if (wire, version) not in self.known:
            before = self.known.get((wire, version - 1), 1_000_000_000 + 5 * version)
            self.known[wire, version] = before + self.random.randint(1, 5)
        return self.known[wire, version]


@dataclass(slots=True)
class Gemini:
    random: Random
    maker: FeedMaker = GeminiFeed
    sees_gaps: bool = True
    sees_order: bool = True
    is_audited: bool = False
    instruments: list[Instrument] = field(default_factory=list)
    truth: Truth = field(init=False)
    ids: SparseIds = field(init=False)

    def __post_init__(self) -> None:
        self.instruments = [
            make_instrument(GEMINI, "BTC-USD", "btcusd"),
            make_instrument(GEMINI, "ETH-USD", "ethusd"),
        ]
        self.truth = Truth(self.random, [each.wire_name for each in self.instruments])
        self.ids = SparseIds(self.random)

    def connect(self) -> None:
        pass

    def receive(self, text: str) -> list[Frame]:
        message = msgspec.json.decode(text)
        frames = [Frame(text_of({"id": message["id"], "status": 200}))]
        if message["method"] == "subscribe":
            for stream in message["params"]:
                wire = stream.partition("@")[0]
                version = self.truth.versions[wire]
                update_id = self.ids.last(wire, version)
                payload = self._update(wire, update_id, update_id, *self.truth.texts(wire))
                frames.append(Frame(payload, wire, version))
        return frames

    def frame(self, change: Change) -> Frame:
        before_id = self.ids.last(change.wire, change.version - 1)
        last_id = self.ids.last(change.wire, change.version)
        payload = self._update(change.wire, before_id, last_id, change.bids, change.asks)
        return Frame(payload, change.wire, change.version)

    def unknown(self, change: Change) -> bytes:
        return self._update("dogeusd", 1, 2, change.bids, change.asks)

    def heartbeat(self) -> Frame:
        return Frame(text_of({"id": "0", "status": 200, "result": {}}))

    def error(self) -> bytes:
        return text_of({"id": "1", "status": 400, "error": {"code": -1013, "msg": "bad symbol"}})

    def fetch(self, path: str) -> Frame:
        raise AssertionError(path)

    def _update(self, wire: str, first_id: int, last_id: int, bids: Texts, asks: Texts) -> bytes:
        return text_of(
            {
                "e": "depthUpdate",
                "E": 1_760_000_000_000_000_000,
                "s": wire,
                "U": first_id,
                "u": last_id,
                "b": bids,
                "a": asks,
            }
        )


@dataclass(slots=True)
class GeminiL2:
    random: Random
    maker: FeedMaker = GeminiL2Feed
    sees_gaps: bool = False
    sees_order: bool = False
    is_audited: bool = True
    instruments: list[Instrument] = field(default_factory=list)
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        self.instruments = [
            make_instrument(GEMINI, "BTC-USD", "btcusd"),
            make_instrument(GEMINI, "ETH-USD", "ethusd"),
        ]
        self.truth = Truth(self.random, [each.wire_name for each in self.instruments])

    def connect(self) -> None:
        pass

    def receive(self, text: str) -> list[Frame]:
        message = msgspec.json.decode(text)
        frames = []
        if message["type"] == "subscribe":
            for symbol in message["subscriptions"][0]["symbols"]:
                wire = symbol.lower()
                content = self._changes(wire, *self.truth.texts(wire))
                payload = text_of({**content, "trades": [], "auction_events": []})
                frames.append(Frame(payload, wire, self.truth.versions[wire]))
        return frames

    def frame(self, change: Change) -> Frame:
        content = self._changes(change.wire, change.bids, change.asks)
        return Frame(text_of(content), change.wire, change.version)

    def unknown(self, change: Change) -> bytes:
        return text_of(self._changes("dogeusd", change.bids, change.asks))

    def heartbeat(self) -> Frame:
        return Frame(text_of({"type": "heartbeat", "timestamp": 1_760_000_000_000}))

    def error(self) -> bytes:
        return text_of({"result": "error", "reason": "InvalidJson"})

    def fetch(self, path: str) -> Frame:
        wire = path.removeprefix("/v1/book/").partition("?")[0]
        sides = [
            [{"price": price, "amount": size, "timestamp": "1760000000"} for price, size in side]
            for side in self.truth.texts(wire)
        ]
        book = {"bids": sides[0][:20], "asks": sides[1][:20]}
        return Frame(text_of(book), wire, self.truth.versions[wire])

    def _changes(self, wire: str, bids: Texts, asks: Texts) -> dict[str, object]:
        changes = [["buy", *level] for level in bids] + [["sell", *level] for level in asks]
        return {"type": "l2_updates", "symbol": wire.upper(), "changes": changes}


@dataclass(slots=True)
class Bitstamp:
    random: Random
    maker: FeedMaker = BitstampFeed
    sees_gaps: bool = False
    sees_order: bool = True
    is_audited: bool = True
    instruments: list[Instrument] = field(default_factory=list)
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        self.instruments = [
            make_instrument(BITSTAMP, "BTC-USD", "btcusd"),
            make_instrument(BITSTAMP, "ETH-USD", "ethusd"),
        ]
        self.truth = Truth(self.random, [each.wire_name for each in self.instruments])

    def connect(self) -> None:
        pass

    def receive(self, text: str) -> list[Frame]:
        message = msgspec.json.decode(text)
        verb = message["event"].removeprefix("bts:")
        channel = message["data"]["channel"]
        event = f"bts:{verb.removesuffix('e')}tion_succeeded".replace("scribtion", "scription")
        return [Frame(text_of({"event": event, "channel": channel, "data": {}}))]

    def frame(self, change: Change) -> Frame:
        return Frame(self._diff(change.wire, change), change.wire, change.version)

    def unknown(self, change: Change) -> bytes:
        return self._diff("dogeusd", change)

    def heartbeat(self) -> Frame:
        return Frame(
            text_of({"event": "bts:heartbeat", "channel": "", "data": {"status": "success"}})
        )

    def error(self) -> bytes:
        content = {"code": None, "message": "Incorrect JSON format."}
        return text_of({"event": "bts:error", "channel": "", "data": content})

    def fetch(self, path: str) -> Frame:
        wire = path.removeprefix("/api/v2/order_book/").strip("/")
        bids, asks = self.truth.texts(wire)
        version = self.truth.versions[wire]
        book = {**_stamps(version), "bids": bids, "asks": asks}
        return Frame(text_of(book), wire, version)

    def _diff(self, wire: str, change: Change) -> bytes:
        content = {**_stamps(change.version), "bids": change.bids, "asks": change.asks}
        return text_of({"data": content, "channel": f"diff_order_book_{wire}", "event": "data"})


def _stamps(version: int) -> dict[str, str]:
    stamp_us = 1_760_000_000_000_000 + version * 1_000
    return {"timestamp": str(stamp_us // 1_000_000), "microtimestamp": str(stamp_us)}


@dataclass(slots=True)
class Binance:
    random: Random
    kind: Kind = Kind.SPOT
    maker: FeedMaker = BinanceFeed
    sees_gaps: bool = True
    sees_order: bool = True
    is_audited: bool = False
    instruments: list[Instrument] = field(default_factory=list)
    truth: Truth = field(init=False)
    ids: SparseIds = field(init=False)

    def __post_init__(self) -> None:
        self.instruments = [
            make_instrument(BINANCE, "BTC-USDT", "BTCUSDT", self.kind),
            make_instrument(BINANCE, "ETH-USDT", "ETHUSDT", self.kind),
        ]
        self.truth = Truth(self.random, [each.wire_name for each in self.instruments])
        self.ids = SparseIds(self.random)

    def connect(self) -> None:
        pass

    def receive(self, text: str) -> list[Frame]:
        return [Frame(text_of({"result": None, "id": msgspec.json.decode(text)["id"]}))]

    def frame(self, change: Change) -> Frame:
        return Frame(self._update(change.wire, change), change.wire, change.version)

    def unknown(self, change: Change) -> bytes:
        return self._update("DOGEUSDT", change)

    def heartbeat(self) -> Frame:
        return Frame(text_of({"result": [], "id": 99}))

    def error(self) -> bytes:
        return text_of({"error": {"code": 2, "msg": "Invalid request"}, "id": 1})

    def fetch(self, path: str) -> Frame:
        wire = path.partition("symbol=")[2].partition("&")[0]
        bids, asks = self.truth.texts(wire)
        version = self.truth.versions[wire]
        book = {"lastUpdateId": self.ids.last(wire, version), "bids": bids, "asks": asks}
        return Frame(text_of(book), wire, version)

    def _update(self, wire: str, change: Change) -> bytes:
        """Spot events begin where the one before ended; perpetual ones name its end."""
        before, last = (self.ids.last(wire, change.version - n) for n in (1, 0))
        content: dict[str, object] = {
            "e": "depthUpdate",
            "E": 1_760_000_000_000,
            "s": wire,
            "U": before + 1,
            "u": last,
            "b": change.bids,
            "a": change.asks,
        }
        if self.kind is Kind.PERPETUAL:
            content |= {"U": last, "pu": before}
        return text_of({"stream": f"{wire.lower()}@depth@100ms", "data": content})


@dataclass(slots=True)
class Kraken:
    random: Random
    maker: FeedMaker = KrakenFeed
    sees_gaps: bool = False
    sees_order: bool = False
    is_audited: bool = True
    instruments: list[Instrument] = field(default_factory=list)
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        # With the decimals of its wire: the checksum is of the digits as they stand.
        self.instruments = [
            make_instrument(KRAKEN, pair, wire, price_decimals=2, size_decimals=3)
            for pair, wire in (("BTC-USD", "XBTUSD"), ("ETH-USD", "ETHUSD"))
        ]
        self.truth = Truth(self.random, [each.wire_name for each in self.instruments])

    def connect(self) -> None:
        pass

    def receive(self, text: str) -> list[Frame]:
        message = msgspec.json.decode(text)
        method = message["method"]
        frames = []
        for symbol in message["params"]["symbol"]:
            result = {"channel": "book", "symbol": symbol}
            done = {"method": method, "result": result, "success": True}
            frames.append(Frame(text_of(done)))
            if method == "subscribe":
                wire = self._wire(symbol)
                payload = self._book("snapshot", wire, *self.truth.texts(wire))
                frames.append(Frame(payload, wire, self.truth.versions[wire]))
        return frames

    def frame(self, change: Change) -> Frame:
        payload = self._book("update", change.wire, change.bids, change.asks)
        return Frame(payload, change.wire, change.version)

    def unknown(self, change: Change) -> bytes:
        payload = self._book("update", change.wire, change.bids, change.asks)
        return payload.replace(b"BTC/USD", b"DOGE/USD")

    def heartbeat(self) -> Frame:
        return Frame(text_of({"channel": "heartbeat"}))

    def error(self) -> bytes:
        return text_of({"error": "Malformed request", "method": "subscribe", "success": False})

    def fetch(self, path: str) -> Frame:
        wire = path.partition("pair=")[2].partition("&")[0]
        bids, asks = ([(*level, 1_760_000_000) for level in s] for s in self.truth.texts(wire))
        book = {"bids": bids[:20], "asks": asks[:20]}
        payload = text_of({"error": [], "result": {f"X{wire}": book}})
        return Frame(payload, wire, self.truth.versions[wire])

    def _book(self, kind: str, wire: str, bids: Texts, asks: Texts) -> bytes:
        sides = [
            [{"price": _number(price), "qty": _number(size)} for price, size in levels]
            for levels in (bids, asks)
        ]
        data = {
            "symbol": {"XBTUSD": "BTC/USD", "ETHUSD": "ETH/USD"}[wire],
            "bids": sides[0],
            "asks": sides[1],
            "checksum": self._checksum(wire),
            "timestamp": "2026-01-01T00:00:00.000000Z",
        }
        return text_of({"channel": "book", "type": kind, "data": [data]})

    def _checksum(self, wire: str) -> int:
        bids, asks = self.truth.texts(wire)
        digits = [
            "".join(number.replace(".", "").lstrip("0") for number in level)
            for level in (*asks[:10], *bids[:10])
        ]
        return zlib.crc32("".join(digits).encode())

    def _wire(self, symbol: str) -> str:
        return symbol.replace("BTC", "XBT").replace("/", "")


def _number(text: str) -> object:
    """Write what is a number without quotes, as that venue does, and anything else as text."""
    is_plain = text.isascii() and text.replace(".", "", 1).isdigit()
    return msgspec.Raw(text.encode()) if is_plain else text


def binance_perpetual(random: Random) -> Binance:
    """Make the perpetual dialect of the same feed, an entry of its own in the suite."""
    return Binance(random, kind=Kind.PERPETUAL)


DIALECTS: dict[str, Callable[[Random], Dialect]] = {
    "coinbase": Coinbase,
    "gemini": Gemini,
    "gemini-l2": GeminiL2,
    "bitstamp": Bitstamp,
    "kraken": Kraken,
    "binance": Binance,
    "binance-perpetual": binance_perpetual,
    "ccxt-stream": ccxt_dialect.Ccxt,
    "ccxt-poll": ccxt_dialect.polled,
}
