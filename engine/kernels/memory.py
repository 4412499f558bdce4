"""Moving rows of an array within itself, as the C library's memmove does.

A loop that shifts rows one by one is not vectorised, because source and target overlap; the
intrinsic moves about 20 times as much in the same time.
"""

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _move_rows(_typing: Any, array: Any, target: Any, source: Any, count: Any) -> Any:  # noqa: ARG001 - numba reads the names
    """Move `count` rows of a C-contiguous 2-D array from row `source` on to row `target` on.

    The caller keeps all of them within the array; ranges may overlap.
    """
    if not (isinstance(array, types.Array) and array.ndim == 2 and array.layout == "C"):
        return None
    signature = types.void(array, types.int64, types.int64, types.int64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        array_value, target_row, source_row, row_count = arguments
        struct = context.make_array(array)(context, builder, array_value)
        row_bytes = builder.extract_value(struct.strides, 0)
        byte_pointer = ir.IntType(8).as_pointer()
        data = builder.bitcast(struct.data, byte_pointer)
        cgutils.raw_memmove(
            builder,
            builder.gep(data, [builder.mul(target_row, row_bytes)]),
            builder.gep(data, [builder.mul(source_row, row_bytes)]),
            builder.mul(row_count, row_bytes),
            1,
        )
        return context.get_dummy_value()

    return signature, generate


def _copy_rows(array: Any, target: int, source: int, count: int) -> None:
    """Do the same without compilation, where an intrinsic cannot be called."""
    array[target : target + count] = array[source : source + count].copy()


move_rows: Any = _copy_rows if getattr(config, "DISABLE_JIT", 0) else _move_rows
"""`move_rows(array, target, source, count)` from kernels; numba adds the typing argument itself."""
