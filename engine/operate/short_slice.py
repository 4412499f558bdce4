"""Being given the processor at once, on kernels that know slices by thread (Linux 6.12 and newer).

A thread that wakes up waits for the slice of the one that runs, 1.4 ms on two cores, if both are of
groups that the kernel weighs as a whole: within a group idle work gives way at once, among
groups (autogroup, containers) nobody asks what is within. One that asks for a shorter slice than
who runs has needs not wait. It costs nothing but more switches where others want the core, too.
"""

import ctypes
import os
import struct
import sys
from typing import Final

from engine.domain.units import NS_PER_US

SLICE_NS: Final = 100 * NS_PER_US
"""The shortest that the kernel takes; a frame is decided on in less."""

_SET: Final = {"x86_64": 314, "aarch64": 274}
_GET: Final = {"x86_64": 315, "aarch64": 275}
_ATTRIBUTES: Final = struct.Struct("=IIQiIQQQ")
"""struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period."""
_RESET_ON_FORK: Final = 1
_NORMAL: Final = 0


def ask_for_short_slices(slice_ns: int = SLICE_NS) -> str:
    """Ask for slices of so long for this thread, not for what it starts; 0 is the system's own.

    Returns:
        Why that is not so; empty if it is, also on a kernel that takes the wish and ignores it.
    """
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in _SET:
        return "this system has no slices by thread"
    library = ctypes.CDLL(None, use_errno=True)
    raw = ctypes.create_string_buffer(_ATTRIBUTES.size)
    if library.syscall(_GET[machine], 0, raw, _ATTRIBUTES.size, 0) < 0:
        return os.strerror(ctypes.get_errno())
    _, policy, _, nice, *_ = _ATTRIBUTES.unpack(raw.raw)
    if policy != _NORMAL:
        return "this thread is scheduled otherwise already"
    wish = _ATTRIBUTES.pack(_ATTRIBUTES.size, policy, _RESET_ON_FORK, nice, 0, slice_ns, 0, 0)
    if library.syscall(_SET[machine], 0, wish, 0) < 0:
        return os.strerror(ctypes.get_errno())
    return ""


def slice_ns_now() -> int:
    """Return the slice of this thread as the kernel tells it; 0 if it does not."""
    machine = os.uname().machine
    raw = ctypes.create_string_buffer(_ATTRIBUTES.size)
    if sys.platform != "linux" or machine not in _GET:
        return 0
    if ctypes.CDLL(None).syscall(_GET[machine], 0, raw, _ATTRIBUTES.size, 0) < 0:
        return 0
    return int(_ATTRIBUTES.unpack(raw.raw)[5])
