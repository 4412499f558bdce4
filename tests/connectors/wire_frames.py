"""What fake venues send."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, and which version of which book it leads to (none for other frames)."""

    payload: bytes
    wire: str = ""
    version: int = 0


def text_of(value: object) -> bytes:
    return msgspec.json.encode(value)
