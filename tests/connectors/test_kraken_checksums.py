"""Kraken's checksums: the example of its documents, and every one of a recording of 2021.

The recording is of version 1, whose rule is the same; its levels and checksums are put into frames
of version 2.
"""

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.connectors.venues.kraken.checksum import checksum_of
from engine.connectors.venues.kraken.depth import KeptPrices
from engine.connectors.venues.kraken.feed import DEPTH, KrakenFeed
from engine.connectors.venues.kraken.instruments import VENUE
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument
from engine.market.board import Board
from engine.ports import FeedLimits
from tests.connectors.truth import make_instrument

RECORDING = (
    Path(__file__).parents[2] / "engine" / "sandbox" / "recordings" / "cryptofeed.KRAKEN.ws.50.0.xz"
)
AT_NS = 1_800_000_000_000_000_000

EXAMPLE_ASKS = (
    "45285.2 0.00100000", "45286.4 1.54571953", "45286.6 1.54571109", "45289.6 1.54560911",
    "45290.2 0.15890660", "45291.8 1.54553491", "45294.7 0.04454749", "45296.1 0.35380000",
    "45297.5 0.09945542", "45299.5 0.18772827",
)  # fmt: skip
EXAMPLE_BIDS = (
    "45283.5 0.10000000", "45283.4 1.54582015", "45282.1 0.10000000", "45281.0 0.10000000",
    "45280.3 1.54592586", "45279.0 0.07990000", "45277.6 0.03310103", "45277.5 0.30000000",
    "45277.3 1.54602737", "45276.6 0.15445238",
)  # fmt: skip
EXAMPLE = 3_310_070_434
"""Of "Book checksum (WebSocket v2)", docs.kraken.com."""


def steps(levels: tuple[str, ...]) -> list[tuple[int, int]]:
    pairs = (level.split() for level in levels)
    return [(int(price.replace(".", "")), int(size.replace(".", ""))) for price, size in pairs]


def test_the_example_of_the_documents_has_its_checksum() -> None:
    asks, bids = steps(EXAMPLE_ASKS), steps(EXAMPLE_BIDS)

    assert checksum_of(bids, asks) == EXAMPLE
    assert checksum_of(bids[1:], asks) != EXAMPLE
    assert checksum_of([*bids, (1, 1)], asks) == EXAMPLE  # the ten best alone


