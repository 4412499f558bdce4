"""What a sentence about transactions is about: each matter is an alert of its own."""

from collections.abc import Sequence
from typing import Final

from engine.domain.told import Matter

_WORDS: Final[Sequence[tuple[str, Matter]]] = (
    ("out of gas money", Matter.GAS),
    ("the block that showed it is gone", Matter.REORGANISED),
    ("by what we never signed", Matter.FOREIGN),
    ("waits as it is", Matter.STUCK),
    ("waits to be signed", Matter.STUCK),
    ("others wait for it", Matter.STUCK),
    ("filling it is too dear", Matter.STUCK),
    ("others were first in the block", Matter.REVERTED),
    ("the chain was begun anew", Matter.ANEW),
)


def matter_of(sentence: str) -> Matter:
    """Return what a sentence that is told is about, by the words that its writers use."""
    return next((matter for words, matter in _WORDS if words in sentence), Matter.OTHER)
