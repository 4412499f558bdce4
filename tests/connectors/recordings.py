"""Reads the recordings, and builds the same books in the slowest and most obvious way."""

import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parents[1] / "data" / "connectors"

Levels = list[list[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded line; `path` is empty for a frame."""

    at_ns: int
    path: str
    payload: bytes


def read(name: str) -> Iterator[Line]:
    with lzma.open(FOLDER / f"{name}.tsv.xz", "rt") as lines:
        for line in lines:
            at_ns, kind, payload = line.rstrip("\n").split("\t", 2)
            yield Line(int(at_ns), "" if kind == "frame" else kind, payload.encode())


@dataclass(slots=True)
class SlowBook:
    """A book of decimals in two dicts."""

    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)

    def set(self, bids: Levels, asks: Levels) -> None:
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, size in levels:
                side[Decimal(price)] = Decimal(size)
                if Decimal(size) == 0:
                    del side[Decimal(price)]

    def replace(self, bids: Levels, asks: Levels) -> None:
        self.bids.clear()
        self.asks.clear()
        self.set(bids, asks)


def split(changes: list[list[str]]) -> tuple[Levels, Levels]:
    """Split sided changes into bids and asks."""
    return (
        [change[1:] for change in changes if change[0] == "buy"],
        [change[1:] for change in changes if change[0] == "sell"],
    )


def slow_coinbase(name: str) -> dict[str, SlowBook]:
    books: dict[str, SlowBook] = {}
    for line in read(name):
        message = msgspec.json.decode(line.payload)
        book = books.setdefault(message["product_id"], SlowBook())
        if message["type"] == "snapshot":
            book.replace(message["bids"], message["asks"])
        else:
            book.set(*split(message["changes"]))
    return books


def slow_gemini_l2(name: str) -> dict[str, SlowBook]:
    books: dict[str, SlowBook] = {}
    for line in read(name):
        message = msgspec.json.decode(line.payload)
        if message["type"] == "l2_updates":
            book = books.setdefault(message["symbol"].lower(), SlowBook())
            book.set(*split(message["changes"]))
    return books


def slow_bitstamp(name: str) -> dict[str, SlowBook]:
    books: dict[str, SlowBook] = {}
    stamps: dict[str, int] = {}
    lines = list(read(name))
    for line in lines:
        if line.path:
            content = msgspec.json.decode(line.payload)
            wire = line.path.rpartition("/")[2]
            books[wire] = SlowBook()
            books[wire].replace(content["bids"], content["asks"])
            stamps[wire] = int(content["microtimestamp"])
    for line in lines:
        message = msgspec.json.decode(line.payload)
        if message.get("event") == "data":
            wire = message["channel"].removeprefix("diff_order_book_")
            if int(message["data"]["microtimestamp"]) > stamps[wire]:
                books[wire].set(message["data"]["bids"], message["data"]["asks"])
    return books


def slow_binance(name: str) -> dict[str, SlowBook]:
    books: dict[str, SlowBook] = {}
    last_ids: dict[str, int] = {}
    lines = list(read(name))
    for line in lines:
        if line.path:
            content = msgspec.json.decode(line.payload)
            wire = line.path.partition("symbol=")[2].partition("&")[0]
            books[wire] = SlowBook()
            books[wire].replace(content["bids"], content["asks"])
            last_ids[wire] = content["lastUpdateId"]
    for line in lines:
        update = msgspec.json.decode(line.payload).get("data")
        if update and update["u"] > last_ids[update["s"]]:
            books[update["s"]].set(update["b"], update["a"])
    return books
