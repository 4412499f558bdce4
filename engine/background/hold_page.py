"""The page by which processes push background work aside and see who else does.

A mapped file of whole numbers: which group of processes does the work, and a slot for each holder.
The role `workers` makes it and names the group; a holder locks its slot for life, so that the
system says whether it lives. Only the holder writes its slot, but for `ENDED`, by which the watch
ends a hold. Switches that ended wait in a ring of each slot to be read.

Instants are of the machine's one monotonic clock.
"""

import fcntl
import mmap
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from engine.background.switches import Switch
from engine.domain.errors import BadValueError

MAGIC: Final = 0x5359_4E44_484F_4C44
FORMAT: Final = 1
"""Raised with each change of what lies where, or of `Switch`."""

SLOTS: Final = 8
RING: Final = 64
"""Switches of a slot that may wait to be read; older ones are lost, and counted."""

HOLD_NS_MAX: Final = 10_000_000_000
"""No holder holds so long, nor until so far ahead."""

_NUMBER_MAX: Final = 1 << 62
_WORD: Final = 8
_SLOT_WORDS: Final = 16
_NAME_BYTES: Final = 32
_RECORD_WORDS: Final = 32
_RECORD_BYTES_MAX: Final = (_RECORD_WORDS - 3) * _WORD
_SLOTS_AT: Final = 16
RINGS_AT: Final = _SLOTS_AT + SLOTS * _SLOT_WORDS
PAGE_BYTES: Final = (RINGS_AT + SLOTS * RING * _RECORD_WORDS) * _WORD

_FLOCK: Final = "hhqqi4x"  # struct flock: type, whence, start, length, pid


class PageGoneError(BadValueError):
    """There is no page, or none of this kind."""


class _Head(NamedTuple):
    """Words at the page's beginning."""

    MAGIC: int = 0
    FORMAT: int = 1
    LEADER: int = 8
    """Of the group, 0 while there is none; written last."""
    STARTED: int = 9
    REST_UNTIL: int = 10
    """Nobody begins a hold before."""


HEAD: Final = _Head()


class _Word(NamedTuple):
    """Words of a slot."""

    NUMBER: int = 0
    """Of the newest hold."""
    UNTIL: int = 1
    """When it ends if nothing else comes; 0 while nothing is held."""
    TRIGGERED: int = 2
    KIND: int = 3
    ENDED: int = 4
    """Number of the newest hold that the watch ended."""
    WRITTEN: int = 5
    """How many records were put into the ring."""
    NAME: int = 8


WORD: Final = _Word()


class Page:
    """A page that is mapped here."""

    def __init__(self, path: Path, *, is_made: bool) -> None:
        """Map it.

        Raises:
            PageGoneError: there is none, it is of another format, or it is not this user's.
        """
        self.path: Final = path
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self.file = os.open(path, flags | (os.O_CREAT if is_made else 0), 0o600)
        except OSError as error:
            raise PageGoneError(f"the hold page {path}: {error.strerror}") from error
        try:
            self._own = _checked(self.file, path, is_made=is_made)
            # Memory that is not there when it is written would end the process.
            os.posix_fallocate(self.file, 0, PAGE_BYTES)
            self._map = mmap.mmap(self.file, PAGE_BYTES)
        except OSError as error:
            os.close(self.file)
            raise PageGoneError(f"the hold page {path}: {error.strerror}") from error
        except BaseException:
            os.close(self.file)
            raise
        self.words: Final = memoryview(self._map).cast("q")
        self._bytes = memoryview(self._map)
        if is_made:
            self._make()
        elif (self.words[HEAD.MAGIC], self.words[HEAD.FORMAT]) != (MAGIC, FORMAT):
            self.close()
            raise PageGoneError(f"{path} is no hold page of format {FORMAT}")

    @classmethod
    def make(cls, path: Path) -> "Page":
        """Make a page, or take over one that is there; see `__init__`."""
        with suppress(OSError):
            if path.is_symlink() or path.stat().st_size not in {0, PAGE_BYTES}:
                path.unlink()  # of another format, or nobody's
        return cls(path, is_made=True)

    @classmethod
    def open(cls, path: Path) -> "Page":
        """Map a page that the role `workers` made; see `__init__`."""
        return cls(path, is_made=False)

    def is_current(self) -> bool:
        """Say whether the file is still the one of this name."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return (found.st_ino, found.st_dev) == (self._own.st_ino, self._own.st_dev)

    def announce(self, leader: int, started: int) -> None:
        """Name the group that does background work from now on."""
        self.words[HEAD.LEADER] = 0
        self.words[HEAD.STARTED] = started
        self.words[HEAD.LEADER] = leader

    def withdraw(self) -> None:
        """Say that there is no group."""
        self.words[HEAD.LEADER] = 0

    def announced(self) -> tuple[int, int] | None:
        """Return the leader that is named and when it began; None if there is none."""
        leader, started = self.words[HEAD.LEADER], self.words[HEAD.STARTED]
        return (leader, started) if leader and leader == self.words[HEAD.LEADER] else None

    def slots(self) -> Iterator["Slot"]:
        """Return all slots."""
        return (Slot(self, index) for index in range(SLOTS))

    def is_held_at(self, now_ns: int) -> bool:
        """Say whether somebody holds work at an instant, in times that can be."""
        return any(slot.holds_at(now_ns) for slot in self.slots())

    def take_slot(self, name: str) -> "Slot":
        """Lock a slot for this holder's life.

        Raises:
            PageGoneError: all are taken.
        """
        for slot in self.slots():
            if self._lock(slot.index):
                slot.take(name)
                return slot
        raise PageGoneError(f"all {SLOTS} slots of {self.path} are taken")

    def is_locked(self, index: int) -> bool:
        """Say whether a slot's holder lives; asked by others than that."""
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _lock_at(index), 1, 0)
        answer = fcntl.fcntl(self.file, fcntl.F_OFD_GETLK, asked)
        return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Leave it, and every lock on it."""
        self.words.release()
        self._bytes.release()
        self._map.close()
        os.close(self.file)

    def remove(self) -> None:
        """Leave it and take its name away: there is no background work any more."""
        self.withdraw()
        if self.is_current():
            with suppress(OSError):
                self.path.unlink()
        self.close()

    def write(self, slot: "Slot", switch: Switch) -> None:
        """Put a switch into a slot's ring, over the oldest one if nobody reads it."""
        content = msgspec.msgpack.encode(switch)
        if len(content) > _RECORD_BYTES_MAX:
            content = msgspec.msgpack.encode(msgspec.structs.replace(switch, subject="", led_to=""))
        number = slot.written() + 1
        at = _record_at(slot.index, number)
        self.words[at] = 0
        start = (at + 3) * _WORD
        self._bytes[start : start + len(content)] = content
        self.words[at + 1] = len(content)
        self.words[at + 2] = zlib.crc32(content)
        self.words[at] = number
        self.words[slot.at + WORD.WRITTEN] = number

    def read(self, slot: "Slot", number: int) -> Switch:
        """Return a record of a slot by its number.

        Raises:
            BadValueError: it is not there any more, or damaged.
        """
        at = _record_at(slot.index, number)
        if self.words[at] != number:
            raise BadValueError(f"switch {number} is not there any more")
        length = self.words[at + 1]
        if not 0 < length <= _RECORD_BYTES_MAX:
            raise BadValueError(f"switch {number} says that it has {length} bytes")
        start = (at + 3) * _WORD
        content = bytes(self._bytes[start : start + length])
        if zlib.crc32(content) != self.words[at + 2]:
            raise BadValueError(f"switch {number} is damaged")
        try:
            return msgspec.msgpack.decode(content, type=Switch)
        except msgspec.DecodeError as error:
            raise BadValueError(f"switch {number} cannot be read: {error}") from error

    def _make(self) -> None:
        if (self.words[HEAD.MAGIC], self.words[HEAD.FORMAT]) != (MAGIC, FORMAT):
            self._bytes[:] = bytes(PAGE_BYTES)
            self.words[HEAD.FORMAT] = FORMAT
            self.words[HEAD.MAGIC] = MAGIC
        self.withdraw()
        self.words[HEAD.REST_UNTIL] = 0

    def _lock(self, index: int) -> bool:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _lock_at(index), 1, 0)
        try:
            fcntl.fcntl(self.file, fcntl.F_OFD_SETLK, asked)
        except OSError:
            return False
        return True


