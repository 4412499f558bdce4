"""The block of the shared price matrix: its mapping, its places, and what is wrong with it.

A plain mapped file, not `multiprocessing.shared_memory`, whose resource tracker unlinks a block
when a reader ends. The file stays when its writer is killed, and the next writer takes it over in
place. Whose it is, `matrix_file` says.
"""

import hashlib
import mmap
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument
from engine.kernels.matrix_layout import FORMAT, HEADER, HEADER_BYTES, MAGIC, ROW_BYTES, rows_at

ROWS_MAX: Final = 65_536
NAME_MAX: Final = 200
"""Most characters of a place's name, base or quote."""

Words = npt.NDArray[np.int64]


class RowKind(StrEnum):
    """What a row stands for."""

    BOOK = "book"
    POOL = "pool"
    FORMER = "former"
    """A book's row of rules that are not in force now: always absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A book or pool that has a row.

    Attributes:
        name: a book's venue, or what a pool is called.
        base, quote: the assets between which it trades; price is quote per base.
    """

    name: str
    kind: RowKind
    base: str
    quote: str

    def __post_init__(self) -> None:
        for what in ("name", "base", "quote"):
            value = getattr(self, what)
            if not 0 < len(value) <= NAME_MAX:
                raise BadValueError(
                    f"{what} of a place has {len(value)} characters; it must have 1 to {NAME_MAX}"
                )
        if self.base == self.quote:
            raise BadValueError(f"place {self.name} trades {self.base} for itself")

    def __str__(self) -> str:
        return f"{self.base}-{self.quote} at {self.name}"

    @classmethod
    def of(cls, instrument: Instrument, kind: RowKind = RowKind.BOOK) -> "Place":
        """Return the place of an instrument's book."""
        pair = instrument.pair
        return cls(name=instrument.venue, kind=kind, base=pair.base, quote=pair.quote)


def map_words(file: int, *, is_writer: bool) -> Words:
    """Map the file's whole words; unmapped when the last array on them is gone."""
    access = mmap.ACCESS_WRITE if is_writer else mmap.ACCESS_READ
    mapping = mmap.mmap(file, 0, access=access)
    return np.frombuffer(mapping, np.int64, count=len(mapping) // 8)


def address_of(array: npt.NDArray[np.int64]) -> int:
    """Return where an array's memory begins."""
    return int(array.__array_interface__["data"][0])


def run_hash(run_id: str) -> int:
    """Return the number by which a block names its writer's run."""
    digest = hashlib.sha256(run_id.encode()).digest()[:8]
    return int.from_bytes(digest, "little", signed=True)


def encode_places(places: list[Place]) -> bytes:
    """Return the places as the block holds them."""
    return msgspec.json.encode([(one.name, one.kind, one.base, one.quote) for one in places])


def decode_places(words: Words, rows: int, length: int) -> tuple[Place, ...]:
    """Return the places of a mapped block.

    Raises:
        BadValueError: they are not as `encode_places` wrote them.
    """
    start = places_at(rows)
    text = words.view(np.uint8)[start : start + length].tobytes()
    try:
        found = msgspec.json.decode(text, type=list[tuple[str, RowKind, str, str]])
    except msgspec.DecodeError as error:
        raise BadValueError(f"the names of the matrix's rows are damaged: {error}") from error
    if len(found) != rows:
        raise BadValueError(f"the matrix has {rows} rows and {len(found)} names of them")
    return tuple(
        Place(name=name, kind=kind, base=base, quote=quote) for name, kind, base, quote in found
    )


def places_at(rows: int) -> int:
    """Return the offset of the places in a block, in bytes."""
    return rows_at(rows) + ROW_BYTES * rows


def size_of(rows: int, places_bytes: int) -> int:
    """Return the least size of a block, in bytes: whole words."""
    return places_at(rows) + -(-places_bytes // 8) * 8


def check_header(words: Words, path: Path) -> None:
    """Check that a mapped file is a matrix of this format and as large as it says.

    Raises:
        BadValueError: it is not.
    """
    size = words.nbytes
    if size < HEADER_BYTES:
        raise BadValueError(f"{path} has {size} bytes; a price matrix has {HEADER_BYTES} at least")
    if words[HEADER.MAGIC] != MAGIC:
        raise BadValueError(
            f"{path} is no price matrix: it begins with {int(words[0]):#x}, not {MAGIC:#x}"
        )
    if words[HEADER.FORMAT] != FORMAT:
        raise BadValueError(
            f"{path} is a price matrix of format {int(words[HEADER.FORMAT])}; this program "
            f"reads format {FORMAT}: run the engine and its readers in one version"
        )
    rows, length = int(words[HEADER.ROWS]), int(words[HEADER.PLACES_BYTES])
    if not 0 < rows <= ROWS_MAX or length < 0 or size < size_of(rows, length):
        raise BadValueError(
            f"{path} says that it has {rows} rows and {length} bytes of names, which do not fit "
            f"its {size} bytes; remove it and start the engine again"
        )
