"""End the process that an earlier supervisor left behind, so that its role can be started anew.

A role whose supervisor is gone ends by itself, unless it is stopped or hangs. It still holds its
lease then, and a signal could wake it: a new one is started only once the old one is dead.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.bus.lease import read_holder
from engine.domain.errors import FatalError

log = logging.getLogger(__name__)

LOOKS: Final = 20
LOOK_S: Final = 0.1
"""A process that has just taken a lease writes its id a moment later."""

KILL_S: Final = 10.0


async def end_left_behind(lease: Path, arguments: Sequence[str], *, stop_s: float) -> None:
    """End the process that holds a role's lease, if one does; SIGKILL follows after `stop_s`.

    Args:
        lease: the role's lease.
        arguments: how the role is started; no other process is ended.
        stop_s: time between SIGTERM and SIGKILL.

    Raises:
        FatalError: what holds the lease is not this role, cannot be found, or cannot be ended.
    """
    pid = "unknown"
    for _ in range(LOOKS):
        try:
            file = os.open(lease, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            if _is_free(file):
                return
            pid = read_holder(file)
            process = _find(pid, file, arguments)
        finally:
            os.close(file)
        if process is not None:
            try:
                await _end(process, pid, lease, stop_s)
            finally:
                os.close(process)
            return
        await asyncio.sleep(LOOK_S)
    raise FatalError(
        f"the lease {lease} is held by process {pid}, which is no {' '.join(arguments[-2:])} "
        "that can be ended from here; stop it first"
    )


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find(pid: str, lease: int, arguments: Sequence[str]) -> int | None:
    """Return a handle of the role's process that has this lease open: no other can get its id."""
    if not pid.isdecimal():
        return None
    try:
        process = os.pidfd_open(int(pid))
    except OSError:
        return None
    own = Path("/proc") / pid
    with contextlib.suppress(OSError):
        said = (own / "cmdline").read_bytes().split(b"\0")[:-1]
        is_role = said[-len(arguments) :] == [os.fsencode(one) for one in arguments]
        if is_role and any(_is_same(path, lease) for path in (own / "fd").iterdir()):
            return process
    os.close(process)
    return None


def _is_same(path: Path, file: int) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(file))
    return False


async def _end(process: int, pid: str, lease: Path, stop_s: float) -> None:
    log.warning("process %s of an earlier run still holds %s; ending it", pid, lease.name)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(process, ended.set)  # readable once the process has ended
    try:
        for number, wait_s in ((signal.SIGTERM, stop_s), (signal.SIGKILL, KILL_S)):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await ended.wait()
                return
    finally:
        loop.remove_reader(process)
    raise FatalError(f"process {pid} holds the lease {lease} and cannot be ended; restart the host")
