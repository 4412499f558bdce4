"""The file behind the shared price matrix: mapping it, whose it is, and what is wrong with it.

A plain mapped file, not `multiprocessing.shared_memory`, whose resource tracker unlinks a block
when a reader ends. The file stays when its writer is killed, and the next writer takes it over in
place. A lock of the operating system, gone with the process, says whether a writer lives.
"""

import fcntl
import hashlib
import mmap
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from engine.bus.shared_file import shared_file
from engine.domain.errors import BadValueError, FatalError, TransientError
from engine.domain.instruments import Instrument
from engine.kernels.matrix_layout import FORMAT, HEADER, HEADER_BYTES, MAGIC, ROW_BYTES, rows_at

ROWS_MAX: Final = 65_536
NAME_MAX: Final = 200
"""Most characters of a place's name, base or quote."""

Words = npt.NDArray[np.int64]

_FLOCK: Final = "hhqqi4x"  # struct flock: type, whence, start, length, pid


class WriterGoneError(TransientError):
    """The writer closed or died: prices are no longer kept up. Open again when one is back."""


class BlockReplacedError(TransientError):
    """Another writer took the block over, with rows of its own: open it again."""


class RowBusyError(TransientError):
    """A row did not come to rest within the limit: its writer is stopped within a change."""


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


def shared_path(run_dir: Path) -> Path:
    """Return where the matrix of an installation lies."""
    return shared_file(run_dir, "prices")


@contextmanager
def opened(path: Path, *, is_writer: bool) -> Iterator[int]:
    """Open the file, closed again if what follows fails; a writer makes it if it is missing.

    Raises:
        FatalError: it cannot be opened, or is no plain file of this user.
        WriterGoneError: a reader found no file.
    """
    flags = (os.O_RDWR | os.O_CREAT) if is_writer else os.O_RDONLY
    try:
        file = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except FileNotFoundError as error:
        if is_writer:
            raise FatalError(f"the folder of the price matrix {path} is missing") from error
        raise WriterGoneError(f"no price matrix at {path}; no engine has made it yet") from error
    except OSError as error:
        raise FatalError(f"the price matrix {path} cannot be opened: {error.strerror}") from error
    try:
        _check_owner(file, path)
        yield file
    except BaseException:
        os.close(file)
        raise


def _check_owner(file: int, path: Path) -> None:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise FatalError(
            f"the price matrix {path} is no plain file of user {os.geteuid()}; "
            "someone else put it there: remove it"
        )


def lock(file: int, path: Path) -> None:
    """Become the one writer, until the file is closed or the process ends.

    Raises:
        FatalError: another writer lives, or has just removed the file.
    """
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK))
    except (BlockingIOError, PermissionError) as error:
        raise FatalError(
            f"another engine writes the price matrix {path}; stop it first, or choose another path"
        ) from error
    # A writer that closed meanwhile may have taken the file's name away: nobody would find it.
    if not path.exists() or not os.path.samestat(path.stat(), os.fstat(file)):
        raise FatalError(f"another engine has just closed the price matrix {path}; start again")


def is_locked(file: int) -> bool:
    """Say whether a writer, other than by this very file descriptor, lives."""
    answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _flock(fcntl.F_RDLCK))
    return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)


def _flock(kind: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)


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
