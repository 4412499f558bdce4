"""The words of many pairs' reserves, looked at all at once."""

import sys
from array import array
from typing import Final

from engine.pools.blocks import WORD_BYTES

SHIFT: Final = 24
"""Bits of a reserve that are left out, so that 64 are enough for the others."""

UPPER_MIN: Final = 1 << 14
"""Of those others, so that they are right to a part in ten thousand."""

_BEFORE: Final = WORD_BYTES - 8 - SHIFT // 8
"""Bytes of a word before them."""


def upper_bits(words: bytes) -> "array[int] | None":
    """Return the upper bits of reserves: of each all but the lowest 24.

    Args:
        words: of the reserves, one after the other.

    Returns:
        None where one has more than 88 bits, or less than 38: hardly a pair's has.
    """
    shifted = _numbers(words[_BEFORE % 8 : _BEFORE % 8 - 8])
    upper = shifted[_BEFORE // 8 :: 4]
    zeros = bytes(8 * len(upper))
    is_plain = (
        array("Q", words)[::4].tobytes() == zeros
        and shifted[::4].tobytes() == zeros
        and shifted[1::4].tobytes() == zeros
        and min(upper) >= UPPER_MIN
    )
    return upper if is_plain else None


def _numbers(text: bytes) -> "array[int]":
    """Return whole numbers of 64 bits, each with its first byte the highest."""
    numbers = array("Q", text)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
