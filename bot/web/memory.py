"""What was used for a moment is given back: a checked key's hash fills 19 MiB, a quarter of all."""

import ctypes
from typing import Final

_ARENA_MAX: Final = -8
_MMAP_THRESHOLD: Final = -3
_BYTES: Final = 1_048_576


def give_back_what_is_large() -> None:
    """Have the C library map what is large apart, so that it is gone once it is freed.

    glibc raises that bound by itself to whatever was freed last, and keeps such pieces from then
    on. Nor does it need a heap for each thread: here the loop does nearly everything. Other
    libraries of C have no such settings, and nothing is done.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _BYTES)
        set_option(_ARENA_MAX, 1)
