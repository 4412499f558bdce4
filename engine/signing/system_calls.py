"""Seccomp: system calls that a signer never makes are refused by the kernel, for good.

A list of what is denied and not of what is allowed: each version of a library would need another
one of those, and a container's own profile stands outside.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping
from typing import Final

_SET_MODE_FILTER, _TSYNC = 1, 1
_LOAD, _IS_EQUAL, _IS_AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL = 0x7FFF_0000, 0x8000_0000
_REFUSE: Final = 0x0005_0000 | errno.EPERM
_OTHER_NUMBERING: Final = 0x4000_0000
"""Of x32 on x86-64: calls with it would slip past the list."""

_NO_SUCH_CALL: Final = 0x0005_0000 | errno.ENOSYS
_AF_UNIX: Final = 1
_CLONE3: Final = 435
_CLONE_THREAD: Final = 0x0001_0000

DENIED: Final = {
    "x86_64": {
        "ptrace": 101, "execve": 59, "execveat": 322, "fork": 57, "vfork": 58,
        "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438,
        "kexec_load": 246, "kexec_file_load": 320, "bpf": 321, "mount": 165, "umount2": 166,
        "init_module": 175, "finit_module": 313, "delete_module": 176, "perf_event_open": 298,
        "userfaultfd": 323, "add_key": 248, "request_key": 249, "keyctl": 250,
        "open_by_handle_at": 304, "setns": 308, "unshare": 272, "io_uring_setup": 425,
    },
    "aarch64": {
        "ptrace": 117, "execve": 221, "execveat": 281,
        "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_getfd": 438,
        "kexec_load": 104, "kexec_file_load": 294, "bpf": 280, "mount": 40, "umount2": 39,
        "init_module": 105, "finit_module": 273, "delete_module": 106, "perf_event_open": 241,
        "userfaultfd": 282, "add_key": 217, "request_key": 218, "keyctl": 219,
        "open_by_handle_at": 265, "setns": 268, "unshare": 97, "io_uring_setup": 425,
    },
}  # fmt: skip
"""By machine: names and numbers (asm/unistd_64.h, asm-generic/unistd.h)."""

_OF_MACHINE: Final[Mapping[str, tuple[int, int, int, int]]] = {
    "x86_64": (0xC000_003E, 317, 41, 56),
    "aarch64": (0xC000_00B7, 277, 198, 220),
}
"""AUDIT_ARCH, and the numbers of `seccomp`, `socket` and `clone`."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def deny_system_calls(has_network: bool) -> str:  # noqa: FBT001 - called by position, once
    """Have the kernel refuse, from now on and in all threads, what a signer never does.

    Args:
        has_network: sockets other than those of this machine may be made.

    Returns:
        What is so now, in words.

    Raises:
        OSError: the system does not offer it.
    """
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in _OF_MACHINE:
        raise OSError(f"not known how on {platform.system()} {machine}")
    number = _OF_MACHINE[machine][1]
    content = program(machine, has_network=has_network)
    libc = ctypes.CDLL(None, use_errno=True)
    given = _Program(len(content) // 8, content)
    answer = libc.syscall(
        ctypes.c_long(number), ctypes.c_long(_SET_MODE_FILTER), ctypes.c_long(_TSYNC),
        ctypes.byref(given),
    )  # fmt: skip
    if answer != 0:
        wrong = ctypes.get_errno() if answer < 0 else errno.ESRCH
        raise OSError(wrong, f"the kernel does not take the filter ({os.strerror(wrong)})")
    sockets = "" if has_network else ", sockets beyond this machine"
    return f"no other processes, debugging, mounts or modules{sockets}"


def program(machine: str, *, has_network: bool) -> bytes:
    """Return the filter as the kernel takes it: instructions of 8 bytes."""
    arch, _, socket_number, clone_number = _OF_MACHINE[machine]
    denied = list(DENIED[machine].values())
    steps = [
        (_LOAD, 0, 0, _ARCH),
        (_IS_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_IS_AT_LEAST, 0, 1, _OTHER_NUMBERING),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for number in denied:
        steps += [(_IS_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    # Its flags lie in memory, where no filter looks: libraries fall back to the call before it.
    steps += [(_IS_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _NO_SUCH_CALL)]
    steps += _only_with(clone_number, (_HAS_BITS, _CLONE_THREAD))
    if not has_network:
        steps += _only_with(socket_number, (_IS_EQUAL, _AF_UNIX))
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _only_with(number: int, check: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Refuse a call unless its first argument passes."""
    return [
        (_IS_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (check[0], 1, 0, check[1]),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
