"""Exit codes of the roles and of the supervisor: each tells why, and whether to start again."""

from typing import Final

from engine.domain.errors import (
    FatalError,
    SettingsError,
    SupersededError,
    TransientError,
    worst_of,
)

OK: Final = 0
FAILED: Final = 1
"""What was asked for was not done, or an error that nobody foresaw."""
BROKEN_SETTINGS: Final = 2
"""Settings, or something else that only a person can mend before the next start."""
FATAL: Final = 3
"""Going on would risk money or records: full disk, corrupt database, unreadable latch."""
TRANSIENT: Final = 75
"""Something outside was missing; starting again may help."""
INTERRUPTED: Final = 130

MEANINGS: Final = {
    OK: "ended in order",
    FAILED: "not well, not done, or an error that nobody foresaw; the lines before this say which",
    BROKEN_SETTINGS: "a setting, or an argument of the command, must be mended",
    FATAL: "going on would risk money or records",
    TRANSIENT: "something outside was missing",
    INTERRUPTED: "stopped with Ctrl-C",
}
"""As the runbook has them."""

RESTARTABLE: Final = frozenset({FAILED, TRANSIENT})
"""Codes after which the supervisor starts a role again; a signal's death is restarted as well."""


def is_restartable(code: int) -> bool:
    """Say whether a role that ended with this code is started again."""
    return code < 0 or code in RESTARTABLE


def meaning_of(code: int) -> str:
    """Say what an exit code means."""
    return MEANINGS.get(code, MEANINGS[FAILED])


def exit_code_of(error: BaseException) -> int:
    """Return the exit code that tells the supervisor what an error means, groups included."""
    worst = worst_of(error)
    if isinstance(worst, SettingsError):
        return BROKEN_SETTINGS
    if isinstance(worst, SupersededError):
        return TRANSIENT  # started again it asks for a place of its own, and gets it or not
    if isinstance(worst, FatalError):
        return FATAL
    if isinstance(worst, TransientError):
        return TRANSIENT
    return FAILED
