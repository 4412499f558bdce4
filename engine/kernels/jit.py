"""The one decorator for kernels, so that their options cannot differ.

Eager (an explicit signature), cached on disk, without the interpreter lock, with numpy's error
model, and never with fastmath: that would turn `isnan` off.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from numba import config, njit, types

from engine.kernels.cache_files import share_cache

Function = Callable[..., Any]

BYTES = types.Bytes(types.uint8, 1, "C")
"""A `bytes` object: half a microsecond faster to hand over than an array that views it."""

_FOLDER: Final = Path(__file__).resolve().parent


def cache_directory() -> Path:
    """Return the folder of the compiled kernels, named after the source of all of them.

    Numba's own index looks at one file only, so that a constant changed in `layout` would leave
    kernels compiled with the old one.
    """
    digest = hashlib.sha256()
    for source in sorted(_FOLDER.glob("*.py")):
        digest.update(source.read_bytes())
    configured: str = getattr(config, "CACHE_DIR", "")
    parent = Path(configured) if configured else _FOLDER / "__pycache__"
    if parent.name.startswith("kernels-"):
        return parent  # this module was imported anew
    return parent / f"kernels-{digest.hexdigest()[:16]}"


config.CACHE_DIR = str(cache_directory())  # type: ignore[attr-defined]
share_cache()


def kernel(signature: object) -> Callable[[Function], Function]:
    """Compile a function for the given numba signature, with the options all kernels share."""
    return _compiler(signature)


def borrowing_kernel(signature: object) -> Callable[[Function], Function]:
    """Like `kernel`, for one that makes no array and so only borrows those it is given.

    It counts no references, which is most of what a small helper with a tuple of arrays takes:
    cycle scans are twice as fast without. To make an array in it is an error of compilation.
    """
    return _compiler(signature, _nrt=False)


def inlined(function: Function) -> Function:
    """Compile a helper that only other kernels call."""
    return _compiler()(function)


def merged(function: Function) -> Function:
    """Like `inlined`, and always compiled into its callers: for what hands many arrays back."""
    return _compiler(forceinline=True)(function)


def borrowing(function: Function) -> Function:
    """Like `inlined`, for a helper that makes no array; see `borrowing_kernel`."""
    return _compiler(_nrt=False)(function)


def fused(function: Function) -> Function:
    """Like `borrowing`, and always compiled into its callers: for what is called for every edge.

    A call passes each field of each array of a tuple on the stack, a hundred and more; with the
    scans of an edge in functions of their own, that took half of the time.
    """
    return _compiler(_nrt=False, forceinline=True)(function)


def _compiler(*signature: object, **options: bool) -> Callable[[Function], Function]:
    make_compiled: Callable[..., Any] = njit

    def compile_now(function: Function) -> Function:
        compiled = make_compiled(*signature, cache=True, nogil=True, error_model="numpy", **options)
        return cast("Function", compiled(function))

    return compile_now
