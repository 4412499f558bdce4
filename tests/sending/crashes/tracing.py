"""A child of this process, killed at one of its system calls: by ptrace, which only looks.

The child is the program itself with all that its kernel does for it; nothing of it is replaced.
Linux only. A kill at the beginning of a call leaves it undone, one at its end leaves it done.
"""

import ctypes
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)

_TRACEME: Final = 0
_SYSCALL: Final = 24
_SETOPTIONS: Final = 0x4200
_GET_SYSCALL_INFO: Final = 0x420E
_SYSGOOD_AND_EXITKILL: Final = 0x1 | 0x100000
_STOPPED_BY_CALL: Final = signal.SIGTRAP | 0x80
_ENTRY: Final = 1
_INFO_BYTES: Final = 88

X86_64: Final = {
    0: "read", 1: "write", 3: "close", 7: "poll", 8: "lseek", 9: "mmap", 12: "brk", 17: "pread64",
    18: "pwrite64", 20: "writev", 41: "socket", 42: "connect", 44: "sendto", 45: "recvfrom",
    46: "sendmsg", 72: "fcntl", 74: "fsync", 75: "fdatasync", 77: "ftruncate", 83: "mkdir",
    87: "unlink", 232: "epoll_wait", 233: "epoll_ctl", 257: "openat", 262: "newfstatat",
    13: "rt_sigaction", 39: "getpid", 51: "getsockname", 53: "socketpair", 54: "setsockopt",
    107: "geteuid", 281: "epoll_pwait", 285: "fallocate", 441: "epoll_pwait2",
}  # fmt: skip
"""Names of those that a sender makes; of other machines the numbers are told."""

CHANGING: Final = frozenset(
    {"write", "pwrite64", "writev", "sendto", "sendmsg", "fsync", "fdatasync", "ftruncate",
     "unlink", "openat", "connect", "fallocate", "mkdir"}
)  # fmt: skip
"""What leaves something behind, on disk or elsewhere."""


class _Info(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64),
        ("nr", ctypes.c_uint64),
        ("rest", ctypes.c_uint8 * (_INFO_BYTES - 32)),
    )


@dataclass(frozen=True, slots=True)
class Killed:
    """Where a child ended.

    Attributes:
        call: the system call; empty if it came to its own end.
        is_done: whether the call was carried out.
        stops: how often it was stopped, twice for each call.
    """

    call: str = ""
    is_done: bool = False
    stops: int = 0


def run_and_kill(body: Callable[[], None], at: int, *, only_changing: bool = False) -> Killed:
    """Run something in a child of this process, and kill that at a stop; 0 looks and lets it end.

    Args:
        body: what it does; what it raises ends it, and is raised here.
        at: number of the stop, from 1; each system call has two.
        only_changing: count stops of `CHANGING` alone.

    Raises:
        ChildProcessError: it failed of itself.
    """
    child = _fork(body, is_traced=True)
    _, status = os.waitpid(child, 0)
    _trace(_SETOPTIONS, child, 0, _SYSGOOD_AND_EXITKILL)
    info = _Info()
    stops, name, passed_on = 0, "", 0
    while True:
        _trace(_SYSCALL, child, 0, passed_on)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            _check(status)
            return Killed(stops=stops)
        passed_on = 0
        if os.WSTOPSIG(status) != _STOPPED_BY_CALL:
            passed_on = os.WSTOPSIG(status)
            continue
        _trace(_GET_SYSCALL_INFO, child, _INFO_BYTES, ctypes.addressof(info))
        is_entry = info.op == _ENTRY
        if is_entry:
            name = X86_64.get(info.nr, str(info.nr))
        if only_changing and name not in CHANGING:
            continue
        stops += 1
        if stops == at:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return Killed(call=name, is_done=not is_entry, stops=stops)


def run_to_the_end(body: Callable[[], None]) -> None:
    """Run something in a child of this process, untouched.

    Raises:
        ChildProcessError: it failed.
    """
    _, status = os.waitpid(_fork(body, is_traced=False), 0)
    _check(status)


def _fork(body: Callable[[], None], *, is_traced: bool) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if is_traced:
            _trace(_TRACEME, 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
        body()
        code = 0
    except BaseException:  # noqa: BLE001 - the parent's code must not go on here
        traceback.print_exc()
    finally:
        os._exit(code)


def _check(status: int) -> None:
    if status:
        raise ChildProcessError(f"it ended by itself, with status {status:#x}")


def _trace(request: int, child: int, address: int, data: int) -> None:
    if _libc.ptrace(request, child, address, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace {request:#x}: {os.strerror(number)}")
