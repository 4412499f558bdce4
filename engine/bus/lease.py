"""Leases: which process is the one ledger, engine or chat of an installation.

A lease is a file that its holder keeps locked for life. The system takes the lock back with the
process, however it ends; a process that is merely stopped keeps it. What the file says is the
process that holds it, or held it last. A file that was removed is nobody's lease any more: the
next process makes another one, so a holder looks before it acts whether it still is the holder.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.domain.errors import FatalError, SupersededError

PID_BYTES_MAX: Final = 32


class HeldByAnotherError(FatalError):
    """Another process holds a lease.

    Attributes:
        holder: its id, or a word that it is not known.
    """

    def __init__(self, text: str, holder: str) -> None:
        super().__init__(text)
        self.holder = holder


class Lease:
    """A lease that this process took; made by `held_lease`."""

    def __init__(self, path: Path, file: int, *, what: str) -> None:
        self._path = os.fspath(path)
        self._own = os.fstat(file)
        self._what = what
        self._unseen: str | None = None

    def is_held(self) -> bool:
        """Say whether this process is still the holder; costs two microseconds.

        The number of a file that is open here is given to no other file.
        """
        try:
            found = os.stat(self._path)  # noqa: PTH116 - asked for every plan, in half the time
        except OSError as error:
            self._unseen = error.strerror
            return False
        self._unseen = None
        return found.st_ino == self._own.st_ino and found.st_dev == self._own.st_dev

    def check(self) -> None:
        """Raise `SupersededError` if this process is not the holder any more."""
        if not self.is_held():
            why = "" if self._unseen is None else f" ({self._unseen})"
            raise SupersededError(
                f"its lease {self._path} was taken from this {self._what} (process {os.getpid()})"
                f"{why}: it stops at once, so that no two act"
            )


async def keep(lease: Lease, *, every_s: float) -> None:
    """Look again and again whether this still is the one; raises `SupersededError` if not."""
    while True:
        await asyncio.sleep(every_s)
        lease.check()


@contextmanager
def held_lease(path: Path, *, what: str) -> Iterator[Lease]:
    """Hold a lease until the block ends; the file stays.

    Args:
        path: the file; its folder is made if it is missing.
        what: whose lease it is, for people: "engine".

    Raises:
        HeldByAnotherError: another process holds it.
        FatalError: the file cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _open(path)
    except OSError as error:
        raise FatalError(
            f"the {what} cannot use {path.parent}: {error.strerror}; "
            "make it a directory that this user may write to, or choose another"
        ) from error
    try:
        _take(file, path, what)
        yield Lease(path, file, what=what)
    finally:
        os.close(file)


def read_holder(file: int) -> str:
    """Return the process that an open lease names: its id, or a word that it is not known."""
    return os.pread(file, PID_BYTES_MAX, 0).decode(errors="replace").strip() or "unknown"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(file: int, path: Path, what: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = read_holder(file)
        raise HeldByAnotherError(
            f"another {what} (process {pid}) already runs on {path.parent}; "
            f"stop process {pid} first, or choose another data directory",
            pid,
        ) from error
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise FatalError(
            f"the {what} cannot write {path}: {error.strerror}; free space on its disk, start again"
        ) from error
