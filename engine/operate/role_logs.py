"""Logs of the roles: appended to, and bounded.

A role writes to its file itself, so that a supervisor that hangs holds nobody up. The supervisor
looks at the size from time to time; what is too long is copied aside and cut, which a file opened
for appending survives.
"""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import IO, Final

LOG_BYTES_MAX: Final = 8 << 20
"""A log that is longer is moved aside, where the one before it is replaced."""

LOOK_S: Final = 5.0
TAIL_BYTES: Final = 4_096


def open_log(path: Path) -> IO[bytes]:
    """Open a role's log for appending, moved aside first if it is too long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shorten(path)
    return path.open("ab")


async def keep_short(path: Path | None) -> None:
    """Look after a log, for ever."""
    while path is not None:
        await asyncio.sleep(LOOK_S)
        await asyncio.to_thread(shorten, path)


def shorten(path: Path, *, bytes_max: int = LOG_BYTES_MAX) -> None:
    """Move what a log holds aside if it is too long; on a full disk it is only cut."""
    with contextlib.suppress(OSError):
        if path.stat().st_size <= bytes_max:
            return
        with contextlib.suppress(OSError):
            shutil.copyfile(path, aside_of(path))
        os.truncate(path, 0)


def aside_of(path: Path) -> Path:
    """Return where the older part of a log is."""
    return path.with_name(f"{path.name}.1")


def tail_of(path: Path) -> str:
    """Return the end of a log."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - TAIL_BYTES, 0))
        return file.read().decode(errors="replace")
