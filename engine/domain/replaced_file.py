"""Small files that are put in the place of others: the old one or the new one, and never a half.

A name is durable once its folder is synced. Without that a loss of power can bring back what was
replaced: a secret that somebody changed, a key that was taken away, a latch that was set.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

_MODE: Final = 0o600


def replace_file(path: Path, content: bytes) -> None:
    """Put a file that this user alone may read in the place of what is there, for good.

    Args:
        path: of the file; its folder is there.
        content: all of it.

    Raises:
        OSError: it is not known to be there; what is there is the old file or the new one, whole.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        with os.fdopen(file, "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a loss of power; raises `OSError`."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
