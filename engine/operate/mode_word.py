"""The mode as a file, for whoever must know it without asking the engine: the signer.

The engine writes it as its mode changes: before anything is decided by another, and after what
loosens is stored. A file that is missing, or says something else, allows nothing. Neither does one
that no engine holds: it is locked as long as its writer lives, and the system lets go of the lock
with the process, however that ended.
"""

import contextlib
import fcntl
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
        self._held: int | None = None

    def read(self) -> Mode | None:
        """Return the mode; None if the file does not say one, or whoever wrote it is gone."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            mode = Mode(os.read(file, 64).decode().removesuffix("\n"))
            return mode if _is_held(file) else None
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
                # Before anybody can see it: what is seen unlocked was left behind.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                aside.replace(self.path)
            except BaseException:
                os.close(file)
                raise
            self._let_go()
            self._held = file
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
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _is_held(file: int) -> bool:
    """Say whether somebody who lives has written it."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # where nobody can tell, nothing is allowed
    return False
