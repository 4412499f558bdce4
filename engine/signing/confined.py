"""Landlock: a process gives up all files and TCP ports but those that it names (Linux 5.13 on)."""

import ctypes
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls, the same on all machines."""

_VERSION: Final = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_ABI_OF_FILES: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights of files there are, by version of the interface; later ones have as many."""
_ABI_NET, _ABI_SCOPES = 4, 6

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_REG, _MAKE_SOCK = 1 << 5, 1 << 8, 1 << 9
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_OF_PLAIN_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_BIND, _CONNECT = 1 << 0, 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1

READ: Final = _READ_FILE | _READ_DIR | _EXECUTE
WRITE: Final = READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_REG | _MAKE_SOCK | _REFER | _TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def confine_files(readable: Iterable[Path], writable: Iterable[Path], port: int | None) -> str:
    """Give up every file but these, every TCP port but one, and signals to others; for good.

    Only the calling thread and what it starts later are confined: it is called before any other
    thread is there.

    Args:
        readable: files and folders; those that do not exist are left out.
        writable: folders.
        port: to which connections may be made; None for none.

    Returns:
        What is so now, in words.

    Raises:
        OSError: the system does not offer it.
    """
    abi = _call(_CREATE_RULESET, None, 0, _VERSION)
    rights = (1 << _ABI_OF_FILES.get(abi, 16)) - 1
    net = _BIND | _CONNECT if abi >= _ABI_NET else 0
    scoped = _ABSTRACT_SOCKETS | _SIGNALS if abi >= _ABI_SCOPES else 0
    asked = _Ruleset(rights, net, scoped)
    size = ctypes.sizeof(asked) if scoped else 16 if net else 8
    ruleset = _call(_CREATE_RULESET, ctypes.byref(asked), size, 0)
    try:
        for paths, allowed in ((readable, READ), (writable, WRITE)):
            for path in paths:
                _allow(ruleset, path, allowed & rights)
        if net and port is not None:
            rule = _NetPort(_CONNECT, port)
            _call(_ADD_RULE, ruleset, _NET_PORT, ctypes.byref(rule), 0)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    ports = "no TCP port" if port is None else f"TCP port {port} alone"
    return f"version {abi}: files that it needs, {ports if net else 'any TCP port'}" + (
        ", no signals to others" if scoped else ""
    )


def _allow(ruleset: int, path: Path, allowed: int) -> None:
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        is_folder = path.is_dir()
        rule = _PathBeneath(allowed if is_folder else allowed & _OF_PLAIN_FILES, found)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(found)


def _call(number: int, *arguments: object) -> int:
    if platform.system() != "Linux":
        raise OSError("only Linux has it")
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    answer = libc.syscall(ctypes.c_long(number), *words)
    if answer < 0:
        wrong = ctypes.get_errno()
        raise OSError(wrong, f"the kernel does not offer it ({os.strerror(wrong)})")
    return int(answer)
