"""Whole numbers of 256 bits: tuples of four uint64 limbs, the least one first.

Division is schoolbook (Knuth's algorithm D) over limbs, without an array: every limb stays in a
register. Its one primitive is 128 by 64 bits, which x86 has as an instruction and others do not;
the choice falls when this module is imported. Everything here is for other kernels, except the
`words_` kernels, through which Python tests it.
"""

import platform
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import boolean, types, uint64

from engine.kernels.jit import borrowing, kernel
from engine.kernels.wide import (
    add,
    is_less,
    multiply,
    multiply_limbs,
    subtract,
    typed_intrinsic,
)

HAS_DIVIDE_INSTRUCTION = platform.machine().lower() in {"x86_64", "amd64"}

ZERO = np.uint64(0)
ONE = np.uint64(1)
WORD_ZERO = (ZERO, ZERO, ZERO, ZERO)

_LIMB_MAX = np.uint64(2**64 - 1)
_HALF = np.uint64(32)
_HALF_MAX = np.uint64(2**32 - 1)
_63 = np.uint64(63)

_I64 = ir.IntType(64)

if HAS_DIVIDE_INSTRUCTION:
    binding.initialize_native_asmparser()


def to_limbs(value: int, count: int = 4) -> np.ndarray:
    """Return a whole number as an array of limbs.

    Raises:
        OverflowError: it is negative or does not fit.
    """
    return np.frombuffer(bytearray(value.to_bytes(8 * count, "little")), np.uint64)


def from_limbs(limbs: np.ndarray) -> int:
    """Return the whole number of an array of limbs."""
    return int.from_bytes(limbs.tobytes(), "little")


# ---- one limb ----------------------------------------------------------------------------------


