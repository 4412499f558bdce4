"""The newest warnings and errors of all roles, from the ends of their logs."""

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.domain.redaction import redact

TAIL_BYTES: Final = 128 * 1024
"""Of each log so much of its end is looked at."""

_TEXT: Final = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\S+)\s+\[(?P<level>warning|error|critical)\s*\]\s+(?P<said>.*)"
)
_GRAVE: Final = ("warning", "error", "critical")


def read_newest(directory: Path, most: int) -> list[str]:
    """Return the newest warnings and errors of a folder of logs, oldest first."""
    found: list[tuple[str, str]] = []
    for path in sorted(directory.glob("*.log")):
        for line in _tail(path):
            grave = _read(line)
            if grave is not None:
                at, said = grave
                found.append((at, f"{at[11:19]} {path.stem}: {redact(said)}"))
    return [line for _, line in sorted(found)[-most:]]


def _tail(path: Path) -> Iterator[str]:
    with contextlib.suppress(OSError), path.open("rb") as log:
        log.seek(0, os.SEEK_END)
        start = max(0, log.tell() - TAIL_BYTES)
        log.seek(start)
        lines = log.read().decode(errors="replace").splitlines()
        yield from lines[1:] if start else lines


def _read(line: str) -> tuple[str, str] | None:
    """Return when a line was written and what it says, None if it is not grave."""
    if line.startswith("{"):
        try:
            fields = json.loads(line)
        except ValueError:
            return None
        if not isinstance(fields, dict) or fields.get("level") not in _GRAVE:
            return None
        return str(fields.get("timestamp", "")), str(fields.get("event", ""))
    match = _TEXT.match(line)
    return None if match is None else (match["at"], " ".join(match["said"].split()))
