"""Reserves out of the words of events: all that a block tells of pairs in one call.

A word is a whole number of 256 bits, its first byte the highest; a pair's reserves have 112. As a
float it is the nearest one, the even one of two, as Python makes it.
"""

import math

import numpy as np
from numba import float64, int64

from engine.kernels.jit import BYTES, borrowing, borrowing_kernel

LIQUIDITY_MIN = 1_000
"""What a pair keeps for ever of each token: with less it has to be looked at."""

_WORD = 32
_ZEROS = 18
_HIGH = 6
_BITS = 64


@borrowing
def _nearest(high, low):
    """Return the float that is nearest to `high` times 2**64 and `low`."""
    if high == 0:
        return float(low)
    bits = math.frexp(float(high))[1]
    top = (high << np.uint64(_BITS - bits)) | (low >> np.uint64(bits))
    if low << np.uint64(_BITS - bits) != 0:
        top |= np.uint64(1)  # it is more than these bits say: never halfway
    return math.ldexp(float(top), bits)


@borrowing_kernel(int64(BYTES, float64[::1]))
def read_reserves(words, reserves_raw):
    """Read reserves.

    Args:
        words: one after the other, as many as there are results.
        reserves_raw: the results, float64.

    Returns:
        How many were read: all, or up to the first that is less than LIQUIDITY_MIN or has more than
        112 bits.
    """
    for k in range(reserves_raw.shape[0]):
        at = _WORD * k
        for i in range(at, at + _ZEROS):
            if words[i] != 0:
                return k
        high, low = np.uint64(0), np.uint64(0)
        for i in range(at + _ZEROS, at + _ZEROS + _HIGH):
            high = (high << np.uint64(8)) | np.uint64(words[i])
        for i in range(at + _ZEROS + _HIGH, at + _WORD):
            low = (low << np.uint64(8)) | np.uint64(words[i])
        if high == 0 and low < np.uint64(LIQUIDITY_MIN):
            return k
        reserves_raw[k] = _nearest(high, low)
    return reserves_raw.shape[0]
