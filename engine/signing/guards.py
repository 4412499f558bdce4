"""What keeps the signer's memory and system calls to itself, as far as the platform offers it.

Each guard is put up by itself, and what could not be had is said: a missing one is a weakness of
the platform, not a reason to stop.
"""

import ctypes
import logging
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.signing.confined import confine_files
from engine.signing.system_calls import deny_system_calls

log = logging.getLogger(__name__)

_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4

SWAPS: Final = Path("/proc/swaps")


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard.

    Attributes:
        why: what it does, or why it could not be had.
    """

    name: str
    is_up: bool
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {'' if self.is_up else 'NOT HAD, '}{self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the role has to reach once its guards are up.

    Attributes:
        readable: files and folders.
        writable: folders in which it also makes and removes files.
        port: TCP port of a signer elsewhere; None for no network at all.
    """

    readable: tuple[Path, ...]
    writable: tuple[Path, ...]
    port: int | None = None


def guard_memory() -> list[Guard]:
    """Keep memory out of core dumps, debuggers and swap; done before any key is read."""
    return [_no_core(), not_dumpable(), _locked()]


def keep_apart() -> list[Guard]:
    """Keep memory out of core dumps and from others, where a key is held for a moment only."""
    return [_no_core(), not_dumpable()]


def guard_calls(needs: Needs) -> list[Guard]:
    """Give up rights that are not needed; done once, when all is read that nobody needs again."""
    no_new = _no_new_privileges()
    if not no_new.is_up:  # the system lets nobody confine himself without it
        return [no_new]
    return [no_new, _attempt("landlock", confine_files, needs.readable, needs.writable, needs.port),
            _attempt("seccomp", deny_system_calls, needs.port is not None)]  # fmt: skip


def _attempt(name: str, put_up: object, *arguments: object) -> Guard:
    assert callable(put_up)
    try:
        return Guard(name, True, put_up(*arguments))
    except OSError as error:
        return Guard(name, False, error.strerror or str(error))


def _no_core() -> Guard:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        return Guard("core dumps", False, str(error))
    return Guard("core dumps", True, "none are written")


def not_dumpable() -> Guard:
    """Keep this process's memory from debuggers, and from this user's other processes."""
    name = "debuggers"
    try:
        _prctl(_PR_SET_DUMPABLE, 0)
    except OSError as error:
        return Guard(name, False, str(error))
    return Guard(name, True, "this user's other processes cannot read this one's memory")


def _locked() -> Guard:
    name = "swap"
    libc = _libc()
    if libc is not None and hasattr(libc, "mlockall"):
        if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
            return Guard(name, True, "all memory is locked")
        why = os.strerror(ctypes.get_errno())
    else:
        why = "the system cannot lock memory"
    try:
        if len(SWAPS.read_text().splitlines()) == 1:
            return Guard(name, True, f"the machine has none (memory is not locked: {why})")
    except OSError:
        pass
    return Guard(name, False, f"{why}; raise the limit of locked memory, or swap encrypted")


def _no_new_privileges() -> Guard:
    name = "new privileges"
    try:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        return Guard(name, False, str(error))
    return Guard(name, True, "none can be had")


def _prctl(option: int, value: int) -> None:
    libc = _libc()
    if libc is None or not hasattr(libc, "prctl"):
        raise OSError("the system has no prctl")
    if libc.prctl(option, ctypes.c_ulong(value), *(ctypes.c_ulong(0),) * 3) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None, use_errno=True)
    except (OSError, TypeError):
        return None
