"""How a process ends: one sentence on stderr, and an exit code that says why.

The exit code is what counts: it must not change because the sentence could not be written.
"""

import asyncio
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from engine.domain.errors import SyndicateError, worst_of
from engine.domain.redaction import redact
from engine.operate.exit_codes import exit_code_of
from engine.operate.role_words import leave_last_words
from engine.operate.streams import say_last, settle_streams

INTERRUPTED = 130


def exit_code_after(work: Callable[[], int | None]) -> int:
    """Do a process's work; returns its exit code, its error said in one sentence."""
    settle_streams()
    sys.excepthook = _show_without_secrets
    try:
        return work() or 0
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except (SyndicateError, BaseExceptionGroup) as error:
        worst = worst_of(error)
        if not isinstance(worst, SyndicateError):
            raise
        sentence = redact(str(worst))
        leave_last_words(sentence)
        say_last(f"syndicate: {sentence}\n")
        return exit_code_of(worst)


def _show_without_secrets(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    say_last(redact("".join(traceback.format_exception(kind, error, trace))))
