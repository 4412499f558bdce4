"""The file of the shared price matrix: where it lies, whose it is, and whether its writer lives.

A lock of the operating system, gone with the process, says whether a writer lives. Who only looks
at a few prices needs no more than this, and no arrays.
"""

import fcntl
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.bus.shared_file import shared_file
from engine.domain.errors import FatalError, TransientError

_FLOCK: Final = "hhqqi4x"  # struct flock: type, whence, start, length, pid


class WriterGoneError(TransientError):
    """The writer closed or died: prices are no longer kept up. Open again when one is back."""


class BlockReplacedError(TransientError):
    """Another writer took the block over, with rows of its own: open it again."""


class RowBusyError(TransientError):
    """A row did not come to rest within the limit: its writer is stopped within a change."""


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
