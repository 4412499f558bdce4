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
BROKEN_SETTINGS: Final = 2
"""Settings, or something else that only a person can mend before the next start."""
FATAL: Final = 3
"""Going on would risk money or records: full disk, corrupt database, unreadable latch."""
TRANSIENT: Final = 75
"""Something outside was missing; starting again may help."""

MEANINGS: Final = {
    OK: "ended in order",
    BROKEN_SETTINGS: "a setting must be mended",
    FATAL: "going on would risk money or records",
    TRANSIENT: "something outside was missing",
}

RESTARTABLE: Final = frozenset({1, TRANSIENT})
"""Codes after which the supervisor starts a role again; a signal's death is restarted as well."""


def is_restartable(code: int) -> bool:
    """Say whether a role that ended with this code is started again."""
    return code < 0 or code in RESTARTABLE


def meaning_of(code: int) -> str:
    """Say what an exit code means."""
    return MEANINGS.get(code, "an error that nobody foresaw; the log has it")


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
    return 1
