"""Plain decimal numbers in text, read many bytes at a time.

One comparison of sixteen bytes marks all that are no digit; the marks show where the number's point
is and where it ends. Digits are turned into a number eight at a time: exclusive or with 0x30 leaves
the value of each, and three multiplications add neighbours up to pairs, pairs to fours, fours to
eight.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.jit import fused

PLAIN_BYTES = 17
"""Bytes from the first digit on that `plain_number` may read."""

_RUN_MAX = 8
_LENGTH_MAX = 16
_QUOTE, _POINT = 34, 46

_POWERS = 10 ** np.arange(_RUN_MAX + 1, dtype=np.int64)
_ZEROS = np.uint64(0x3030303030303030)
_PAIRS = np.uint64(0x000000FF000000FF)
_OUTER = np.uint64(100 + (1_000_000 << 32))
_INNER = np.uint64(1 + (10_000 << 32))
_ONE, _EIGHT, _TEN, _SIXTEEN = np.uint64(1), np.uint64(8), np.uint64(10), np.uint64(16)
_THIRTY_TWO = np.uint64(32)

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
_BLOCK = ir.VectorType(_BYTE, _LENGTH_MAX)


def _block_of(number: int) -> ir.Constant:
    return ir.Constant(_BLOCK, [ir.Constant(_BYTE, number)] * _LENGTH_MAX)


def _load(context: Any, builder: Any, raw: Any, arguments: Any, kind: Any) -> Any:
    struct = context.make_array(raw)(context, builder, arguments[0])
    data = builder.bitcast(struct.data, _BYTE.as_pointer())
    loaded = builder.load(
        builder.bitcast(builder.gep(data, [arguments[1]]), kind.as_pointer()),
    )
    loaded.align = 1
    return loaded


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _load_word(_typing: Any, raw: Any, i: Any) -> Any:  # noqa: ARG001 - numba reads the names
    """Return the eight bytes from byte `i` on, the first as the lowest."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _load(context, builder, raw, arguments, _WORD)

    return types.uint64(raw, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _marks(_typing: Any, raw: Any, i: Any) -> Any:  # noqa: ARG001
    """Return a bit for each of the sixteen bytes from byte `i` on, set where it is no digit."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        block = _load(context, builder, raw, arguments, _BLOCK)
        values = builder.sub(block, _block_of(48))
        marks = builder.icmp_unsigned(">", values, _block_of(9))
        return builder.zext(builder.bitcast(marks, ir.IntType(_LENGTH_MAX)), _WORD)

    return types.uint64(raw, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _lowest(_typing: Any, word: Any) -> Any:  # noqa: ARG001
    """Return the number of the lowest bit that is set; 64 if none is."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), generate


# Numba adds the typing argument of an intrinsic itself.
_load_word_at: Any = _load_word
_marks_at: Any = _marks
_lowest_of: Any = _lowest


@fused
def _value(word, count):
    """Return the number that the first `count` bytes of a word spell; from one to eight digits."""
    # Leading zeros take the place of what is behind the digits.
    word = (word ^ _ZEROS) << np.uint64(8 * (_RUN_MAX - count))
    word = word * _TEN + (word >> _EIGHT)
    pairs = (word & _PAIRS) * _OUTER + ((word >> _SIXTEEN) & _PAIRS) * _INNER
    return np.int64(pairs >> _THIRTY_TWO)


@fused
def _plain_number(raw, i):
    marks = _marks_at(raw, i)
    whole = _lowest_of(marks)
    if not 0 < whole <= _RUN_MAX:
        return 0, 0, np.int64(0)
    if raw[i + whole] == _QUOTE:
        return whole, 0, _value(_load_word_at(raw, i), whole)
    stop = _lowest_of(marks & (marks - _ONE))
    fraction = stop - whole - 1
    if (
        raw[i + whole] != _POINT
        or not (0 < fraction <= _RUN_MAX and stop < _LENGTH_MAX)
        or raw[i + stop] != _QUOTE
    ):
        return 0, 0, np.int64(0)
    value = _value(_load_word_at(raw, i), whole) * _POWERS[fraction]
    return stop, fraction, value + _value(_load_word_at(raw, i + whole + 1), fraction)


def _plain_number_slowly(raw: bytes, i: int) -> tuple[int, int, np.int64]:
    """Do the same without compilation, where an intrinsic cannot be called."""
    text = bytes(raw[i : i + _LENGTH_MAX]).partition(b'"')
    whole, point, fraction = text[0].partition(b".")
    is_plain = text[1] and whole.isdigit() and len(whole) <= _RUN_MAX
    if point:
        is_plain = is_plain and fraction.isdigit() and len(fraction) <= _RUN_MAX
    if not is_plain:
        return 0, 0, np.int64(0)
    return len(text[0]), len(fraction), np.int64(int(whole + fraction))


plain_number: Any = _plain_number_slowly if getattr(config, "DISABLE_JIT", 0) else _plain_number
"""`plain_number(raw, i)`: (length, fraction digits, all digits as a number) of the number at byte
`i` that ends with a quote; length 0 if it is none of at most eight digits to either side of the
point, or longer than fifteen bytes. The caller keeps `PLAIN_BYTES` within `raw`."""
