"""Recorded frames of each venue as inputs of its feed, from the sandbox's shipped recordings.

Binance, Bitstamp and Gemini frames are native, byte for byte. Coinbase was recorded in its earlier
dialect (`snapshot`/`l2update`); its frames are put into the envelope of Advanced Trade.
"""

import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engine.domain.instruments import Instrument, Pair, VenueId

FOLDER = Path(__file__).resolve().parents[1] / "engine" / "sandbox" / "recordings"
NS_PER_S = 1_000_000_000
DECIMALS = 8


@dataclass(slots=True)
class Recorded:
    """Inputs of one venue: frames by receive time, and REST answers by key."""

    venue: VenueId
    feed: str
    wire_names: list[str]
    frames: list[tuple[int, bytes]]
    fetched: dict[str, bytes] = field(default_factory=dict)


def all_recorded() -> list[Recorded]:
    """Load every venue's recording."""
    return [load() for load in LOADS]


def binance() -> Recorded:
    """Six minutes of BTCUSDT depth at 100 ms; the start book is the first frame's own levels."""
    frames = []
    with lzma.open(FOLDER / "hftbacktest.btcusdt_20240808.depth.xz") as file:
        for line in file:
            at, _, payload = line.partition(b" ")
            if b'"depthUpdate"' in payload:
                frames.append((int(at), payload.strip()))
    first = json.loads(frames[0][1])["data"]
    book = {
        "lastUpdateId": first["U"],
        "bids": [["61837.63000000", "3.78826000"]],
        "asks": [["61837.64000000", "1.54698000"]],
    }
    return Recorded(
        venue=VenueId("binance"),
        feed="depth",
        wire_names=["BTCUSDT"],
        frames=frames,
        fetched={"book:BTCUSDT": json.dumps(book).encode()},
    )


def coinbase() -> Recorded:
    """Ten products for 31 s, in the envelope of Advanced Trade."""
    names: set[str] = set()
    frames: list[tuple[int, bytes]] = []
    for at_ns, payload in _cryptofeed("COINBASE.ws.28.0"):
        old = json.loads(payload)
        if old.get("type") == "snapshot":
            updates = [_level("bid", *level) for level in old["bids"]]
            updates += [_level("offer", *level) for level in old["asks"]]
        elif old.get("type") == "l2update":
            updates = [
                _level("bid" if side == "buy" else "offer", price, size)
                for side, price, size in old["changes"]
            ]
        else:
            continue
        names.add(old["product_id"])
        kind = "snapshot" if old["type"] == "snapshot" else "update"
        event = {"type": kind, "product_id": old["product_id"], "updates": updates}
        envelope = {
            "channel": "l2_data",
            "client_id": "",
            "timestamp": "2021-04-17T16:43:37.000000Z",
            "sequence_num": len(frames),
            "events": [event],
        }
        frames.append((at_ns, json.dumps(envelope, separators=(",", ":")).encode()))
    return Recorded(
        venue=VenueId("coinbase"), feed="level2", wire_names=sorted(names), frames=frames
    )


def bitstamp() -> Recorded:
    """Ten pairs for 30 s, with the REST books that were fetched meanwhile."""
    fetched = {}
    for url, payload in _fetched("BITSTAMP.http.0.0"):
        name = url.rstrip("/").rpartition("/")[2]
        fetched[f"book:{name}"] = payload
    prefix = b'"channel":"diff_order_book_'
    frames = [
        (at_ns, payload)
        for at_ns, payload in _cryptofeed("BITSTAMP.ws.1.0")
        if prefix in payload and b'"event":"data"' in payload
    ]
    return Recorded(
        venue=VenueId("bitstamp"),
        feed="diff",
        wire_names=[key.removeprefix("book:") for key in fetched],
        frames=frames,
        fetched=fetched,
    )


def gemini() -> Recorded:
    """Ten symbols for a minute, the v2 feed."""
    frames = [
        (at_ns, payload)
        for at_ns, payload in _cryptofeed("GEMINI.ws.1.0")
        if b'"l2_updates"' in payload
    ]
    names = sorted({json.loads(payload)["symbol"] for _, payload in frames})
    return Recorded(venue=VenueId("gemini"), feed="l2", wire_names=names, frames=frames)


def instruments_of(recorded: Recorded) -> list[Instrument]:
    """Make an instrument of each wire name; every venue gets pairs of its own."""
    step = Decimal(1).scaleb(-DECIMALS)
    return [
        Instrument(
            venue=recorded.venue,
            pair=Pair.parse(f"{recorded.venue.upper()}{number}-USD"),
            wire_name=name,
            price_decimals=DECIMALS,
            size_decimals=DECIMALS,
            tick_quote=step,
            lot_base=step,
        )
        for number, name in enumerate(recorded.wire_names)
    ]


def _level(side: str, price: str, size: str) -> dict[str, Any]:
    return {
        "side": side,
        "event_time": "2021-04-17T16:43:37.000000Z",
        "price_level": price,
        "new_quantity": size,
    }


def _cryptofeed(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield (receive time, payload) of the frames that the venue sent."""
    with lzma.open(FOLDER / f"cryptofeed.{name}.xz") as file:
        for line in file:
            head, separator, payload = line.partition(b": ")
            if separator and head.replace(b".", b"").isdigit():
                yield int(float(head) * NS_PER_S), payload.strip()


def _fetched(name: str) -> Iterator[tuple[str, bytes]]:
    with lzma.open(FOLDER / f"cryptofeed.{name}.xz") as file:
        for line in file:
            url, _, rest = line.partition(b" -> ")
            payload = rest.partition(b": ")[2]
            if payload:
                yield url.decode(), payload.strip()


Load = Callable[[], Recorded]

LOADS: Final[tuple[Load, ...]] = (binance, coinbase, bitstamp, gemini)
"""One for each venue's recording."""
