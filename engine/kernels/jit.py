"""The one decorator for kernels, so that their options cannot differ.

Eager (an explicit signature), cached on disk, without the interpreter lock, with numpy's error
model, and never with fastmath: that would turn `isnan` off.
"""

from collections.abc import Callable
from typing import Any, cast

from numba import njit, types

Function = Callable[..., Any]

BYTES = types.Bytes(types.uint8, 1, "C")
"""A `bytes` object: half a microsecond faster to hand over than an array that views it."""


def kernel(signature: object) -> Callable[[Function], Function]:
    """Compile a function for the given numba signature, with the options all kernels share."""

    def compile_now(function: Function) -> Function:
        compiled = njit(signature, cache=True, nogil=True, error_model="numpy")(function)
        return cast("Function", compiled)

    return compile_now


def inlined(function: Function) -> Function:
    """Compile a helper that only other kernels call."""
    return cast("Function", njit(cache=True, nogil=True, error_model="numpy")(function))