def recorded() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the pair and the parts of each recorded frame of levels."""
    with lzma.open(RECORDING, "rb") as lines:
        for line in lines:
            _, _, text = line.partition(b": ")
            if text.startswith(b"["):
                frame = msgspec.json.decode(text)
                yield frame[-1], [part for part in frame[1:] if isinstance(part, dict)]


def second_version(pair: str, parts: list[dict[str, Any]]) -> tuple[bytes, bool, bool]:
    """Return a frame of version 2, whether it is a snapshot, and whether it has a checksum."""
    sides = []
    for name in ("b", "a"):
        levels = [one for part in parts for one in part.get(name, part.get(f"{name}s", []))]
        sides.append(
            [
                {"price": msgspec.Raw(one[0].encode()), "qty": msgspec.Raw(one[1].encode())}
                for one in levels
            ]
        )
    is_snapshot = any("as" in part for part in parts)
    checksums = [int(part["c"]) for part in parts if "c" in part]
    data = {
        "symbol": pair.replace("XBT", "BTC"),
        "bids": sides[0],
        "asks": sides[1],
        "checksum": checksums[0] if checksums else 0,
    }
    kind = "snapshot" if is_snapshot else "update"
    frame = msgspec.json.encode({"channel": "book", "type": kind, "data": [data]})
    return frame, is_snapshot, bool(checksums)


class Played:
    """A feed on a board that is told the recording."""

    def __init__(self) -> None:
        self.decimals: dict[str, tuple[int, int]] = {}
        self.frames: list[tuple[str, list[dict[str, Any]]]] = list(recorded())
        for pair, parts in self.frames:
            if "as" in parts[0]:
                price, size, *_ = parts[0]["as"][0]
                self.decimals[pair] = (len(price.partition(".")[2]), len(size.partition(".")[2]))
        self.instruments = [self._instrument(pair) for pair in self.decimals]
        self.board = Board(self.instruments)
        self.feed = KrakenFeed(
            self.instruments, range(len(self.instruments)), self.board, FeedLimits()
        )
        self.feed.opened(AT_NS)
        self.checked = 0

    def _instrument(self, pair: str) -> Instrument:
        price, size = self.decimals[pair]
        return make_instrument(
            VENUE,
            pair.replace("XBT", "BTC").replace("/", "-"),
            pair.replace("/", ""),
            price_decimals=price,
            size_decimals=size,
        )

    def row(self, pair: str) -> int:
        return list(self.decimals).index(pair)

    def tell(self, pair: str, parts: list[dict[str, Any]]) -> None:
        frame, is_snapshot, has_checksum = second_version(pair, parts)
        if is_snapshot:  # of version 1 a snapshot has none: it gets that of what it holds
            row = self.row(pair)
            data = msgspec.json.decode(frame)["data"][0]
            sides = [
                sorted(
                    (
                        (round(one["price"] * 10 ** self.decimals[pair][0]),
                         round(one["qty"] * 10 ** self.decimals[pair][1]))
                        for one in data[side]
                    ),
                    reverse=side == "bids",
                )
                for side in ("bids", "asks")
            ]  # fmt: skip
            right = str(checksum_of(sides[0], sides[1])).encode()
            frame = frame.replace(b'"checksum":0', b'"checksum":' + right)
            self.feed.frame(frame, AT_NS)
            assert self.board.is_live(row), pair
            return
        assert has_checksum
        self.feed.frame(frame, AT_NS)
        self.checked += 1


def test_every_recorded_change_of_ten_books_ends_with_the_recorded_checksum() -> None:
    played = Played()

    for pair, parts in played.frames:
        played.tell(pair, parts)
        assert played.board.is_live(played.row(pair)), (pair, parts)

    assert played.checked > 4_200
    assert played.board.faults == {}


@pytest.mark.parametrize("lost", [40, 400, 1_500])
def test_a_change_among_the_best_that_is_lost_is_seen_at_once(lost: int) -> None:
    played = Played()
    for index, (pair, parts) in enumerate(played.frames):
        is_best = index >= lost and "c" in parts[-1] and _is_among_the_best(played, pair, parts)
        if not is_best:
            played.tell(pair, parts)
            continue
        later = next((other for other in played.frames[index + 1 :] if other[0] == pair), None)
        assert later is not None
        played.tell(*later)
        assert not played.board.is_live(played.row(pair))
        assert played.board.faults[VENUE, Fault.AUDIT_DIVERGED] == 1
        return
    raise AssertionError("no such change")


def _is_among_the_best(played: Played, pair: str, parts: list[dict[str, Any]]) -> bool:
    """Say whether a change is one of the three best levels of its side."""
    bids, asks = played.board.top_levels(played.row(pair), 3)
    best = {price for price, _ in (*bids, *asks)}
    changed = {
        int(level[0].replace(".", ""))
        for part in parts
        for level in part.get("b", part.get("a", []))
    }
    return bool(best & changed)


def test_what_falls_below_the_depth_is_taken_out_and_comes_back_when_it_is_told() -> None:
    instrument = make_instrument(VENUE, "BTC-USD", "XBTUSD", price_decimals=2, size_decimals=3)
    bids, asks = (KeptPrices(side, instrument, 2) for side in (0, 1))

    assert bids.take([("99.00", "1"), ("98.00", "1")]) == []
    assert bids.take([("99.50", "1")]) == ["98.00"]
    assert bids.take([("99.50", "0.000"), ("98.00", "2")]) == []
    assert asks.take([("101.00", "1"), ("102.00", "1"), ("100.50", "1")]) == ["102.00"]
    assert asks.take([("100.50", "0"), ("7.00", "0")]) == []


def test_a_book_deeper_than_is_told_keeps_no_level_that_nobody_tells_of_any_more() -> None:
    instrument = make_instrument(VENUE, "BTC-USD", "XBTUSD", price_decimals=2, size_decimals=3)
    board = Board([instrument])
    feed = KrakenFeed([instrument], [0], board, FeedLimits())
    feed.opened(AT_NS)
    bids = [(f"{50 - n / 100:.2f}", "1.000") for n in range(DEPTH)]
    asks = [("60.00", "1.000")]

    def tell(
        kind: str, told: list[tuple[str, str]], other: list[tuple[str, str]], best: int
    ) -> None:
        data = {
            "symbol": "BTC/USD",
            "bids": [{"price": price, "qty": size} for price, size in told],
            "asks": [{"price": price, "qty": size} for price, size in other],
            "checksum": best,
        }
        frame = {"channel": "book", "type": kind, "data": [data]}
        feed.frame(msgspec.json.encode(frame), AT_NS)

    top = [(5_000 - n, 1_000) for n in range(10)]
    tell("snapshot", bids, asks, checksum_of(top, [(6_000, 1_000)]))
    tell("update", [("50.01", "2.000")], [], checksum_of([(5_001, 2_000), *top], [(6_000, 1_000)]))

    assert board.is_live(0)
    held, _ = board.top_levels(0, DEPTH + 5)
    assert len(held) == DEPTH
    assert held[0] == (5_001, 2_000)
    assert held[-1][0] == 5_000 - DEPTH + 2