@typed_intrinsic
def _leading_zeros(_typing: Any, a: Any) -> Any:  # noqa: ARG001 - numba reads the names
    signature = types.uint64(types.uint64)

    def generate(_context: Any, builder: Any, _sig: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return signature, generate


@typed_intrinsic
def _divide_by_instruction(_typing: Any, high: Any, low: Any, divisor: Any) -> Any:  # noqa: ARG001
    signature = types.UniTuple(types.uint64, 2)(types.uint64, types.uint64, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        both = ir.LiteralStructType([_I64, _I64])
        form = ir.FunctionType(both, [_I64, _I64, _I64])
        constraint = "={rax},={rdx},{rdx},{rax},r,~{flags}"
        code = ir.InlineAsm(form, "divq $4", constraint, side_effect=False)
        found = builder.call(code, list(arguments))
        limbs = [builder.extract_value(found, 0), builder.extract_value(found, 1)]
        return context.make_tuple(builder, sig.return_type, limbs)

    return signature, generate


@borrowing
def divide_by_halves(high, low, divisor):
    """Divide 128 by 64 bits with 64-bit divisions; the same rule as `divide_limbs`."""
    top = divisor >> _HALF
    bottom = divisor & _HALF_MAX
    upper = low >> _HALF
    q1 = high // top
    r = high - q1 * top
    while q1 > _HALF_MAX or q1 * bottom > ((r << _HALF) | upper):
        q1 -= ONE
        r += top
        if r > _HALF_MAX:
            break
    middle = ((high << _HALF) | upper) - q1 * divisor
    q0 = middle // top
    r = middle - q0 * top
    lower = low & _HALF_MAX
    while q0 > _HALF_MAX or q0 * bottom > ((r << _HALF) | lower):
        q0 -= ONE
        r += top
        if r > _HALF_MAX:
            break
    return (q1 << _HALF) + q0, ((middle << _HALF) | lower) - q0 * divisor


if HAS_DIVIDE_INSTRUCTION:

    @borrowing
    def divide_limbs(high, low, divisor):
        """Divide high * 2**64 + low; high is below the divisor, whose top bit is set."""
        return _divide_by_instruction(high, low, divisor)
else:
    divide_limbs = divide_by_halves


# ---- several limbs -----------------------------------------------------------------------------


@borrowing
def is_zero(a):
    """Tell whether a word of four limbs is 0."""
    return (a[0] | a[1] | a[2] | a[3]) == ZERO


@borrowing
def is_equal(a, b):
    """Tell whether two words of four limbs are the same."""
    return a[0] == b[0] and a[1] == b[1] and a[2] == b[2] and a[3] == b[3]


@borrowing
def increment(a):
    """Add 1, modulo 2**256."""
    return add(a, (ONE, ZERO, ZERO, ZERO))


@borrowing
def to_float(a):
    """Return the float64 next to a word, to within its last place."""
    scale = 18446744073709551616.0
    return ((np.float64(a[3]) * scale + np.float64(a[2])) * scale + np.float64(a[1])) * scale + (
        np.float64(a[0])
    )


# ---- division ----------------------------------------------------------------------------------


@borrowing
def _shifted(low, high, s):
    """Return the upper limb of (high, low) shifted left by s < 64."""
    return (high << s) | ((low >> ONE) >> (_63 - s))


@borrowing
def _digit1(r0, n, v0):
    if r0 == ZERO and n < v0:
        return ZERO, n
    return divide_limbs(r0, n, v0)


@borrowing
def _estimate(u2, u1, u0, v1, v0):
    """Divide three limbs by the two top limbs of a divisor: at most one too much for more limbs."""
    if u2 >= v1:
        q = _LIMB_MAX
        r = u1 + v1
        is_over = r < v1
    else:
        q, r = divide_limbs(u2, u1, v1)
        is_over = False
    while not is_over:
        low, high = multiply_limbs(q, v0)
        if high < r or (high == r and low <= u0):
            break
        q -= ONE
        r += v1
        is_over = r < v1
    return q


@borrowing
def _digit2(r1, r0, n, v1, v0):
    if r1 == ZERO and r0 < v1:
        return ZERO, r0, n
    q = _estimate(r1, r0, n, v1, v0)
    rest = subtract((n, r0, r1), multiply((q,), (v0, v1)))
    return q, rest[1], rest[0]


@borrowing
def _digit3(r2, r1, r0, n, v2, v1, v0):
    if r2 == ZERO and r1 < v2:
        return ZERO, r1, r0, n
    q = _estimate(r2, r1, r0, v2, v1)
    rest = subtract((n, r0, r1, r2), multiply((q,), (v0, v1, v2)))
    if rest[3] != ZERO:  # below 0: one too much
        q -= ONE
        rest = add(rest, (v0, v1, v2, ZERO))
    return q, rest[2], rest[1], rest[0]


@borrowing
def _digit4(r3, r2, r1, r0, n, v3, v2, v1, v0):
    if r3 == ZERO and r2 < v3:
        return ZERO, r2, r1, r0, n
    q = _estimate(r3, r2, r1, v3, v2)
    rest = subtract((n, r0, r1, r2, r3), multiply((q,), (v0, v1, v2, v3)))
    if rest[4] != ZERO:  # below 0: one too much
        q -= ONE
        rest = add(rest, (v0, v1, v2, v3, ZERO))
    return q, rest[3], rest[2], rest[1], rest[0]


@borrowing
def _divide_by_4(high, low, d):
    s = _leading_zeros(d[3])
    v0, v1 = d[0] << s, _shifted(d[0], d[1], s)
    v2, v3 = _shifted(d[1], d[2], s), _shifted(d[2], d[3], s)
    a, b = _shifted(high[2], high[3], s), _shifted(high[1], high[2], s)
    c, e = _shifted(high[0], high[1], s), _shifted(low[3], high[0], s)
    q3, a, b, c, e = _digit4(a, b, c, e, _shifted(low[2], low[3], s), v3, v2, v1, v0)
    q2, a, b, c, e = _digit4(a, b, c, e, _shifted(low[1], low[2], s), v3, v2, v1, v0)
    q1, a, b, c, e = _digit4(a, b, c, e, _shifted(low[0], low[1], s), v3, v2, v1, v0)
    q0, a, b, c, e = _digit4(a, b, c, e, low[0] << s, v3, v2, v1, v0)
    return (q0, q1, q2, q3), (a | b | c | e) != ZERO


@borrowing
def _divide_by_3(high, low, d):
    s = _leading_zeros(d[2])
    v0, v1, v2 = d[0] << s, _shifted(d[0], d[1], s), _shifted(d[1], d[2], s)
    a, b = _shifted(high[1], high[2], s), _shifted(high[0], high[1], s)
    c = _shifted(low[3], high[0], s)
    q3, a, b, c = _digit3(a, b, c, _shifted(low[2], low[3], s), v2, v1, v0)
    q2, a, b, c = _digit3(a, b, c, _shifted(low[1], low[2], s), v2, v1, v0)
    q1, a, b, c = _digit3(a, b, c, _shifted(low[0], low[1], s), v2, v1, v0)
    q0, a, b, c = _digit3(a, b, c, low[0] << s, v2, v1, v0)
    return (q0, q1, q2, q3), (a | b | c) != ZERO


@borrowing
def _divide_by_2(high, low, d):
    s = _leading_zeros(d[1])
    v0, v1 = d[0] << s, _shifted(d[0], d[1], s)
    a, b = _shifted(high[0], high[1], s), _shifted(low[3], high[0], s)
    q3, a, b = _digit2(a, b, _shifted(low[2], low[3], s), v1, v0)
    q2, a, b = _digit2(a, b, _shifted(low[1], low[2], s), v1, v0)
    q1, a, b = _digit2(a, b, _shifted(low[0], low[1], s), v1, v0)
    q0, a, b = _digit2(a, b, low[0] << s, v1, v0)
    return (q0, q1, q2, q3), (a | b) != ZERO


@borrowing
def _divide_by_1(high, low, d):
    s = _leading_zeros(d[0])
    v0 = d[0] << s
    a = _shifted(low[3], high[0], s)
    q3, a = _digit1(a, _shifted(low[2], low[3], s), v0)
    q2, a = _digit1(a, _shifted(low[1], low[2], s), v0)
    q1, a = _digit1(a, _shifted(low[0], low[1], s), v0)
    q0, a = _digit1(a, low[0] << s, v0)
    return (q0, q1, q2, q3), a != ZERO


@borrowing
def divide_wide(high, low, d):
    """Divide high * 2**256 + low, where high is below the divisor: the quotient fits a word."""
    if d[3] != ZERO:
        return _divide_by_4(high, low, d)
    if d[2] != ZERO:
        return _divide_by_3(high, low, d)
    if d[1] != ZERO:
        return _divide_by_2(high, low, d)
    return _divide_by_1(high, low, d)


@borrowing
def divide(n, d):
    """Divide a word, rounding down; 0 by a divisor of 0."""
    if is_zero(d):
        return WORD_ZERO
    return divide_wide(WORD_ZERO, n, d)[0]


@borrowing
def divide_up(n, d):
    """Divide a word, rounding up; 0 by a divisor of 0."""
    if is_zero(d):
        return WORD_ZERO
    q, has_rest = divide_wide(WORD_ZERO, n, d)
    return increment(q) if has_rest else q


@borrowing
def mul_div(a, b, d):
    """Multiply two words and divide by a third, rounding down.

    Returns the word and whether it is right: it is not if it overflows or the divisor is 0.
    """
    product = multiply(a, b)
    high = (product[4], product[5], product[6], product[7])
    if not is_less(high, d):
        return WORD_ZERO, False
    low = (product[0], product[1], product[2], product[3])
    return divide_wide(high, low, d)[0], True


@borrowing
def mul_div_up(a, b, d):
    """Multiply two words and divide by a third, rounding up; returns as `mul_div` does."""
    product = multiply(a, b)
    high = (product[4], product[5], product[6], product[7])
    if not is_less(high, d):
        return WORD_ZERO, False
    low = (product[0], product[1], product[2], product[3])
    q, has_rest = divide_wide(high, low, d)
    if has_rest:
        q = increment(q)
        return q, not is_zero(q)
    return q, True


# ---- for Python --------------------------------------------------------------------------------

_WORDS = uint64[::1]


@borrowing
def load(words):
    """Return an array of four limbs as a word."""
    return words[0], words[1], words[2], words[3]


@borrowing
def store(a, words):
    """Write a word to an array of four limbs."""
    words[0], words[1], words[2], words[3] = a


@kernel(boolean(_WORDS, _WORDS, _WORDS, _WORDS))
def words_mul_div(a, b, d, out):
    """Write a * b / d, rounded down, to `out`; returns whether it is right, as `mul_div` does."""
    found, is_right = mul_div(load(a), load(b), load(d))
    store(found, out)
    return is_right


@kernel(boolean(_WORDS, _WORDS, _WORDS, _WORDS))
def words_mul_div_up(a, b, d, out):
    """Write a * b / d, rounded up, to `out`; returns whether it is right, as `mul_div` does."""
    found, is_right = mul_div_up(load(a), load(b), load(d))
    store(found, out)
    return is_right
