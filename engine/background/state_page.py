"""A page in shared memory on which a state is kept twice: whoever is killed leaves one whole.

A writer changes the older half only. The halves lie in a file that is mapped, so what was written
is there for every other process at once and outlives any of them.
"""

import contextlib
import fcntl
import io
import mmap
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from engine.background.ports import STATE_BYTES_MAX
from engine.background.sealed import (
    OVERHEAD_BYTES,
    GarbageError,
    Kind,
    Sealed,
    claimed,
    next_sequence,
    unseal,
)
from engine.domain.errors import BadValueError, TransientError

HALF_BYTES: Final = -(-(STATE_BYTES_MAX + OVERHEAD_BYTES) // mmap.PAGESIZE) * mmap.PAGESIZE
PAGE_BYTES: Final = 2 * HALF_BYTES
"""Only what is written takes room, on the disk and in memory."""
LOCK_S: Final = 20.0
"""So long a writer waits for the one before it, which was killed and has yet to go."""


class StateTooLargeError(BadValueError):
    """A task has more to keep than it may."""


def check_size(content: bytes, *, task: str, what: str) -> None:
    """Raise `StateTooLargeError` if a state may not be kept."""
    if len(content) > STATE_BYTES_MAX:
        raise StateTooLargeError(
            f"the {what} of {task} has {len(content):,} bytes; {STATE_BYTES_MAX:,} are allowed"
        )


def read_page(path: Path, *, kind: Kind, task: str) -> tuple[Sealed | None, list[str]]:
    """Return the newest state that is whole, and what is wrong with others.

    The file is read and not mapped: of one that somebody shortens no process dies.
    """
    _, newest, faults = _find_newest(path, kind=kind, task=task)
    return newest, faults


def _find_newest(path: Path, *, kind: Kind, task: str) -> tuple[int, Sealed | None, list[str]]:
    """Return which half has the newest whole state, that, and what is wrong with others.

    What says of itself that it is the newest is looked at first; the other one only if it lies.
    """
    faults: list[str] = []
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return 0, None, faults
    except OSError as error:
        return 0, None, [f"{path.name} cannot be read: {error.strerror}"]
    with file:
        for half in sorted((0, 1), key=lambda one: _claimed(file, one)[0], reverse=True):
            try:
                found = unseal(_read(file, half), kind=kind, task=task)
            except (GarbageError, OSError) as error:
                faults.append(str(error))
            else:
                if found is not None:
                    return half, found, faults
    return 0, None, faults


def _claimed(file: io.FileIO, half: int) -> tuple[int, int]:
    """Return sequence and length of a half by its own word; -1 and 0 where nothing is."""
    file.seek(half * HALF_BYTES)
    head = file.read(OVERHEAD_BYTES)
    return claimed(head) if len(head) == OVERHEAD_BYTES and any(head) else (-1, 0)


def _read(file: io.FileIO, half: int) -> bytes:
    """Read a half, as far as it is written by its own word."""
    _, length = _claimed(file, half)
    file.seek(half * HALF_BYTES)
    return file.read(min(length, HALF_BYTES))


class StatePage:
    """The one writer of a page; made by `open_page`."""

    def __init__(
        self,
        file: int,
        memory: mmap.mmap,
        *,
        kind: Kind,
        task: str,
        half: int,
        found: Sealed | None,
        clock: Callable[[], int],
    ) -> None:
        self._file = file
        self._memory = memory
        self._kind = kind
        self._task = task
        self._half = half
        self.found: Final = found
        """The newest state when it was opened."""
        self.sequence = 0 if found is None else found.sequence
        self._clock = clock
        self._room = [0, 0]

    def write(self, content: bytes, *, version: int, run: bytes) -> None:
        """Keep a state in place of the older of the two.

        Raises:
            StateTooLargeError: it is larger than any may be.
            TransientError: there is no room for it.
        """
        check_size(content, task=self._task, what=self._kind.name.lower())
        at_ns = self._clock()
        sealed = Sealed(
            kind=self._kind,
            task=self._task,
            version=version,
            sequence=next_sequence(self.sequence, at_ns=at_ns),
            at_ns=at_ns,
            run=run,
            content=content,
        )
        self.put(sealed)

    def put(self, sealed: Sealed) -> None:
        """Keep what was sealed elsewhere; see `write`."""
        head, content = sealed.head(), sealed.content
        half = 1 - self._half
        self._make_room(half, len(head) + len(content))
        # The head comes last: until then this half says that there is nothing in it.
        start = half * HALF_BYTES
        at = start + len(head)
        self._memory[start:at] = bytes(len(head))
        self._memory[at : at + len(content)] = content
        self._memory[start:at] = head
        self._half, self.sequence = half, sealed.sequence

    def sync(self) -> None:
        """Return when what was written outlives the machine's end too."""
        os.fdatasync(self._file)

    def _make_room(self, half: int, size: int) -> None:
        """Let the file have the room: a store into what the disk does not have would be the end."""
        if size <= self._room[half]:
            return
        room = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        try:
            os.posix_fallocate(self._file, half * HALF_BYTES, room)
        except OSError as error:
            raise TransientError(
                f"no room for {size:,} bytes of {self._task}'s {self._kind.name.lower()}: "
                f"{error.strerror}"
            ) from error
        self._room[half] = room


@contextlib.contextmanager
def open_page(
    path: Path, *, kind: Kind, task: str, clock: Callable[[], int] = time.time_ns
) -> Iterator[StatePage]:
    """Become the one writer of a page until the block ends.

    Raises:
        TransientError: another writer lives, or the file cannot be made.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise TransientError(f"{path.name} cannot be written: {error.strerror}") from error
    try:
        _lock(file, path)
        half, newest, _ = _find_newest(path, kind=kind, task=task)
        try:
            if os.fstat(file).st_size != PAGE_BYTES:
                os.ftruncate(file, PAGE_BYTES)
            memory = mmap.mmap(file, PAGE_BYTES)
        except OSError as error:
            raise TransientError(f"{path.name} cannot be written: {error.strerror}") from error
        with memory:
            yield StatePage(
                file,
                memory,
                kind=kind,
                task=task,
                half=half,
                found=newest,
                clock=clock,
            )
    finally:
        os.close(file)


def _lock(file: int, path: Path) -> None:
    """Wait for the writer before this one to be gone."""
    until_s = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until_s:
                raise TransientError(f"another process writes {path.name}") from error
            time.sleep(0.005)
        else:
            return
