"""How a process ends: one sentence on stderr, and an exit code that says why.

The exit code is what counts: it must not change because the sentence could not be written. It is
said as well, because `make` shows its own 2 instead.
"""

import asyncio
import os
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from engine.domain.errors import SyndicateError, worst_of
from engine.domain.redaction import redact
from engine.operate import exit_codes
from engine.operate.role_words import READY_ENVIRONMENT_NAME, leave_last_words
from engine.operate.streams import say_last, settle_streams


def exit_code_after(work: Callable[[], int | None]) -> int:
    """Do a process's work; returns its exit code, its error said in one sentence."""
    settle_streams()
    sys.excepthook = _show_without_secrets
    try:
        code = work() or exit_codes.OK
    except SystemExit as ended:  # of argparse, which said why
        code = ended.code if isinstance(ended.code, int) else exit_codes.OK
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = exit_codes.INTERRUPTED
    except (SyndicateError, BaseExceptionGroup) as error:
        worst = worst_of(error)
        if not isinstance(worst, SyndicateError):
            raise
        sentence = redact(str(worst))
        leave_last_words(sentence)
        say_last(f"syndicate: {sentence}\n")
        code = exit_codes.exit_code_of(worst)
    _say_code(code)
    return code


def _show_without_secrets(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    say_last(redact("".join(traceback.format_exception(kind, error, trace))))
    _say_code(exit_codes.FAILED)


def _say_code(code: int) -> None:
    """Say what a failure's code is and means; of a role's the supervisor says it."""
    if code != exit_codes.OK and READY_ENVIRONMENT_NAME not in os.environ:
        say_last(f"syndicate: exit code {code}: {exit_codes.meaning_of(code)}\n")
