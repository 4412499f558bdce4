"""Becoming idle work: run when nobody else wants the processor, the disk or the engine's core."""

import ctypes
import os
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Final

NICE: Final = 19
THREAD_COUNTS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

AUTOGROUP: Final = Path("/proc/self/autogroup")

_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30}
_THIS_PROCESS: Final = 1
_IDLE_CLASS: Final = 3 << 13


def one_thread_each(environment: MutableMapping[str, str]) -> None:
    """Have libraries for numbers use one thread; to be called before they are loaded."""
    for name in THREAD_COUNTS:
        environment[name] = "1"


def small_pages(environment: MutableMapping[str, str]) -> None:
    """Have numpy ask for no huge pages; to be called before it is loaded.

    A table of which little is touched would take 2 MB wherever it is: 50 MB more for a core that
    plays a recording, of the 76 that it takes.
    """
    environment["NUMPY_MADVISE_HUGEPAGE"] = "0"


def become_idle(*, engine_core: int | None = None) -> list[str]:
    """Make this process, and all that it starts from now on, idle work.

    Linux may share processor time among sessions first (autogroup), whatever policies are within
    them: one that leads a session of its own has that made nice, too.

    Args:
        engine_core: the core that is the engine's alone, if it has one.

    Returns:
        What the system refuses, each in a sentence: the work runs all the same.
    """
    refused: list[str] = []
    for what, act in (
        ("the policy SCHED_IDLE", _be_scheduled_idle),
        (f"nice {NICE}", _be_nice),
        (f"nice {NICE} of its session", _have_session_nice),
        ("the idle class of the disk", _be_idle_at_disk),
        ("staying off the engine's core", lambda: _stay_off(engine_core)),
    ):
        _try(what, act, refused)
    return refused


def _try(what: str, act: Callable[[], None], refused: list[str]) -> None:
    try:
        act()
    except OSError as error:
        refused.append(f"the system refuses {what}: {error.strerror}")
    except AttributeError:
        refused.append(f"this system has no way for {what}")


def _be_scheduled_idle() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _be_nice() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, NICE)


def _have_session_nice() -> None:
    if os.getsid(0) == os.getpid() and AUTOGROUP.exists():
        AUTOGROUP.write_text(f"{NICE}")


def _be_idle_at_disk() -> None:
    number = _IOPRIO_SET.get(os.uname().machine) if sys.platform == "linux" else None
    if number is None:
        raise AttributeError
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(number, _THIS_PROCESS, 0, _IDLE_CLASS) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _stay_off(engine_core: int | None) -> None:
    others = os.sched_getaffinity(0) - {engine_core}
    if engine_core is not None and others:
        os.sched_setaffinity(0, others)
