"""Many arrays handed to a kernel as one: their addresses and shapes in an array of numbers.

Handing over an array costs a tenth of a microsecond; a screen needs thirty of them, always the
same. Whoever makes a context keeps its arrays alive and in place for as long as it is used. Where
kernels run in the interpreter there is no such thing: there the arrays are handed over themselves.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from engine.kernels.jit import inlined

SLOT = 4  # address, then up to three lengths


def make_context(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Return the addresses and shapes of C-contiguous arrays of up to three axes.

    Raises:
        ValueError: an array is not contiguous or has more axes.
    """
    context = np.zeros((len(arrays), SLOT), np.int64)
    for row, array in zip(context, arrays, strict=True):
        if not array.flags.c_contiguous or array.ndim >= SLOT:
            raise ValueError(f"array of shape {array.shape} cannot be in a context")
        row[0] = array.ctypes.data
        row[1 : 1 + array.ndim] = array.shape
    return context.reshape(-1)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _as_pointer(_typing: Any, address: Any) -> Any:
    """Turn an address into a pointer."""

    def generate(_context: object, builder: Any, _signature: object, arguments: Any) -> object:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


_pointer: Any = _as_pointer
"""`_pointer(address)` from kernels; numba adds the typing argument itself."""


@inlined
def float32_1(context, i):
    """Return array `i` of a context; the name tells its type and axes, as in the others."""
    return carray(_pointer(context[SLOT * i]), (context[SLOT * i + 1],), np.float32)


@inlined
def float32_3(context, i):
    """See `float32_1`."""
    k = SLOT * i
    shape = (context[k + 1], context[k + 2], context[k + 3])
    return carray(_pointer(context[k]), shape, np.float32)


@inlined
def float64_1(context, i):
    """See `float32_1`."""
    return carray(_pointer(context[SLOT * i]), (context[SLOT * i + 1],), np.float64)


@inlined
def float64_2(context, i):
    """See `float32_1`."""
    k = SLOT * i
    return carray(_pointer(context[k]), (context[k + 1], context[k + 2]), np.float64)


@inlined
def float64_3(context, i):
    """See `float32_1`."""
    k = SLOT * i
    shape = (context[k + 1], context[k + 2], context[k + 3])
    return carray(_pointer(context[k]), shape, np.float64)


@inlined
def int8_1(context, i):
    """See `float32_1`."""
    return carray(_pointer(context[SLOT * i]), (context[SLOT * i + 1],), np.int8)


@inlined
def int32_2(context, i):
    """See `float32_1`."""
    k = SLOT * i
    return carray(_pointer(context[k]), (context[k + 1], context[k + 2]), np.int32)


@inlined
def int64_1(context, i):
    """See `float32_1`."""
    return carray(_pointer(context[SLOT * i]), (context[SLOT * i + 1],), np.int64)


@inlined
def int64_2(context, i):
    """See `float32_1`."""
    k = SLOT * i
    return carray(_pointer(context[k]), (context[k + 1], context[k + 2]), np.int64)


@inlined
def int64_3(context, i):
    """See `float32_1`."""
    k = SLOT * i
    shape = (context[k + 1], context[k + 2], context[k + 3])
    return carray(_pointer(context[k]), shape, np.int64)
