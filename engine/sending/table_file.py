"""An SQLite file that one process opens: what is written outlives the process, what is synced more.

A change is in the system's hands when it is written, so that the end of the process cannot lose it;
a loss of power can until the log was synced. One sync is for all that was written before it: so
what needs none yet waits for that of what does.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from engine.domain.errors import FatalError
from engine.storage.durable_file import LOG_BYTES, TIDY_CHANGES, DurableFile

_sync: Final = getattr(os, "fdatasync", os.fsync)


class TableFile:
    """The file; see the module.

    An error of the disk is fatal: a sync that failed is not known to have happened when it is tried
    again.

    Attributes:
        when_synced: is told of each sync.
    """

    def __init__(self, path: Path, schema: str) -> None:
        """Open it, or make it at the first start.

        Raises:
            TransientError: another process has it open.
            FatalError: it cannot be used.
        """
        self.when_synced: Callable[[], None] = _nobody
        self._path = path
        self._synced = 0
        self._is_open = True
        # SQLite syncs the log only before it moves it to its places; else `sync` does.
        self._file = DurableFile(
            path, schema, what="the table of nonces", then="nothing is sent", is_synced=False
        )
        try:
            self._log = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            _sync(self._log)
            _sync_folder(path.parent)
        except OSError as error:
            raise FatalError(f"the table of nonces {path} cannot be used: {error}") from error

    def close(self) -> None:
        """Close the file; again it changes nothing."""
        if self._is_open:
            self._is_open = False
            os.close(self._log)
            self._file.close()

    def allocate(self, log_bytes: int = LOG_BYTES) -> None:
        """Give the log its room on disk ahead; see `DurableFile.allocate`."""
        self._file.allocate(log_bytes)

    @property
    def is_synced(self) -> bool:
        """Whether a loss of power loses nothing of what was written."""
        return self._file.change_count == self._synced

    def sync(self) -> None:
        """Return once a loss of power cannot lose what was written.

        Raises:
            FatalError: the disk does not take it.
        """
        written = self._file.change_count
        if written == self._synced:
            return
        try:
            _sync(self._log)
        except OSError as error:
            raise FatalError(
                f"the table of nonces {self._path} cannot be synced ({error}): nothing is sent"
            ) from error
        self._synced = written
        self.when_synced()

    def tidy(self, *, after: int = TIDY_CHANGES) -> None:
        """Move the log to its places; see `DurableFile.tidy`."""
        self._file.tidy(after=after)

    @contextmanager
    def together(self, *, is_synced: bool = True) -> Iterator[None]:
        """Have all changes of the block stand or fall together, and outlive a loss of power.

        Args:
            is_synced: False where whoever goes on syncs before anything is done about them.
        """
        with self._file.together():
            yield
        if is_synced:
            self.sync()

    def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; alone it is a change of its own, and not synced.

        Raises:
            TransientError: another process has the file.
            FatalError: it cannot be used.
        """
        return self._file.run(statement, values)


def _sync_folder(folder: Path) -> None:
    """Sync which files there are."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _nobody() -> None:
    """Tell nobody."""
