"""One ledger per data directory: a lock of the operating system, gone with the process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.domain.errors import FatalError

LOCK_NAME = "ledger.lock"


@contextmanager
def held_lock(data_dir: Path) -> Iterator[None]:
    """Hold the ledger's lock; the file stays and names the process that held it last.

    Raises:
        FatalError: another process holds it, or the directory cannot be written to.
    """
    path = data_dir / LOCK_NAME
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FatalError(
            f"the ledger cannot use {data_dir}: {error.strerror}; "
            "make it a directory that this user may write to, or choose another"
        ) from error
    try:
        _take(file, path)
        yield
    finally:
        os.close(file)


def _take(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
        raise FatalError(
            f"another ledger (process {pid}) already uses {path.parent}; "
            f"stop process {pid} first, or choose another data directory"
        ) from error
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise FatalError(
            f"the ledger cannot write {path}: {error.strerror}; free space on its disk, start again"
        ) from error
