"""Give the compiler's code back once the kernels are there.

Loading compiled kernels pages in some 50 MB of LLVM's machine code, which nothing runs afterwards.
These pages are the library's file, unchanged: the system forgets them and would read them again if
anything were compiled after all.
"""

import ctypes
import logging
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LIBRARY: Final = "libllvmlite"
CODE: Final = "r-xp"
"""Only code: the library's data holds addresses that were written when it was loaded."""

MADV_DONTNEED: Final = 4
MAPS: Final = Path("/proc/self/maps")


def release_compiler() -> None:
    """Forget the pages of LLVM's code; where that is not possible they stay."""
    try:
        lines = MAPS.read_text().splitlines()
        advise = ctypes.CDLL(None, use_errno=True).madvise
    except (OSError, AttributeError) as error:
        log.info("the compiler's memory stays: %s", error)
        return
    for line in lines:
        bounds, access, *rest = line.split()
        if access == CODE and LIBRARY in rest[-1]:
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            if advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED):
                log.info("the compiler's memory stays: errno %d", ctypes.get_errno())
