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


@typed_intrinsic
def multiply_limbs(_typing: Any, a: Any, b: Any) -> Any:  # noqa: ARG001 - numba reads the names
    """Multiply two limbs: the low and the high limb of the product."""
    signature = types.UniTuple(types.uint64, 2)(types.uint64, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        left, right = (builder.zext(argument, _I128) for argument in arguments)
        product = builder.mul(left, right)
        high = builder.lshr(product, ir.Constant(_I128, 64))
        limbs = [builder.trunc(product, _I64), builder.trunc(high, _I64)]
        return context.make_tuple(builder, sig.return_type, limbs)

    return signature, generate


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
def multiply(_typing: Any, a: Any, b: Any) -> Any:
    """Multiply tuples of m and n limbs to one of m + n."""
    if not _is_words(a, b):
        return None
    signature = types.UniTuple(types.uint64, a.count + b.count)(a, b)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        left = [builder.zext(limb, _I128) for limb in cgutils.unpack_tuple(builder, arguments[0])]
        right = [builder.zext(limb, _I128) for limb in cgutils.unpack_tuple(builder, arguments[1])]
        nothing = ir.Constant(_I128, 0)
        sums = [nothing] * (len(left) + len(right))
        for i, one in enumerate(left):
            carry = nothing
            for j, other in enumerate(right):
                # limb * limb + limb + limb fits 128 bits
                total = builder.add(builder.mul(one, other), builder.add(sums[i + j], carry))
                sums[i + j] = builder.zext(builder.trunc(total, _I64), _I128)
                carry = builder.lshr(total, ir.Constant(_I128, 64))
            sums[i + len(right)] = carry
        return context.make_tuple(
            builder, sig.return_type, [builder.trunc(limb, _I64) for limb in sums]
        )

    return signature, generate


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
