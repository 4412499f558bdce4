"""Tells one book: whole at first, then what changed of it since, both as the engine takes them.

Nothing is judged here: a crossed book, an empty side or what is no number is told as it is, and
refused and counted by whoever keeps the book.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from engine.connectors.by_ccxt.exact import price_text, size_text
from engine.connectors.by_ccxt.messages import BOOK, CHANGE, Levels
from engine.domain.errors import BadValueError

LEVELS: Final = 50
"""Levels told of each side, from the touch down."""

Side = dict[object, object]


class BookTeller:
    """The book of one symbol as it was told last.

    Args:
        size_decimals: the least steps of a size that are told.
    """

    def __init__(self, symbol: str, *, size_decimals: int) -> None:
        self._symbol = symbol
        self._size_decimals = size_decimals
        self._told: tuple[Side, Side] | None = None
        self._number = 0

    def tell(self, book: Mapping[str, Any], *, at_ns: int, is_fetched: bool) -> bytes | None:
        """Return the frame that leads to this book; None if nothing changed in a stream's.

        A book that was fetched is told even so: that it is still the same is news.

        Raises:
            BadValueError: it holds what is no level at all.
        """
        sides = _best(book.get("bids")), _best(book.get("asks"))
        told = self._told
        if told is None:
            changes = [self._texts(side) for side in sides]
        else:
            changes = [
                self._texts(_changed(before, now)) for before, now in zip(told, sides, strict=True)
            ]
            if not any(changes):
                if not is_fetched:
                    return None
                changes = [self._texts(dict(islice(sides[0].items(), 1))), []]
        self._told = sides
        self._number += 1
        frame = {
            "type": BOOK if told is None else CHANGE,
            "symbol": self._symbol,
            "before": self._number - 1,
            "number": self._number,
            "at_ns": at_ns,
            "bids": changes[0],
            "asks": changes[1],
        }
        return msgspec.json.encode(frame)

    def _texts(self, side: Side) -> Levels:
        return level_texts(side, size_decimals=self._size_decimals)


def book_texts(book: Mapping[str, Any], *, size_decimals: int) -> dict[str, Levels]:
    """Return a fetched book as text, of as many levels as are told of any.

    Raises:
        BadValueError: it holds what is no level at all.
    """
    return {
        name: level_texts(_best(book.get(name)), size_decimals=size_decimals)
        for name in ("bids", "asks")
    }


def level_texts(side: Side, *, size_decimals: int) -> Levels:
    """Write levels as price and size."""
    return [(price_text(price), size_text(size, size_decimals)) for price, size in side.items()]


def _best(levels: Sequence[Any] | None) -> Side:
    """Return the best levels by price; of several at one price that which shows least.

    Raises:
        BadValueError: one of them is no level at all.
    """
    found: Side = {}
    for level in islice(levels or (), LEVELS):
        try:
            price, size = level[0], level[1]
            known = found.get(price)
        except (TypeError, LookupError) as error:
            raise BadValueError(f"no level of a book: {level!r:.40}") from error
        if isinstance(known, int | float) and isinstance(size, int | float):
            size = min(known, size)
        found[price] = size
    return found


def _changed(before: Side, now: Side) -> Side:
    gone: Side = {price: 0 for price in before if price not in now}
    return gone | {price: size for price, size in now.items() if before.get(price) != size}
