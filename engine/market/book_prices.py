"""What assets are worth by the books of a running engine, for another process that wants few.

It reads the shared price matrix without arrays and kernels: the whole file twice, and takes the
rows that are the same in both and at rest, as the writer's sequences say. A price is the middle of
what fresh books say; one that is too old is none. It chooses, and nothing is traded by it.
"""

import logging
import math
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.errors import SyndicateError
from engine.domain.units import NS_PER_S
from engine.kernels.matrix_layout import (
    FORMAT,
    HEADER,
    HEADER_BYTES,
    KIND,
    MAGIC,
    ROW,
    ROW_BYTES,
    ROW_WORDS,
    rows_at,
)
from engine.market.matrix_file import is_locked, opened

log = logging.getLogger(__name__)

AGE_S_MAX: Final = 120
"""A book that did not change for so long gives no price."""

READ_AGAIN_S: Final = 2
FILE_BYTES_MAX: Final = 32 * 1024 * 1024
USD: Final = AssetCode("USD")
_BOOK: Final = "book"


class _Mid(NamedTuple):
    base: str
    quote: str
    price: float


class BookPrices:
    """Values assets by an engine's books.

    Args:
        path: of the price matrix.
        now_ns: the time by which its rows are dated.

    Attributes:
        trouble: why there are no prices; empty if there are.
    """

    def __init__(self, path: Path, now_ns: Callable[[], int]) -> None:
        self.trouble = "no engine was asked yet"
        self._path = path
        self._now_ns = now_ns
        self._usd: dict[str, float] = {}
        self._read_at_ns = -(10**18)

    def usd_of(self, asset: AssetCode) -> Decimal | None:
        """Return what one unit is worth in dollars, None if no fresh book says it."""
        now_ns = self._now_ns()
        if abs(now_ns - self._read_at_ns) >= READ_AGAIN_S * NS_PER_S:
            self._read_at_ns = now_ns
            self._usd = self._read(now_ns)
        usd = self._usd.get(asset)
        return None if usd is None else Decimal(repr(usd))

    def _read(self, now_ns: int) -> dict[str, float]:
        try:
            first, second = _copies(self._path)
            mids = list(_mids(first, second, now_ns - AGE_S_MAX * NS_PER_S))
        except (SyndicateError, OSError, ValueError) as error:
            self.trouble = str(error)
            log.debug("no prices of books: %s", error)
            return {}
        self.trouble = "" if mids else "no book is fresh"
        return _usd_by(mids)


def _copies(path: Path) -> tuple[bytes, bytes]:
    """Read the file twice, while its writer lives.

    Raises:
        SyndicateError: there is none, it is nobody's, or not ours.
        OSError: it cannot be read.
        ValueError: it is no price matrix.
    """
    with opened(path, is_writer=False) as file:
        size = os.fstat(file).st_size
        if not HEADER_BYTES <= size <= FILE_BYTES_MAX:
            raise ValueError(f"{path} has {size} bytes")
        if not is_locked(file):
            raise ValueError(f"no engine writes {path} now")
        first, second = os.pread(file, size, 0), os.pread(file, size, 0)
        os.close(file)  # had it failed, it would be closed by now
    return first, second


def _mids(first: bytes, second: bytes, changed_ns_min: int) -> Iterator[_Mid]:
    """Give the mid price of each book that is at rest, live and fresh.

    Raises:
        ValueError: this is no price matrix.
    """
    header = struct.unpack_from("=8q", first)
    same = struct.unpack_from("=8q", second)
    rows, length = header[HEADER.ROWS], header[HEADER.PLACES_BYTES]
    if header != same or header[HEADER.GENERATION] & 1:
        raise ValueError("another engine takes the prices over just now")
    if header[HEADER.MAGIC] != MAGIC or header[HEADER.FORMAT] != FORMAT:
        raise ValueError("this is no price matrix, or one of another version")
    if not 0 < rows <= len(first) // ROW_BYTES or length < 0:
        raise ValueError(f"a price matrix of {rows} rows and {length} bytes of names")
    start = rows_at(rows)
    names_at = start + rows * ROW_BYTES
    if names_at + length > min(len(first), len(second)):
        raise ValueError(f"a price matrix of {rows} rows is longer than its file")
    places = msgspec.json.decode(
        first[names_at : names_at + length], type=list[tuple[str, str, str, str]]
    )
    for row, (_, kind, base, quote) in zip(range(rows), places, strict=False):
        at = start + row * ROW_BYTES
        words = first[at : at + ROW_BYTES]
        if kind == _BOOK and words == second[at : at + ROW_BYTES]:
            price = _price(words, changed_ns_min)
            if price is not None:
                yield _Mid(base, quote, price)


def _price(words: bytes, changed_ns_min: int) -> float | None:
    whole = struct.unpack(f"={ROW_WORDS}q", words)
    if whole[ROW.SEQUENCE] & 1 or not whole[ROW.IS_LIVE] or whole[ROW.KIND] != KIND.BOOK:
        return None
    if whole[ROW.CHANGED_AT_NS] < changed_ns_min:
        return None
    bid, ask = struct.unpack_from("=2d", words, 8 * ROW.BID)
    mid = (bid + ask) / 2
    return mid if 0 < bid <= ask and math.isfinite(mid) else None


def _usd_by(mids: Sequence[_Mid]) -> dict[str, float]:
    """Return what each asset is worth: by its books in dollars, else through one more book."""
    direct: dict[str, list[float]] = {}
    for one in mids:
        if one.quote == USD:
            direct.setdefault(one.base, []).append(one.price)
    usd = {str(USD): 1.0} | {asset: median(prices) for asset, prices in direct.items()}
    through: dict[str, list[float]] = {}
    for one in mids:
        if one.base not in usd and one.quote in usd:
            through.setdefault(one.base, []).append(one.price * usd[one.quote])
        if one.quote not in usd and one.base in usd:
            through.setdefault(one.quote, []).append(usd[one.base] / one.price)
    return usd | {asset: median(prices) for asset, prices in through.items()}
