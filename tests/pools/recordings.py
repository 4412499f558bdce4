"""Reads the recorded pools and answers under tests/data/pools."""

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.domain.errors import BadValueError

FOLDER = Path(__file__).parents[1] / "data" / "pools"
REVERT = "revert"


def read_text(name: str) -> str:
    """Return a recorded file's text; `name` is without the ending `.xz`."""
    return lzma.decompress((FOLDER / f"{name}.xz").read_bytes()).decode()


def read_json(name: str) -> Any:
    return json.loads(read_text(f"degenbot/{name}"))


def read_lines(name: str) -> list[tuple[list[str], str]]:
    """Return (words, answer) of every line `words = answer`."""
    lines = []
    for line in read_text(f"degenbot/{name}").splitlines():
        call, _, answer = line.partition(" = ")
        lines.append((call.split(), REVERT if answer.startswith("ERROR") else answer))
    return lines


def whole_list(text: str) -> list[int]:
    return [int(word) for word in text.strip("[]").split(",")]


def answer_of(call: Callable[[], int]) -> str:
    """Return the call's answer as recordings write it."""
    try:
        return str(call())
    except BadValueError:
        return REVERT
