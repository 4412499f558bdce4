"""Make text harmless: one line, printable, left to right, of bounded length, without secrets.

Whatever a chat shows goes through here.
"""

import re
import unicodedata
from typing import Final

from engine.domain.redaction import redact

_CATEGORIES_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, formats (zero-width, direction marks), surrogates, private and unassigned."""

_TOKEN: Final = re.compile(r"@[a-z0-9_]+:(0x[0-9a-f]{4})[0-9a-f]{32}([0-9a-f]{4})\b")
"""Behind what a token calls itself: which one it is."""

_COMBINING_MAX = 2
"""Marks stacked on one letter; more would draw over the neighbouring lines."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")
"""Letters by category that draw nothing."""


def clean(text: str, *, limit: int = 400) -> str:
    """Return `text` on one line without invisible or direction-changing characters or secrets.

    Longer text is cut to `limit` characters, the last of which is then an ellipsis.
    """
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[: 8 * limit]):
        category = unicodedata.category(char)
        if char.isspace():  # line and page breaks among them, or two words would become one
            kept.append(" ")
            continue
        if category in _CATEGORIES_DROPPED or char in _BLANK_LETTERS:
            continue
        marks = marks + 1 if category in {"Mn", "Me", "Mc"} else 0
        if marks <= _COMBINING_MAX:
            kept.append(char)
    line = redact(" ".join("".join(kept).split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shown(text: str, *, limit: int = 400) -> str:
    """Return clean text in which a token that is only its address has a part of that, no more."""
    return clean(short_tokens(text), limit=limit)


def short_tokens(text: str) -> str:
    """Return text with ``USDT 0xcf7e…0fc9`` in the place of chain and whole address."""
    return _TOKEN.sub(r" \1…\2", text) if "@" in text else text
