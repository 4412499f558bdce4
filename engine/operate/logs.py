"""What a role logs: one line a record, as text or as JSON, with no secret in it.

All records, the libraries' too, pass one formatter, and secrets are hidden in what it has made of
them: message, arguments, fields and traceback alike.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any, Final, Literal, TextIO

from engine.domain.redaction import redact


@contextlib.contextmanager
def _without_rich() -> Iterator[None]:
    """Keep structlog from loading rich, if it is there: 13 MB in each role, for colours."""
    name = "rich"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment] # makes the import of it fail
    try:
        yield
    finally:
        del sys.modules[name]


with _without_rich():
    import structlog

QUIET: Final = ("httpx", "httpcore", "telegram", "alembic")
"""Loggers that tell each request, or each step of a migration."""

_SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_RENDERERS: Final[dict[str, list[Any]]] = {
    "text": [
        structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    ],
    "json": [
        structlog.processors.format_exc_info,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.JSONRenderer(),
    ],
}


class LogFormatter(structlog.stdlib.ProcessorFormatter):
    """Makes a line of a record and hides the secrets in it."""

    def __init__(self, form: Literal["text", "json"] = "text") -> None:
        super().__init__(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_RENDERERS[form],
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback follows it in further ones if the form is text."""
        return redact(super().format(record))


def set_up_logs(
    *, level: str, form: Literal["text", "json"] = "text", stream: TextIO | None = None
) -> None:
    """Log from `level` on to a stream, standard error if there is none, and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogFormatter(form))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def name_in_logs(**fields: str) -> None:
    """Put fields on all that this task and those that it starts log from now on."""
    structlog.contextvars.bind_contextvars(**fields)
