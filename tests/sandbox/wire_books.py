"""Books rebuilt from the wire alone, by the venues' documents; nothing of the sandbox is used."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Side = dict[Decimal, Decimal]


class WireError(Exception):
    """The wire broke the venue's rules."""


@dataclass
class WireBook:
    bids: Side = field(default_factory=dict)
    asks: Side = field(default_factory=dict)
    last_id: int = -1
    stream_id: int = -1
    is_live: bool = False
    updates: int = 0
    waiting: list[dict[str, Any]] = field(default_factory=list)

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()

    def set(self, side: str, price: str, size: str) -> None:
        levels = self.bids if side in ("bid", "buy") else self.asks
        if Decimal(size):
            levels[Decimal(price)] = Decimal(size)
        else:
            levels.pop(Decimal(price), None)

    def set_pairs(self, bids: Iterable[list[str]], asks: Iterable[list[str]]) -> None:
        for price, size in bids:
            self.set("bid", price, size)
        for price, size in asks:
            self.set("ask", price, size)

    def as_truth(self) -> dict[str, Side]:
        return {"bids": self.bids, "asks": self.asks}


class WireClient:
    """Common part: a book per instrument and how many frames came."""

    def __init__(self, names: Iterable[str]) -> None:
        self.books = {name: WireBook() for name in names}
        self.frames = 0
        self.heartbeats = 0

    def subscriptions(self) -> list[str]:
        raise NotImplementedError

    def take(self, text: str) -> None:
        self.frames += 1
        self.take_message(json.loads(text))

    def take_message(self, message: dict[str, Any]) -> None:
        raise NotImplementedError


class CoinbaseClient(WireClient):
    sequence = -1

    def subscriptions(self) -> list[str]:
        level2 = {"type": "subscribe", "product_ids": list(self.books), "channel": "level2"}
        return [
            json.dumps({"type": "subscribe", "channel": "heartbeats"}),
            json.dumps(level2),
        ]

    def take_message(self, message: dict[str, Any]) -> None:
        if message["sequence_num"] != self.sequence + 1:
            raise WireError(f"sequence {message['sequence_num']} follows {self.sequence}")
        self.sequence = message["sequence_num"]
        if message["channel"] == "heartbeats":
            self.heartbeats += 1
            assert int(message["events"][0]["heartbeat_counter"]) == self.heartbeats
        if message["channel"] != "l2_data":
            return
        for event in message["events"]:
            book = self.books[event["product_id"]]
            if event["type"] == "snapshot":
                book.clear()
                book.is_live = True
            elif not book.is_live:
                raise WireError("an update before the snapshot")
            book.updates += 1
            for update in event["updates"]:
                assert update["side"] in ("bid", "offer")
                book.set(update["side"], update["price_level"], update["new_quantity"])


class GeminiV2Client(WireClient):
    def subscriptions(self) -> list[str]:
        entry = {"name": "l2", "symbols": list(self.books)}
        return [json.dumps({"type": "subscribe", "subscriptions": [entry]})]

    def take_message(self, message: dict[str, Any]) -> None:
        if message["type"] == "heartbeat":
            self.heartbeats += 1
            return
        assert message["type"] == "l2_updates", message
        book = self.books[message["symbol"]]
        if not book.is_live:
            assert "trades" in message
            book.is_live = True
        book.updates += 1
        for side, price, size in message["changes"]:
            book.set(side, price, size)


class GeminiFastClient(WireClient):
    acknowledged: Any = None

    def subscriptions(self) -> list[str]:
        streams = [f"{name.lower()}@depth@100ms" for name in self.books]
        return [json.dumps({"id": "1", "method": "subscribe", "params": streams})]

    def take_message(self, message: dict[str, Any]) -> None:
        if "status" in message:
            self.acknowledged = message
            return
        book = self.books[message["s"].upper()]
        if not book.is_live:
            assert message["U"] == message["u"]
            book.is_live = True
        elif message["u"] <= book.last_id:
            return
        elif message["U"] > book.last_id:
            raise WireError(f"gap: U {message['U']} above {book.last_id}")
        book.last_id = message["u"]
        book.updates += 1
        book.set_pairs(message["b"], message["a"])


