"""Sums and maxima over whole rows, sixteen lanes at a time.

Numba vectorises no maximum of a sum (it would have to reorder it), so that these are written as
vector instructions; LLVM splits them on processors with narrower registers. NaN is never greater
than anything, so that it never becomes a maximum. Rows are as long as a multiple of `LANES`.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.graph_layout import DEAD, LANES

_FLOAT = ir.FloatType()
_INDEX = ir.IntType(64)
_WIDTH = 16
_VECTOR = ir.VectorType(_FLOAT, _WIDTH)
_UNROLLED = LANES // _WIDTH
_ALIGNMENT = 4
_DEAD_32 = np.float32(DEAD)


def _is_plane(array: Any) -> bool:
    return (
        isinstance(array, types.Array)
        and array.ndim == 2
        and array.layout == "C"
        and array.dtype == types.float32
    )


def _row_pointer(context: Any, builder: Any, array: Any, value: Any, row: Any) -> Any:
    struct = context.make_array(array)(context, builder, value)
    stride = builder.extract_value(struct.strides, 0)
    data = builder.bitcast(struct.data, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(data, [builder.mul(row, stride)]), _VECTOR.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:
    loaded = builder.load(pointer)
    loaded.align = _ALIGNMENT
    return loaded


def _greater(builder: Any, value: Any, held: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", value, held), value, held)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _row_max(
    _typing: Any,
    first: Any,
    row: Any,  # noqa: ARG001 - numba reads the names
    second: Any,
    other: Any,  # noqa: ARG001
    begin: Any,  # noqa: ARG001
    end: Any,  # noqa: ARG001
) -> Any:
    if not (_is_plane(first) and _is_plane(second)):
        return None
    signature = types.float32(first, types.int64, second, types.int64, types.int64, types.int64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        left = _row_pointer(context, builder, first, arguments[0], arguments[1])
        right = _row_pointer(context, builder, second, arguments[2], arguments[3])
        start = ir.Constant(_VECTOR, [ir.Constant(_FLOAT, DEAD)] * _WIDTH)
        held = [cgutils.alloca_once_value(builder, start) for _ in range(_UNROLLED)]
        start_round = builder.sdiv(arguments[4], ir.Constant(_INDEX, LANES))
        end_round = builder.sdiv(arguments[5], ir.Constant(_INDEX, LANES))
        with cgutils.for_range(builder, end_round, start=start_round) as loop:
            base = builder.mul(loop.index, ir.Constant(_INDEX, _UNROLLED))
            for lane, slot in enumerate(held):
                at = builder.add(base, ir.Constant(_INDEX, lane))
                total = builder.fadd(
                    _load(builder, builder.gep(left, [at])),
                    _load(builder, builder.gep(right, [at])),
                )
                builder.store(_greater(builder, total, builder.load(slot)), slot)
        best = builder.load(held[0])
        for slot in held[1:]:
            best = _greater(builder, builder.load(slot), best)
        half = _WIDTH // 2
        while half:
            lanes = [ir.Constant(ir.IntType(32), (lane + half) % _WIDTH) for lane in range(_WIDTH)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), _WIDTH), lanes)
            best = _greater(builder, builder.shuffle_vector(best, best, mask), best)
            half //= 2
        return builder.extract_element(best, ir.Constant(ir.IntType(32), 0))

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _raise_row(
    _typing: Any,
    target: Any,
    row: Any,  # noqa: ARG001 - numba reads the names
    source: Any,
    other: Any,  # noqa: ARG001
    addend: Any,  # noqa: ARG001
    columns: Any,  # noqa: ARG001
) -> Any:
    if not (_is_plane(target) and _is_plane(source)):
        return None
    signature = types.void(target, types.int64, source, types.int64, types.float32, types.int64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        into = _row_pointer(context, builder, target, arguments[0], arguments[1])
        out_of = _row_pointer(context, builder, source, arguments[2], arguments[3])
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        zero = ir.Constant(ir.IntType(32), 0)
        mask = ir.Constant(ir.VectorType(ir.IntType(32), _WIDTH), [zero] * _WIDTH)
        addend_lanes = builder.shuffle_vector(
            builder.insert_element(undefined, arguments[4], zero), undefined, mask
        )
        rounds = builder.sdiv(arguments[5], ir.Constant(_INDEX, _WIDTH))
        with cgutils.for_range(builder, rounds) as loop:
            place = builder.gep(into, [loop.index])
            total = builder.fadd(_load(builder, builder.gep(out_of, [loop.index])), addend_lanes)
            stored = builder.store(_greater(builder, total, _load(builder, place)), place)
            stored.align = _ALIGNMENT
        return context.get_dummy_value()

    return signature, generate


def plain_row_max(first, row, second, other, begin, end):
    """Return the greatest ``first[row, k] + second[other, k]`` for k from begin to end, or DEAD."""
    best = _DEAD_32
    for k in range(begin, end):
        total = first[row, k] + second[other, k]
        best = max(best, total)
    return best


def plain_raise_row(target, row, source, other, addend, columns):
    """Raise each ``target[row, k]`` to ``source[other, k] + addend`` for k below `columns`."""
    for k in range(columns):
        total = source[other, k] + addend
        target[row, k] = max(target[row, k], total)


_IS_INTERPRETED = bool(getattr(config, "DISABLE_JIT", 0))

row_max: Any = plain_row_max if _IS_INTERPRETED else _row_max
"""`row_max(first, row, second, other, begin, end)` from kernels; see `plain_row_max`."""

raise_row: Any = plain_raise_row if _IS_INTERPRETED else _raise_row
"""`raise_row(target, row, source, other, addend, columns)`; see `plain_raise_row`."""
