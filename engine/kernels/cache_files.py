"""Numba's files of compiled functions, safe where several processes compile at once.

Numba looks for a free file name, then writes: two processes that save one helper for different
types could give both files one name, and a call would run what was compiled for other types.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numba.core import caching


class SharedCacheFiles(caching.IndexDataCacheFile):
    """The index and the files of one function; one process at a time reads or writes."""

    def save(self, key: object, data: object) -> None:
        """Save what was compiled for a signature."""
        with _held(Path(self._cache_path)):
            super().save(key, data)

    def load(self, key: object) -> object:
        """Return what was compiled for a signature, or nothing."""
        try:
            with _held(Path(self._cache_path)):
                return super().load(key)
        except FileNotFoundError:
            return None  # the folder comes with the first that is saved


def share_cache() -> None:
    """Let numba keep its files so from here on."""
    caching.IndexDataCacheFile = SharedCacheFiles  # type: ignore[misc]


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
