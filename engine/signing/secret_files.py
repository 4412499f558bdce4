"""Files that hold secrets: readable by this user alone, or not read at all."""

import os
import stat
from pathlib import Path
from typing import Final

from engine.domain.errors import SettingsError
from engine.domain.replaced_file import sync_folder

BYTES_MAX: Final = 65_536


def read_secret_file(path: Path, *, what: str) -> bytes:
    """Read a file that nobody else may read or write.

    Args:
        path: of a plain file; links are not followed.
        what: it holds, for people: "keystore".

    Raises:
        SettingsError: it is missing, too large, no plain file, another user's, or open to others.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise SettingsError(f"the {what} {path} cannot be read: {error.strerror}") from error
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise SettingsError(f"the {what} {path} is no plain file")
        if found.st_uid != os.geteuid():
            raise SettingsError(
                f"the {what} {path} is another user's ({found.st_uid}): as root, "
                f"chown {os.geteuid()} {path}"
            )
        if found.st_mode & 0o077:
            raise SettingsError(
                f"the {what} {path} can be read or written by others "
                f"(mode {stat.S_IMODE(found.st_mode):04o}): chmod 600 {path}"
            )
        if found.st_size > BYTES_MAX:
            raise SettingsError(
                f"the {what} {path} has {found.st_size} bytes; {BYTES_MAX} are allowed"
            )
        return os.read(file, BYTES_MAX)
    finally:
        os.close(file)


def write_secret_file(path: Path, content: bytes, *, what: str) -> None:
    """Write a new file that this user alone may read; one that is there is left as it is.

    Raises:
        SettingsError: there is one, or it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise SettingsError(
            f"the {what} {path} is there already: move it away first, it may hold money"
        ) from error
    except OSError as error:
        raise SettingsError(f"the {what} {path} cannot be written: {error.strerror}") from error
    try:
        os.write(file, content)
        os.fsync(file)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SettingsError(f"the {what} {path} cannot be written: {error.strerror}") from error
    finally:
        os.close(file)
    sync_folder(path.parent)


def password_of(path: Path) -> bytes:
    """Read a password: the file's first line.

    Raises:
        SettingsError: see `read_secret_file`; or it is empty.
    """
    password = read_secret_file(path, what="password file").split(b"\n")[0].rstrip(b"\r")
    if not password:
        raise SettingsError(f"the password file {path} is empty")
    return password