class BitstampClient(WireClient):
    """Keeps frames back until the REST book is there; older ones are dropped then."""

    def subscriptions(self) -> list[str]:
        return [
            json.dumps({"event": "bts:subscribe", "data": {"channel": f"diff_order_book_{name}"}})
            for name in self.books
        ]

    def take_message(self, message: dict[str, Any]) -> None:
        if message["event"] != "data":
            assert message["event"] == "bts:subscription_succeeded", message
            return
        book = self.books[message["channel"].removeprefix("diff_order_book_")]
        if book.is_live:
            self._apply(book, message["data"])
        else:
            book.waiting.append(message["data"])

    def take_rest(self, name: str, answer: dict[str, Any]) -> None:
        book = self.books[name]
        book.clear()
        book.set_pairs(answer["bids"], answer["asks"])
        book.last_id = int(answer["microtimestamp"])
        book.is_live = True
        for waiting in book.waiting:
            if int(waiting["microtimestamp"]) > book.last_id:
                self._apply(book, waiting)
        book.waiting.clear()

    def _apply(self, book: WireBook, update: dict[str, Any]) -> None:
        if int(update["microtimestamp"]) <= book.last_id:
            raise WireError(f"microtimestamp {update['microtimestamp']} is not new")
        book.last_id = int(update["microtimestamp"])
        book.updates += 1
        book.set_pairs(update["bids"], update["asks"])


class BinanceClient(WireClient):
    """Follows "How to manage a local order book correctly"."""

    def subscriptions(self) -> list[str]:
        streams = [f"{name.lower()}@depth@100ms" for name in self.books]
        return [json.dumps({"method": "SUBSCRIBE", "params": streams, "id": 1})]

    def take_message(self, message: dict[str, Any]) -> None:
        if "stream" not in message:
            assert message == {"result": None, "id": 1}
            return
        update = message["data"]
        assert message["stream"] == f"{update['s'].lower()}@depth@100ms"
        book = self.books[update["s"]]
        if book.stream_id >= 0 and update["U"] != book.stream_id + 1:
            raise WireError(f"U {update['U']} does not follow u {book.stream_id}")
        book.stream_id = update["u"]
        if book.is_live:
            self._apply(book, update)
        else:
            book.waiting.append(update)

    def take_rest(self, name: str, answer: dict[str, Any]) -> None:
        book = self.books[name]
        if book.waiting and answer["lastUpdateId"] < book.waiting[0]["U"] - 1:
            raise WireError("the snapshot is older than the first update")
        book.clear()
        book.set_pairs(answer["bids"], answer["asks"])
        book.last_id = answer["lastUpdateId"]
        book.is_live = True
        for waiting in book.waiting:
            self._apply(book, waiting)
        book.waiting.clear()

    def _apply(self, book: WireBook, update: dict[str, Any]) -> None:
        if update["u"] <= book.last_id:
            return
        if update["U"] > book.last_id + 1:
            raise WireError(f"gap: U {update['U']} after {book.last_id}")
        book.last_id = update["u"]
        book.updates += 1
        book.set_pairs(update["b"], update["a"])


class KrakenClient(WireClient):
    """Holds each book against its checksum, of the digits as they stand on the wire."""

    depth = 1_000

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(names)
        self.symbols = {self._symbol(name): name for name in self.books}
        self.checked = 0
        self._texts: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def subscriptions(self) -> list[str]:
        params = {"channel": "book", "symbol": list(self.symbols), "depth": self.depth}
        return [json.dumps({"method": "subscribe", "params": params})]

    def take(self, text: str) -> None:
        self.frames += 1
        self.take_message(json.loads(text, parse_float=str, parse_int=str))

    def take_message(self, message: dict[str, Any]) -> None:
        if message.get("channel") == "heartbeat":
            self.heartbeats += 1
        if message.get("channel") != "book":
            assert message.get("success", True), message
            return
        (data,) = message["data"]
        name = self.symbols[data["symbol"]]
        book = self.books[name]
        if message["type"] == "snapshot":
            book.clear()
            self._texts[name] = ({}, {})
            book.is_live = True
        elif not book.is_live:
            raise WireError("an update before the snapshot")
        book.updates += 1
        sides = zip(("bids", "asks"), self._texts[name], (book.bids, book.asks), strict=True)
        for side, texts, levels in sides:
            for level in data[side]:
                book.set(side.removesuffix("s"), level["price"], level["qty"])
                texts[level["price"]] = level["qty"]
            for price in sorted(levels, reverse=side == "bids")[self.depth :]:
                del levels[price]
        self._check(name, int(data["checksum"]))

    def _check(self, name: str, checksum: int) -> None:
        book, (bid_texts, ask_texts) = self.books[name], self._texts[name]
        digits = ""
        for texts, levels, is_bid in ((ask_texts, book.asks, False), (bid_texts, book.bids, True)):
            written = {Decimal(price): (price, size) for price, size in texts.items()}
            for best in sorted(levels, reverse=is_bid)[:10]:
                digits += "".join(one.replace(".", "").lstrip("0") for one in written[best])
        if zlib.crc32(digits.encode()) != checksum:
            raise WireError(f"checksum {checksum} is not that of the book of {name}")
        self.checked += 1

    def _symbol(self, name: str) -> str:
        base, quote = (code.replace("XBT", "BTC") for code in (name[:3], name[3:]))
        return f"{base}/{quote}"
