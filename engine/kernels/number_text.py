"""JSON numbers of the wire to exact whole numbers of steps.

A number is a whole number of steps of 10**-decimals, or it is refused; nothing is rounded.
"""

import numpy as np
from numba import int64

from engine.kernels.digits import PLAIN_BYTES, plain_number
from engine.kernels.jit import borrowing, fused

_DIGITS_MAX = 18  # 10**18 - 1 is the largest run of digits that fits an int64 whole
_EXPONENT_MAX = 40
_STEPS_MAX = int(np.iinfo(np.int64).max)
SIZE_STEPS_MAX = 10**18
"""A larger size counts as this one: never more than there is, and sums of nine still fit."""
_POWERS = 10 ** np.arange(_DIGITS_MAX + 1, dtype=np.int64)


@fused
def scale(mantissa, shift):
    """Return mantissa * 10**shift, or -1 if that is no whole number within int64."""
    if shift == 0 or mantissa == 0:
        return mantissa
    if shift > _DIGITS_MAX or shift < -_DIGITS_MAX:
        return int64(-1)
    if shift > 0:
        power = _POWERS[shift]
        return mantissa * power if mantissa <= _STEPS_MAX // power else int64(-1)
    power = _POWERS[-shift]
    whole = mantissa // power
    return whole if whole * power == mantissa else int64(-1)


@fused
def number(raw, i, decimals):
    """Parse an unsigned JSON number, quoted or bare, to steps of 10**-decimals.

    Returns (position after it, steps); steps is -1 if it is no exact whole number of steps. What
    venues send all the time, in quotes and at most eight digits to either side of the point, goes
    the fast way.
    """
    if i + 1 + PLAIN_BYTES <= len(raw) and raw[i] == 34:
        length, fraction, mantissa = plain_number(raw, i + 1)
        if length > 0:
            return i + length + 2, scale(mantissa, decimals - fraction)
    return _careful_number(raw, i, decimals)


@borrowing
def _careful_number(raw, i, decimals):
    """Parse any JSON number that `number` does not take; the result is the same."""
    n = len(raw)
    is_quoted = i < n and raw[i] == 34
    if is_quoted:
        i += 1
    mantissa = int64(0)
    digits = 0
    fraction = 0
    has_point = False
    has_digit = False
    is_bad = False
    while i < n:
        c = raw[i]
        if 48 <= c <= 57:
            has_digit = True
            if mantissa != 0 or c != 48:
                digits += 1
            if digits > _DIGITS_MAX:
                if c != 48 or not has_point:
                    is_bad = True
                # zeros that follow eighteen digits behind the point change nothing
            else:
                mantissa = mantissa * 10 + int64(c - 48)
                if has_point:
                    fraction += 1
        elif c == 46 and not has_point:
            has_point = True
        else:
            break
        i += 1
    exponent = 0
    if i < n and (raw[i] == 101 or raw[i] == 69):
        i += 1
        is_minus = False
        if i < n and (raw[i] == 43 or raw[i] == 45):
            is_minus = raw[i] == 45
            i += 1
        has_exponent_digit = False
        while i < n and 48 <= raw[i] <= 57:
            has_exponent_digit = True
            if exponent <= _EXPONENT_MAX:
                exponent = exponent * 10 + int(raw[i] - 48)
            i += 1
        if not has_exponent_digit or exponent > _EXPONENT_MAX:
            is_bad = True
        if is_minus:
            exponent = -exponent
    if is_quoted:
        if i >= n or raw[i] != 34:
            return i, int64(-1)
        i += 1
    if is_bad or not has_digit:
        return i, int64(-1)
    return i, scale(mantissa, decimals + exponent - fraction)


@fused
def scale_size(mantissa, shift):
    """Return mantissa * 10**shift as `scale` does, SIZE_STEPS_MAX if that is more."""
    steps = scale(mantissa, shift)
    if steps < 0 and shift > 0:
        return int64(SIZE_STEPS_MAX)
    return min(steps, int64(SIZE_STEPS_MAX))


@fused
def number_of_size(raw, i, decimals):
    """Parse a size as `number` does, SIZE_STEPS_MAX if it is more."""
    end, steps = number(raw, i, decimals)
    if steps < 0:
        return _large_size(raw, i, end, decimals)
    return end, min(steps, int64(SIZE_STEPS_MAX))


@borrowing
def _large_size(raw, i, end, decimals):
    """Judge a size that `number` refused: SIZE_STEPS_MAX if it is that large and whole, else -1.

    Only plain digits with at most one point are: a whole number of steps has no digit but zeros
    behind `decimals`, and one of nineteen digits or more is at least 10**18.
    """
    is_quoted = i < len(raw) and raw[i] == 34
    first, last = (i + 1, end - 1) if is_quoted else (i, end)
    if last <= first or (is_quoted and raw[last] != 34):
        return end, int64(-1)
    digits, places, has_point = 0, 0, False
    for k in range(first, last):
        c = raw[k]
        if c == 46 and not has_point:
            has_point = True
        elif 48 <= c <= 57:
            if has_point:
                places += 1
                if places > decimals and c != 48:
                    return end, int64(-1)
            if (digits > 0 or c != 48) and places <= decimals:
                digits += 1
        else:
            return end, int64(-1)
    digits += max(decimals - places, 0)
    return end, int64(SIZE_STEPS_MAX) if digits > _DIGITS_MAX else int64(-1)
