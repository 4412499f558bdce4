"""Multicall3's aggregate3: many reads of contracts in one call, in the ABI's own bytes.

https://github.com/mds1/multicall3; the same address on every chain. A general ABI library costs
15 MB and more time than the node.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.chains.ports import Call
from engine.domain.errors import BadValueError

ADDRESS: Final = "0xca11bde05977b3631167028862be2a173976ca11"

_SELECTOR: Final = bytes.fromhex("82ad56cb")
"""Of aggregate3((address target, bool allowFailure, bytes callData)[])."""

_WORD: Final = 32


class Outcome(NamedTuple):
    """What one of the calls came to."""

    is_success: bool
    answer: bytes


def encode(calls: Sequence[Call]) -> bytes:
    """Return the data of a call that makes all these, each of which may fail."""
    offset = _WORD * len(calls)
    offsets, bodies = [], []
    for call in calls:
        body = b"".join(
            (
                bytes.fromhex(call.to[2:]).rjust(_WORD, b"\0"),
                _word(1),
                _word(3 * _WORD),
                _word(len(call.data)),
                call.data,
                bytes(-len(call.data) % _WORD),
            )
        )
        offsets.append(_word(offset))
        bodies.append(body)
        offset += len(body)
    return b"".join((_SELECTOR, _word(_WORD), _word(len(calls)), *offsets, *bodies))


def decode(answer: bytes, count: int) -> list[Outcome]:
    """Return what each of so many calls came to.

    Raises:
        BadValueError: these are not the bytes of such an answer.
    """
    array = _number(answer, 0)
    if _number(answer, array) != count:
        raise BadValueError(f"{_number(answer, array)} answers to {count} calls")
    first = array + _WORD
    outcomes = []
    size = 0
    for index in range(count):
        at = first + _number(answer, first + _WORD * index)
        is_success = _number(answer, at)
        start = at + _number(answer, at + _WORD)
        length = _number(answer, start)
        padded = answer[start + _WORD : start + _WORD + length + -length % _WORD]
        size += length  # many may point at the same bytes
        is_whole = len(padded) == length + -length % _WORD and not any(padded[length:])
        if is_success > 1 or not is_whole or size > len(answer):
            raise BadValueError(f"call {index} of {count}: {len(padded)} of {length} bytes")
        outcomes.append(Outcome(is_success == 1, padded[:length]))
    return outcomes


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def _number(answer: bytes, at: int) -> int:
    word = answer[at : at + _WORD]
    if len(word) != _WORD:
        raise BadValueError(f"an answer of {len(answer)} bytes, read at {at}")
    return int.from_bytes(word, "big")
