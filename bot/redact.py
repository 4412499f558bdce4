"""Keep bot tokens out of every log line and traceback."""

import logging
import re
from typing import Final

HIDDEN: Final = "<token>"

_TOKEN: Final = re.compile(r"\d{5,12}:[A-Za-z0-9_-]{20,}")
_formatter: Final = logging.Formatter()


def redact(text: str) -> str:
    """Return `text` with everything that looks like a bot token hidden."""
    return _TOKEN.sub(HIDDEN, text)


class TokenRedactor(logging.Filter):
    """Rewrites records, their arguments and tracebacks included, before they are written."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide tokens; never drop a record."""
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
        if not any(isinstance(present, TokenRedactor) for present in handler.filters):
            handler.addFilter(TokenRedactor())


def _last_resort() -> list[logging.Handler]:
    return [logging.lastResort] if logging.lastResort is not None else []
