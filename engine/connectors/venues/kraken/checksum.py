"""Kraken's checksum of a book: the ten best levels a side, asks first, their digits in one row.

Of a price and a size the decimal point goes, and the zeros before the first digit: what is left is
the count of the least steps that the wire writes.
"""

import zlib
from collections.abc import Sequence
from typing import Final

CHECKED_LEVELS: Final = 10


def checksum_of(bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> int:
    """Return the checksum of a book by its best (price_steps, size_steps), best first."""
    digits = [f"{price}{size}" for price, size in (*asks[:CHECKED_LEVELS], *bids[:CHECKED_LEVELS])]
    return zlib.crc32("".join(digits).encode())
