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

PAIR_BYTES = 40
"""The same of `plain_pair`."""

_RUN_MAX = 8
_LENGTH_MAX = 16
_PAIR_MAX = 32

_POWERS = 10 ** np.arange(_RUN_MAX + 1, dtype=np.uint64)
_ZEROS = np.uint64(0x3030303030303030)
_PAIRS = np.uint64(0x000000FF000000FF)
_OUTER = np.uint64(100 + (1_000_000 << 32))
_INNER = np.uint64(1 + (10_000 << 32))
_ONE, _THREE, _EIGHT, _TEN = np.uint64(1), np.uint64(3), np.uint64(8), np.uint64(10)
_SIXTEEN, _THIRTY_TWO, _BITS = np.uint64(16), np.uint64(32), np.uint64(64)
_RUN_LAST = np.uint64(_RUN_MAX - 1)

# What stands behind digits: as many low bytes of a word, and what they have to be.
_ONE_BYTE, _POINT = np.uint64(0xFF), np.uint64(int.from_bytes(b".", "little"))
_TWO_BYTES, _END = np.uint64(0xFFFF), np.uint64(int.from_bytes(b'"]', "little"))
_THREE_BYTES, _BETWEEN = np.uint64(0xFFFFFF), np.uint64(int.from_bytes(b'","', "little"))
_QUOTE = np.uint64(int.from_bytes(b'"', "little"))

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)


def _block(size: int) -> ir.VectorType:
    return ir.VectorType(_BYTE, size)


def _block_of(number: int, size: int) -> ir.Constant:
    return ir.Constant(_block(size), [ir.Constant(_BYTE, number)] * size)


def _marks(context: Any, builder: Any, raw: Any, arguments: Any, size: int) -> Any:
    """Return a bit for each of so many bytes from a byte on, set where it is no digit."""
    block = _load(context, builder, raw, arguments, _block(size))
    values = builder.sub(block, _block_of(48, size))
    marks = builder.icmp_unsigned(">", values, _block_of(9, size))
    return builder.zext(builder.bitcast(marks, ir.IntType(size)), _WORD)


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
def _marks_of_16(_typing: Any, raw: Any, i: Any) -> Any:  # noqa: ARG001
    """Return the marks of the sixteen bytes from byte `i` on."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _marks(context, builder, raw, arguments, _LENGTH_MAX)

    return types.uint64(raw, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _marks_of_32(_typing: Any, raw: Any, i: Any) -> Any:  # noqa: ARG001
    """Return the marks of the 32 bytes from byte `i` on."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _marks(context, builder, raw, arguments, _PAIR_MAX)

    return types.uint64(raw, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _lowest(_typing: Any, word: Any) -> Any:  # noqa: ARG001
    """Return the number of the lowest bit that is set; 64 if none is."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), generate


# Numba adds the typing argument of an intrinsic itself.
_load_word_at: Any = _load_word
_marks_16_at: Any = _marks_of_16
_marks_32_at: Any = _marks_of_32
_lowest_of: Any = _lowest


@fused
def _value(word, count):
    """Return the number that the first `count` bytes of a word spell; from one to eight digits."""
    # Leading zeros take the place of what is behind the digits.
    word = (word ^ _ZEROS) << (_BITS - (count << _THREE))
    word = word * _TEN + (word >> _EIGHT)
    return ((word & _PAIRS) * _OUTER + ((word >> _SIXTEEN) & _PAIRS) * _INNER) >> _THIRTY_TWO


@fused
def _is_run(count):
    """Say whether so many digits are from one to eight."""
    return np.uint64(count - 1) <= _RUN_LAST


@fused
def _decimal(raw, i, whole, fraction):
    """Return all digits of a number at byte `i` as one number."""
    digits = _value(_load_word_at(raw, i), np.uint64(whole)) * _POWERS[np.uint64(fraction)]
    return np.int64(digits + _value(_load_word_at(raw, i + whole + 1), np.uint64(fraction)))


@fused
def _plain_number(raw, i):
    marks = _marks_16_at(raw, i)
    whole = _lowest_of(marks)
    if not _is_run(whole):
        return 0, 0, np.int64(0)
    behind = _load_word_at(raw, i + whole) & _ONE_BYTE
    if behind == _QUOTE:
        return whole, 0, np.int64(_value(_load_word_at(raw, i), np.uint64(whole)))
    stop = _lowest_of(marks & (marks - _ONE))
    fraction = stop - whole - 1
    if behind != _POINT or stop >= _LENGTH_MAX or not _is_run(fraction) or raw[i + stop] != 34:
        return 0, 0, np.int64(0)
    return stop, fraction, _decimal(raw, i, whole, fraction)


@fused
def _plain_pair(raw, i):
    # The marks one after the other: a point, three between the numbers, a point, the end.
    marks = _marks_32_at(raw, i)
    point = _lowest_of(marks)
    marks &= marks - _ONE
    between = _lowest_of(marks)
    marks &= marks - _ONE
    marks &= marks - _ONE
    marks &= marks - _ONE
    other_point = _lowest_of(marks)
    end = _lowest_of(marks & (marks - _ONE))
    start = between + 3
    fraction, whole = between - point - 1, other_point - start
    other_fraction = end - other_point - 1
    # One branch for all, as each alone is as good as never taken. A mark that is not there counts
    # as number 64, which makes no run of what is before it.
    if not (_is_run(point) & _is_run(fraction) & _is_run(whole) & _is_run(other_fraction)):
        return 0, 0, np.int64(0), 0, np.int64(0)
    if not (
        (_load_word_at(raw, i + point) & _ONE_BYTE == _POINT)
        & (_load_word_at(raw, i + between) & _THREE_BYTES == _BETWEEN)
        & (_load_word_at(raw, i + other_point) & _ONE_BYTE == _POINT)
        & (_load_word_at(raw, i + end) & _TWO_BYTES == _END)
    ):
        return 0, 0, np.int64(0), 0, np.int64(0)
    first = _decimal(raw, i, point, fraction)
    return end, fraction, first, other_fraction, _decimal(raw, i + start, whole, other_fraction)


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


def _plain_pair_slowly(raw: bytes, i: int) -> tuple[int, int, np.int64, int, np.int64]:
    """Do the same without compilation."""
    length, fraction, first = _plain_number_slowly(raw, i)
    start = i + length + 3
    if not fraction or bytes(raw[start - 2 : start]) != b',"':
        return 0, 0, np.int64(0), 0, np.int64(0)
    other_length, other_fraction, second = _plain_number_slowly(raw, start)
    end = start - i + other_length
    if not other_fraction or end >= _PAIR_MAX or raw[i + end + 1 : i + end + 2] != b"]":
        return 0, 0, np.int64(0), 0, np.int64(0)
    return end, fraction, first, other_fraction, second


plain_pair: Any = _plain_pair_slowly if getattr(config, "DISABLE_JIT", 0) else _plain_pair
"""`plain_pair(raw, i)`: (length, fraction digits, first number, fraction digits, second number) of
two plain numbers, both with a point, as in ``1.5","2.25"]`` from byte `i` on; length 0 if it is
anything else, or longer than 31 bytes. The caller keeps `PAIR_BYTES` within `raw`."""
