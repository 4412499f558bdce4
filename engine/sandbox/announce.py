"""Tells the world where the sandbox listens: one JSON object, written at once or not at all."""

import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from engine.sandbox.errors import SandboxStartError

STDOUT = "-"


def announce(target: str, content: dict[str, Any]) -> None:
    """Write the object to a file, or as one line to standard output when `target` is ``-``.

    Raises:
        SandboxStartError: the file cannot be written.
    """
    line = msgspec.json.encode(content).decode() + "\n"
    if target == STDOUT:
        sys.stdout.write(line)
        sys.stdout.flush()
        return
    path = Path(target)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(line)
        draft.replace(path)
    except OSError as error:
        raise SandboxStartError(f"announce file {path} cannot be written: {error}") from error
