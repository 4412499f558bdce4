"""The format of recordings: every input of a run, and every decision, in order.

A run is a folder ``<run id>`` of segments ``000001.zst``, each one zstd stream of entries:
``seq (8) | kind (1) | stream (2) | at_ns (8) | key bytes (2) | payload bytes (4)``, key, payload.
The key of a frame that waited to be taken is the time it was received at; `at_ns` is its turn.
The first entry of a segment is the header: the run's whole configuration as JSON. In all but the
first it is followed by a checkpoint, the state of the core, so that a replay may begin at any. A
segment that a crash cut short is read up to its last whole entry.
"""

import contextlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import zstandard

from engine.domain.errors import BadValueError

FORMAT_VERSION: Final = 6
INPUTS_MAX: Final = 99
"""Entries of kinds up to this are inputs."""
ENTRY: Final = struct.Struct("<QBHqHI")
SUFFIX: Final = ".zst"

_READ_BYTES: Final = 1 << 20
_PAYLOAD_BYTES_MAX: Final = 1 << 26
_WINDOW_BYTES_MAX: Final = 1 << 25


class EntryKind(IntEnum):
    """Kinds of entries beside the inputs, whose numbers are those of `core/input_list.py`."""

    HEADER = 100
    OBSERVED = 101
    """What the core saw of the world while it took the input before: `key` is what, payload the
    answer (the kill latch, the ledger's backlog)."""
    DECIDED = 102
    """A line of the decision log that the input before led to."""
    ENDED = 103
    """The run was closed in order."""
    CHECKPOINT = 104
    """The core as it was after the input of this number, see `core/checkpoint.py`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `stream` is the number of the connection that an input came from.

    Attributes:
        kind: that of an input, or an `EntryKind`.
    """

    seq: int
    kind: int
    stream: int
    at_ns: int
    key: str
    payload: bytes

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the core."""
        return self.kind <= INPUTS_MAX


def encode_entry(  # noqa: PLR0917 - an entry's fields in their order, on the hot path
    seq: int, kind: int, stream: int, at_ns: int, key: bytes, payload: bytes
) -> bytes:
    """Encode one entry."""
    return ENTRY.pack(seq, kind, stream, at_ns, len(key), len(payload)) + key + payload


def encode_beginning(header: bytes, seq: int, state: Sequence[bytes]) -> list[bytes]:
    """Encode what a segment begins with, in pieces that are not copied.

    Args:
        header: an encoded header.
        seq: number of the last input.
        state: the pieces of a checkpoint, if there is one. One that is too large is left out.
    """
    beginning = [encode_entry(0, EntryKind.HEADER, 0, 0, b"", header)]
    length = sum(map(len, state))
    if 0 < length <= _PAYLOAD_BYTES_MAX:
        beginning.append(ENTRY.pack(seq, EntryKind.CHECKPOINT, 0, 0, 0, length))
        beginning += state
    return beginning


def segments_of(path: Path) -> list[Path]:
    """Return the segments of a run's folder in order, or the file itself.

    Raises:
        BadValueError: there is nothing to read.
    """
    if path.is_file():
        return [path]
    found = sorted(path.glob(f"*{SUFFIX}"))
    if not found:
        raise BadValueError(f"{path} holds no recording: no *{SUFFIX} file is in it")
    return found


def number_of(segment: Path) -> int:
    """Return the number of a segment's file, 0 if its name is none."""
    stem = segment.name.removesuffix(SUFFIX)
    return int(stem) if stem.isdecimal() else 0


def read_entries(path: Path, *, first: int = 0) -> Iterator[Entry]:
    """Read all entries of a run's folder (or of one segment file), in order.

    Args:
        path: where they are.
        first: number of the segment to begin at, if not the first that is there.

    Raises:
        BadValueError: a file is no recording, or one is missing.
    """
    segments = [one for one in segments_of(path) if path.is_file() or number_of(one) >= first]
    if not segments or (first and number_of(segments[0]) != first):
        raise BadValueError(f"{path} has no segment {first}")
    for place, segment in enumerate(segments):
        number = number_of(segments[0]) + place
        if place and number_of(segment) != number:
            raise BadValueError(
                f"{path} has no segment {number}; FROM={number_of(segment)} begins behind the hole"
            )
        try:
            yield from _read_segment(segment)
        except BadValueError as error:
            if segment is segments[-1]:
                raise
            raise BadValueError(f"{error}; FROM={number + 1} begins behind it") from error


def segment_before(path: Path, seq: int) -> int:
    """Return the number of the last segment of a run that begins before an input; 0 if none says.

    Raises:
        BadValueError: there is nothing to read.
    """
    for segment in reversed(segments_of(path)):
        entries = _read_segment(segment)
        with contextlib.suppress(BadValueError, StopIteration):
            next(entries)
            entry = next(entries)
            if entry.kind == EntryKind.CHECKPOINT and entry.seq < seq:
                return number_of(segment)
    return 0


def _read_segment(path: Path) -> Iterator[Entry]:
    buffered = bytearray()
    for chunk in _decompressed(path):
        buffered += chunk
        position = 0
        while len(buffered) - position >= ENTRY.size:
            seq, kind, stream, at_ns, key_length, length = ENTRY.unpack_from(buffered, position)
            if length > _PAYLOAD_BYTES_MAX:
                raise BadValueError(f"{path} is damaged: an entry claims {length} bytes")
            end = position + ENTRY.size + key_length + length
            if len(buffered) < end:
                break
            key_start = position + ENTRY.size
            payload_start = key_start + key_length
            try:
                yield Entry(
                    seq,
                    kind if kind <= INPUTS_MAX else EntryKind(kind),
                    stream,
                    at_ns,
                    bytes(buffered[key_start:payload_start]).decode(),
                    bytes(buffered[payload_start:end]),
                )
            except ValueError as error:
                raise BadValueError(f"{path} is damaged: {error}") from error
            position = end
        del buffered[:position]


def _decompressed(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX).stream_reader(
            file, read_across_frames=True
        )
        try:
            while chunk := reader.read(_READ_BYTES):
                yield chunk
        except zstandard.ZstdError as error:
            raise BadValueError(f"{path} is no recording, or is damaged: {error}") from error
