"""The mode as a file, for whoever must know it without asking the engine: the signer.

The engine writes it as its mode changes: before anything is decided by another, and after what
loosens is stored. A file that is missing, or says something else, allows nothing.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from engine.domain.errors import FatalError
from engine.domain.modes import Mode

_FILE_NAME: Final = "mode"


class ModeWord:
    """The mode of one engine, in its folder."""

    def __init__(self, directory: Path) -> None:
        self.path: Final = directory / _FILE_NAME

    def read(self) -> Mode | None:
        """Return the mode; None if the file does not say one."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return Mode(os.read(file, 64).decode().removesuffix("\n"))
        except (OSError, ValueError):
            return None
        finally:
            os.close(file)

    def write(self, mode: Mode) -> None:
        """Say a mode durably; if the disk refuses that, say none.

        Raises:
            FatalError: neither was possible.
        """
        aside = self.path.with_name(f".{_FILE_NAME}.{secrets.token_hex(4)}")
        try:
            file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, f"{mode}\n".encode())
                os.fsync(file)
            finally:
                os.close(file)
            aside.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            try:
                self.remove()
            except OSError:
                raise FatalError(
                    f"the mode {mode} can be neither written to {self.path} nor taken away there"
                    f" ({error.strerror})"
                ) from error

    def remove(self) -> None:
        """Say none: no engine runs; raises `OSError` if the file cannot be removed."""
        self.path.unlink(missing_ok=True)
