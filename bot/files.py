"""Files for the operator of a terminal: written whole or not at all."""

import os
import re
import tempfile
from pathlib import Path

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LIMIT = 100


class FileError(Exception):
    """The file could not be written; the text says which and why."""


def write_file(directory: Path, name: str, content: bytes) -> Path:
    """Write a file into a directory, replacing one of the same name; returns its path.

    Raises:
        FileError: the directory cannot be written to.
    """
    safe = _UNSAFE.sub("_", Path(name).name).lstrip(".")[:_NAME_LIMIT] or "export"
    path = directory / safe
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".writing-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    return path