class Slot:
    """One holder's part of a page.

    Attributes:
        at: its first word.
    """

    def __init__(self, page: Page, index: int) -> None:
        self.index: Final = index
        self.at: Final = _SLOTS_AT + index * _SLOT_WORDS
        self._page = page
        self._words = page.words

    def take(self, name: str) -> None:
        """Become this holder's; nothing is held."""
        self._words[self.at + WORD.UNTIL] = 0
        start = (self.at + WORD.NAME) * _WORD
        text = name.encode("ascii", "replace")[:_NAME_BYTES]
        self._page._bytes[start : start + _NAME_BYTES] = text.ljust(_NAME_BYTES, b"\0")  # noqa: SLF001 - its own page

    @property
    def name(self) -> str:
        """Who holds, or held it last."""
        start = (self.at + WORD.NAME) * _WORD
        text = bytes(self._page._bytes[start : start + _NAME_BYTES])  # noqa: SLF001 - its own page
        return text.rstrip(b"\0").decode("ascii", "replace")

    def __getitem__(self, word: int) -> int:
        """Return one of its words."""
        return self._words[self.at + word]

    def __setitem__(self, word: int, value: int) -> None:
        """Set one of its words."""
        self._words[self.at + word] = value

    @property
    def is_holding(self) -> bool:
        """Whether it says that it holds, for however long."""
        return self[WORD.UNTIL] != 0 and self[WORD.NUMBER] != self[WORD.ENDED]

    def newest_number(self) -> int:
        """Return a number that each hold from now on is above."""
        return max(
            one if 0 <= one < _NUMBER_MAX else 0 for one in (self[WORD.NUMBER], self[WORD.ENDED])
        )

    def written(self) -> int:
        """Return how many records were put into its ring."""
        written = self[WORD.WRITTEN]
        return written if 0 <= written < _NUMBER_MAX else 0

    def holds_at(self, now_ns: int) -> bool:
        """Say whether it holds now, in times that can be."""
        return self.is_holding and 0 < self[WORD.UNTIL] - now_ns < HOLD_NS_MAX


def _checked(file: int, path: Path, *, is_made: bool) -> os.stat_result:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise PageGoneError(f"the hold page {path} is no plain file of this user's")
    if not is_made and found.st_size != PAGE_BYTES:
        raise PageGoneError(f"the hold page {path} has {found.st_size} bytes, not {PAGE_BYTES}")
    return found


def _lock_at(index: int) -> int:
    return 1 + index


def _record_at(index: int, number: int) -> int:
    return RINGS_AT + (index * RING + number % RING) * _RECORD_WORDS
