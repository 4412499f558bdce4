"""Arithmetic on tuples of uint64 limbs, the least one first, as numba intrinsics.

LLVM knows whole numbers of any width and carries between limbs with the machine's own flags, which
no code in numba's Python reaches.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I64 = ir.IntType(64)
_I128 = ir.IntType(128)


def typed_intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make numba call a generator of code; to type checkers it is a function of its operands."""
    return cast("Callable[..., Any]", intrinsic(function))


def _wide(builder: Any, limbs: list[Any]) -> Any:
    form = ir.IntType(64 * len(limbs))
    wide = builder.zext(limbs[0], form)
    for place, limb in enumerate(limbs[1:], 1):
        shifted = builder.shl(builder.zext(limb, form), ir.Constant(form, 64 * place))
        wide = builder.or_(wide, shifted)
    return wide


def _narrow(builder: Any, wide: Any) -> list[Any]:
    places = range(0, wide.type.width, 64)
    return [
        builder.trunc(builder.lshr(wide, ir.Constant(wide.type, place)), _I64) for place in places
    ]


def _is_words(a: Any, b: Any) -> bool:
    forms = (types.UniTuple,)
    return (
        isinstance(a, forms)
        and isinstance(b, forms)
        and a.dtype == types.uint64
        and b.dtype == types.uint64
    )


@typed_intrinsic
def add(_typing: Any, a: Any, b: Any) -> Any:
    """Add tuples of as many limbs; what is beyond the last limb is lost."""
    if not _is_words(a, b) or a.count != b.count:
        return None

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        left, right = (_wide(builder, cgutils.unpack_tuple(builder, one)) for one in arguments)
        limbs = _narrow(builder, builder.add(left, right))
        return context.make_tuple(builder, sig.return_type, limbs)

    return a(a, b), generate


@typed_intrinsic
def subtract(_typing: Any, a: Any, b: Any) -> Any:
    """Subtract tuples of as many limbs, modulo their range."""
    if not _is_words(a, b) or a.count != b.count:
        return None

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        left, right = (_wide(builder, cgutils.unpack_tuple(builder, one)) for one in arguments)
        limbs = _narrow(builder, builder.sub(left, right))
        return context.make_tuple(builder, sig.return_type, limbs)

    return a(a, b), generate


@typed_intrinsic
def is_less(_typing: Any, a: Any, b: Any) -> Any:
    """Tell whether the first of two tuples of as many limbs is the smaller number."""
    if not _is_words(a, b) or a.count != b.count:
        return None

    def generate(_context: Any, builder: Any, _sig: Any, arguments: Any) -> Any:
        left, right = (_wide(builder, cgutils.unpack_tuple(builder, one)) for one in arguments)
        return builder.icmp_unsigned("<", left, right)

    return types.boolean(a, b), generate
