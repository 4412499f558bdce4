"""How small FastLZ makes some bytes, which is what Fjord reckons the L1 data fee by.

Level 1, greedy, with the hash table of the reference that OP-stack chains agree on: the length
alone is worked out. Every chain must come to the same number, so must we.
"""

from typing import Final

_SLOTS: Final = 8192
_DISTANCE_MAX: Final = 0x1FFF
_TAIL: Final = 13
"""Nothing is looked for in the last bytes."""
_MATCH_TAIL: Final = 4
_LITERALS: Final = 32
_MATCH_MAX: Final = 262
_SHORT: Final = 6


def fastlz_size(data: bytes) -> int:
    """Return how many bytes FastLZ makes of these."""
    slots = [0] * _SLOTS
    limit = max(len(data) - _TAIL, 0)
    size, literal_from, at = 0, 0, 2
    while at < limit:
        before = 0
        while at < limit:
            three = _three(data, at)
            slot = _slot(three)
            before, slots[slot] = slots[slot], at
            if at - before <= _DISTANCE_MAX and three == _three(data, before):
                break
            at += 1
        if at >= limit - 1:
            break
        size += _literals(at - literal_from)
        length = _equal(data, before + 3, at + 3, len(data) - _MATCH_TAIL)
        size += _match(length)
        at += length
        for _ in range(2):
            slots[_slot(_three(data, at))] = at
            at += 1
        literal_from = at
    return size + _literals(len(data) - literal_from)


def _three(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


def _slot(three: int) -> int:
    return (2654435769 * three & 0xFFFFFFFF) >> 19 & 0x1FFF


def _literals(count: int) -> int:
    """Return what bytes as they are take, each run of 32 with a byte that says so."""
    whole, rest = divmod(count, _LITERALS)
    return whole * (_LITERALS + 1) + (rest + 1 if rest else 0)


def _match(length: int) -> int:
    """Return what a repetition of so many bytes beyond its first three takes."""
    whole, rest = divmod(length - 1, _MATCH_MAX)
    return 3 * whole + (3 if rest >= _SHORT else 2)


def _equal(data: bytes, one: int, other: int, end: int) -> int:
    """Return how many bytes are equal from two places on, plus the one that is not."""
    length = 0
    while other + length < end:
        length += 1
        if data[one + length - 1] != data[other + length - 1]:
            break
    return length
