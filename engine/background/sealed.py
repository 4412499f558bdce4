"""Bytes that say what they are: kept and read again by other processes and later versions.

Whatever was torn, mixed up or written by something else does not pass its digest, which covers the
header, the task's name and the content. Of the content it covers a checksum of 32 bits, which reads
four times as fast: what is damaged passes once in four billion times.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from engine.domain.errors import BadValueError

FORMAT: Final = 2
_WHOLE_DIGESTS: Final = 1
"""The format in which the digest covers the content itself; still read."""
_MAGIC: Final = b"SYNDKEPT"
_HEADER: Final = struct.Struct("<8sHHIQq16sQ")
_DIGEST_BYTES: Final = 16
OVERHEAD_BYTES: Final = _HEADER.size + _DIGEST_BYTES
RUN_ID_BYTES: Final = 16


class GarbageError(BadValueError):
    """What was read is not what was written."""


class Kind(IntEnum):
    """What is sealed."""

    STATE = 1
    """In which a run may be held."""
    LEARNED = 2
    """What the last run that ended passed on."""
    GIVEN = 3
    """What the run under way was given."""
    RESULT = 4
    """What it ended with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Content with what is known about it.

    Attributes:
        version: of the task that wrote it.
        sequence: rises from one writing of a task to the next, in whatever place it is kept.
        at_ns: when it was written, by the wall clock of then.
        run: which run it belongs to.
    """

    kind: Kind
    task: str
    version: int
    sequence: int
    at_ns: int
    run: bytes
    content: bytes | memoryview

    def head(self) -> bytes:
        """Return the bytes before the content."""
        header = _HEADER.pack(
            *(_MAGIC, FORMAT, self.kind, self.version, self.sequence, self.at_ns, self.run),
            len(self.content),
        )
        return header + _digest(FORMAT, header, self.task, self.content)

    def encode(self) -> bytes:
        """Return the bytes from which `unseal` makes it again."""
        return self.head() + self.content


def unseal(raw: bytes | memoryview, *, kind: Kind, task: str) -> Sealed | None:
    """Read what `Sealed.encode` gave; None if there is nothing but zeros or no byte at all.

    Bytes beyond its end are left over from something longer and no part of it. The content is not
    copied: it stays a part of what was read.

    Raises:
        GarbageError: it is something else.
    """
    if len(raw) < OVERHEAD_BYTES:
        if len(raw) == 0:
            return None
        raise GarbageError(f"{len(raw)} bytes are too few for a {kind.name.lower()} of {task}")
    header = bytes(raw[: _HEADER.size])
    magic, form, found, version, sequence, at_ns, run, length = _HEADER.unpack(header)
    if not any(header):
        return None
    if magic != _MAGIC:
        raise GarbageError(f"the {kind.name.lower()} of {task} begins with {magic!r}")
    if form not in {FORMAT, _WHOLE_DIGESTS}:
        raise GarbageError(f"the {kind.name.lower()} of {task} is of format {form}, not {FORMAT}")
    if length > len(raw) - OVERHEAD_BYTES:
        raise GarbageError(
            f"the {kind.name.lower()} of {task} says that it has {length} bytes; "
            f"there are {len(raw) - OVERHEAD_BYTES}"
        )
    content = memoryview(raw)[OVERHEAD_BYTES : OVERHEAD_BYTES + length]
    digest = _digest(form, header, task, content)
    if found != kind or raw[_HEADER.size : OVERHEAD_BYTES] != digest:
        raise GarbageError(f"the {kind.name.lower()} of {task} does not pass its digest")
    return Sealed(
        kind=kind,
        task=task,
        version=version,
        sequence=sequence,
        at_ns=at_ns,
        run=run,
        content=content,
    )


def claimed(head: bytes) -> tuple[int, int]:
    """Return sequence and length by something's own word, which may be anything."""
    _, _, _, _, sequence, _, _, length = _HEADER.unpack(head[: _HEADER.size])
    return sequence, OVERHEAD_BYTES + length


def next_sequence(last: int, *, at_ns: int) -> int:
    """Return the number of what is written after `last`.

    It follows the clock, so that what is written after everything here was lost comes after copies
    that are kept elsewhere; a clock that was set back is not followed.
    """
    return max(last + 1, at_ns, 1)


def _digest(form: int, header: bytes, task: str, content: bytes | memoryview) -> bytes:
    digest = hashlib.blake2b(header, digest_size=_DIGEST_BYTES, key=task.encode()[:64])
    if form == _WHOLE_DIGESTS:
        digest.update(content)
    else:
        digest.update(zlib.crc32(content).to_bytes(4))
    return digest.digest()
