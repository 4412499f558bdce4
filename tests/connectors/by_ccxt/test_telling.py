"""A book that is told whole and then by its changes is the book, level for level."""

from random import Random
from typing import Any

import msgspec
import pytest

from engine.connectors.by_ccxt.telling import LEVELS, BookTeller, book_texts

Book = dict[str, list[list[Any]]]


def _book(random: Random) -> Book:
    """Make a book of up to a few levels more than are told."""
    counts = [random.randint(LEVELS - 5, LEVELS + 5) for _ in range(2)]
    bids = sorted(random.sample(range(1, 900), counts[0]), reverse=True)
    asks = sorted(random.sample(range(901, 1800), counts[1]))
    return {
        name: [[price / 100, random.randint(1, 3) / 10] for price in prices]
        for name, prices in (("bids", bids), ("asks", asks))
    }


def _applied(held: dict[str, dict[str, str]], frame: dict[str, Any]) -> None:
    for side in ("bids", "asks"):
        if frame["type"] == "book":
            held[side] = {}
        for price, size in frame[side]:
            if float(size):
                held[side][price] = size
            else:
                del held[side][price]  # a level that was told is taken back, and no other


def _tell(teller: BookTeller, book: Book, *, is_fetched: bool = False) -> dict[str, Any] | None:
    frame = teller.tell(book, at_ns=7, is_fetched=is_fetched)
    return None if frame is None else msgspec.json.decode(frame)


@pytest.mark.parametrize("seed", range(5))
def test_changes_lead_from_each_book_to_the_next(seed: int) -> None:
    random = Random(seed)
    teller = BookTeller("BTC/USD", size_decimals=3)
    held: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}

    for number in range(40):
        book = _book(random)
        frame = _tell(teller, book)
        assert frame is not None
        assert (frame["before"], frame["number"]) == (number, number + 1)
        assert frame["type"] == ("change" if number else "book")
        _applied(held, frame)

        whole = book_texts(book, size_decimals=3)
        assert held == {side: dict(levels) for side, levels in whole.items()}
        assert all(len(levels) <= LEVELS for levels in whole.values())


def test_a_stream_that_says_nothing_new_is_not_passed_on_and_a_fetched_book_is() -> None:
    book = _book(Random(1))
    teller = BookTeller("BTC/USD", size_decimals=3)
    _tell(teller, book)

    assert _tell(teller, book) is None
    frame = _tell(teller, book, is_fetched=True)

    assert frame is not None
    best = book["bids"][0]
    assert [[float(part) for part in level] for level in frame["bids"]] == [best]
    assert frame["asks"] == []
    assert (frame["type"], frame["before"], frame["number"]) == ("change", 1, 2)


def test_of_two_orders_at_one_price_the_smaller_is_shown() -> None:
    book = {"bids": [[1.5, 3.0], [1.5, 2.0], [1.4, 1.0, 77]], "asks": [[2.0, 1.0], [2.0, 4.0]]}

    texts = book_texts(book, size_decimals=1)

    assert texts["bids"] == [("1.5", "2.0"), ("1.4", "1.0")]
    assert texts["asks"] == [("2.0", "1.0")]


def test_what_is_wrong_is_told_as_it_is() -> None:
    book = {"bids": [[5.0, 1.0], [None, 1.0]], "asks": [[4.0, None]]}

    assert book_texts(book, size_decimals=1) == {
        "bids": [("5.0", "1.0"), ("none", "1.0")],
        "asks": [("4.0", "none")],
    }
    assert book_texts({"bids": None}, size_decimals=1) == {"bids": [], "asks": []}
