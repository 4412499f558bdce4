"""Keep secrets out of whatever is printed, logged, stored or sent: one function for every edge.

Two rules: a value that this process knows to be secret is hidden wherever it stands, and so is
whatever has the shape of a secret, known or not.
"""

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "<secret>"

_SHAPES: Final = (
    # A bot token, its colon as it is or as addresses write it.
    (re.compile(r"\d{3,20}(?::|%3[Aa])[A-Za-z0-9_-]{20,}"), HIDDEN),
    # The password of an address, which may hold an @ itself: up to the last one of the word.
    (re.compile(r"(://[^\s/:@'\"]*:)[^\s'\"]+@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"((?:password|passwd|pwd|secret|token|api_?key)[A-Za-z_]*=)[^\s&'\"]+", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    # The same, or a header's credentials, in quotes or behind a blank.
    (
        re.compile(
            r"((?:password|passwd|pwd|secret|token|api_?key)[A-Za-z_]*[\"']?\s*[:=]\s*)"
            r"(\"[^\"]+\"|'[^']+')",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # The base32 secret of an authenticator; in small letters with a digit, as words have none.
    (re.compile(r"\b(?:[A-Z2-7]{24,}|(?=[a-z]*[2-7])[a-z2-7]{24,})(?![A-Za-z0-9_])"), HIDDEN),
)

KNOWN_LENGTH_MIN: Final = 6
"""Shorter values are not remembered: hiding them would garble ordinary text."""

_known: set[str] = set()


def remember_secrets(values: Iterable[str]) -> None:
    """Hide these values from now on, in whatever this process prints."""
    _known.update(value for value in values if len(value) >= KNOWN_LENGTH_MIN)


def redact(text: str) -> str:
    """Return `text` with everything that is or looks like a secret hidden."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text
