"""Keep secrets out of whatever is printed, logged, stored or sent: one function for every edge.

Two rules: a value that this process knows to be secret is hidden wherever it stands, and so is
whatever has the shape of a secret, known or not.
"""

import logging
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
_formatter: Final = logging.Formatter()


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


class SecretRedactor(logging.Filter):
    """Rewrites records, their arguments and tracebacks included, before they are written."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide secrets; never drop a record."""
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact(_formatter.formatException(record.exc_info))
            # The formatter prefers the cached text; without the exception nobody can format anew.
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def install_redaction() -> None:
    """Put the filter on every handler of the root logger, and quieten the HTTP libraries.

    A filter on a handler sees the records of all loggers below it; the HTTP libraries log each
    address, which holds the token.
    """
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in [*logging.getLogger().handlers, *_last_resort()]:
        if not any(isinstance(present, SecretRedactor) for present in handler.filters):
            handler.addFilter(SecretRedactor())


def _last_resort() -> list[logging.Handler]:
    return [logging.lastResort] if logging.lastResort is not None else []
