"""The kill latch: a file that every role and every person with a shell can set.

The file must exist and say ``clear``; anything else, missing and unreadable included, means
killed. So the latch can be set by writing anything to it, or by removing it, even on a full disk.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from engine.domain.errors import FatalError
from engine.domain.replaced_file import replace_file, sync_folder

_CLEAR: Final = b"clear\n"
_FILE_NAME: Final = "kill-latch"
ORDER: Final = "KILL"
"""A file of this name beside the latch kills: touch is enough, from whatever can touch."""


class KillLatch:
    """One latch: of all engines in the data directory, of one engine in its own."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / _FILE_NAME
        self._is_held = False

    def is_killed(self) -> bool:
        """Read the latch; costs a few microseconds, so it is read anew for every plan."""
        return self._is_held or not self._says_clear()

    def is_ordered(self) -> bool:
        """Say whether somebody put the file that kills beside it."""
        return os.path.lexists(self.path.with_name(ORDER))

    def hold(self) -> None:
        """Kill this process by its own memory, whatever becomes of the file."""
        self._is_held = True

    def cleared_at_ns(self) -> int | None:
        """Return when the file was cleared, None if it does not say clear."""
        return self.changed_at_ns() if self._says_clear() else None

    def changed_at_ns(self) -> int | None:
        """Return when the file was last set or cleared, by whomever; None if it cannot be told."""
        try:
            return self.path.stat().st_mtime_ns
        except OSError:
            return None

    def why(self) -> str:
        """Say who set the latch and why, or that it is clear."""
        if self._is_held:
            return "held by the engine's memory; the file may not be set"
        try:
            text = self.path.read_text(errors="replace").strip()
        except FileNotFoundError:
            return "the latch file is missing"
        except OSError as error:
            return f"the latch file cannot be read: {error.strerror}"
        return "clear" if text == "clear" else text[:300]

    def kill(self, *, by: str, why: str) -> None:
        """Set the latch durably; if the disk refuses the file, remove it, which also kills.

        Raises:
            FatalError: neither was possible; this process stays killed all the same.
        """
        self.hold()
        try:
            replace_file(self.path, f"killed by {by}: {why}\n".encode())
        except OSError as error:
            try:
                self.path.unlink(missing_ok=True)
            except OSError:
                raise FatalError(
                    f"the file can be neither written nor removed ({error.strerror})"
                ) from error
        self._is_held = False

    def clear(self) -> None:
        """Clear the latch; the caller has checked that a person confirmed it.

        Raises:
            FatalError: the file cannot be written.
        """
        try:
            if not self._says_clear():
                replace_file(self.path, _CLEAR)
        except OSError as error:
            raise FatalError(
                f"the kill latch {self.path} cannot be cleared: {error.strerror}; "
                "free space or mend the permissions, then try again"
            ) from error
        self._is_held = False

    def create(self) -> None:
        """Make the latch of a new installation, clear; an existing one is left as it is."""
        with contextlib.suppress(FileExistsError):
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, _CLEAR)
                os.fsync(file)
            finally:
                os.close(file)
            sync_folder(self.path.parent)

    def _says_clear(self) -> bool:
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return os.read(file, 64) == _CLEAR
        except OSError:
            return False
        finally:
            os.close(file)


class EngineLatches:
    """The two latches that stop an engine, that of all engines and its own: either is enough."""

    def __init__(self, of_all: KillLatch, own: KillLatch) -> None:
        self.of_all = of_all
        self.own = own

    def is_killed(self) -> bool:
        """Read both."""
        return self.of_all.is_killed() or self.own.is_killed()

    def why(self) -> str:
        """Say who set the one that is set, and why; that of all engines first."""
        return (self.of_all if self.of_all.is_killed() else self.own).why()
