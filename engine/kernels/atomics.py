"""Memory that two processes share: ordered loads, stores and fences at an address.

LLVM may move, merge or drop plain loads and stores; these it may not. An address is an int64 of
memory that the caller keeps mapped and aligned to 8 bytes. Without compilation the same is done
through ctypes; the interpreter keeps the order of the source, and x86 that of the stores.
"""

import ctypes
import struct
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

WORD_BYTES = 8

_WORD = ir.IntType(64)


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _WORD.as_pointer())


def _loader(ordering: str) -> Any:
    def _load(_typing: Any, address: Any) -> Any:  # noqa: ARG001 - numba reads the names
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.load_atomic(_pointer(builder, arguments[0]), ordering, WORD_BYTES)

        return types.int64(types.int64), generate

    return intrinsic(_load)


def _storer(ordering: str) -> Any:
    def _store(_typing: Any, address: Any, value: Any) -> Any:  # noqa: ARG001 - numba reads the names
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            pointer = _pointer(builder, arguments[0])
            builder.store_atomic(arguments[1], pointer, ordering, WORD_BYTES)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return intrinsic(_store)


def _fencer(ordering: str) -> Any:
    def _fence(_typing: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            builder.fence(ordering)
            return context.get_dummy_value()

        return types.void(), generate

    return intrinsic(_fence)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _bits_of(_typing: Any, value: Any) -> Any:  # noqa: ARG001 - numba reads the names
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _WORD)

    return types.int64(types.float64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _float_of(_typing: Any, bits: Any) -> Any:  # noqa: ARG001 - numba reads the names
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


def _plain_load(address: int) -> int:
    return ctypes.c_int64.from_address(int(address)).value


def _plain_store(address: int, value: int) -> None:
    ctypes.c_int64.from_address(int(address)).value = int(value)


def _plain_fence() -> None:
    """Do nothing: the interpreter does one thing after the other."""


def _plain_bits_of(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def _plain_float_of(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", int(bits)))[0])


_IS_INTERPRETED = bool(getattr(config, "DISABLE_JIT", 0))

load_word: Any = _plain_load if _IS_INTERPRETED else _loader("monotonic")
"""`load_word(address)`: an int64, whole, in no order with other words."""

load_acquire: Any = _plain_load if _IS_INTERPRETED else _loader("acquire")
"""`load_acquire(address)`: likewise, and before every later load and store."""

store_word: Any = _plain_store if _IS_INTERPRETED else _storer("monotonic")
"""`store_word(address, value)`: an int64, whole, in no order with other words."""

store_release: Any = _plain_store if _IS_INTERPRETED else _storer("release")
"""`store_release(address, value)`: likewise, and after every earlier load and store."""

fence_acquire: Any = _plain_fence if _IS_INTERPRETED else _fencer("acquire")
"""`fence_acquire()`: earlier loads stay before later loads and stores."""

fence_release: Any = _plain_fence if _IS_INTERPRETED else _fencer("release")
"""`fence_release()`: earlier loads and stores stay before later stores."""

bits_of: Any = _plain_bits_of if _IS_INTERPRETED else _bits_of
"""`bits_of(value)`: the int64 with the bits of a float64."""

float_of: Any = _plain_float_of if _IS_INTERPRETED else _float_of
"""`float_of(bits)`: the float64 with the bits of an int64."""
