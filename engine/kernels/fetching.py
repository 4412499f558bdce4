"""Memory asked for before it is read: a loop that asks for many places waits for all at once.

A batch touches some places of each edge, far apart. Read where they are needed, each is waited for
by itself.
"""

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

_BYTE = ir.IntType(8)
_FLAG = ir.IntType(32)
_READ, _KEEP, _DATA = 0, 3, 1


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _fetch(_typing: Any, array: Any, row: Any, column: Any) -> Any:  # noqa: ARG001 - numba reads the names
    """Ask for the cache line of an element of a C-contiguous 2-D array; the caller keeps in it."""
    if not (isinstance(array, types.Array) and array.ndim == 2 and array.layout == "C"):
        return None
    signature = types.void(array, types.int64, types.int64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        array_value, at_row, at_column = arguments
        struct = context.make_array(array)(context, builder, array_value)
        strides = [builder.extract_value(struct.strides, axis) for axis in range(2)]
        offset = builder.add(builder.mul(at_row, strides[0]), builder.mul(at_column, strides[1]))
        place = builder.gep(builder.bitcast(struct.data, _BYTE.as_pointer()), [offset])
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _FLAG, _FLAG, _FLAG])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(prefetch, [place, *(ir.Constant(_FLAG, one) for one in (_READ, _KEEP, _DATA))])
        return context.get_dummy_value()

    return signature, generate


def _look(array: Any, row: int, column: int) -> None:
    """Do nothing: where kernels run in the interpreter no time is to be saved."""


fetch: Any = _look if getattr(config, "DISABLE_JIT", 0) else _fetch
"""`fetch(array, row, column)` from kernels; numba adds the typing argument itself."""
