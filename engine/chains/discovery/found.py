"""Pools as their factories told of them, and why one is not taken over."""

from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.dexes import Dex


class FoundPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool that a factory told of.

    Attributes:
        address: its own, or its id within the factory; in lower case.
        tokens: their addresses in the pool's order; none where the factory does not tell them.
        fee_pips: what it takes of an input, in millionths; 0 where it has to be read.
        number: what its address follows from beside its tokens: fee, tick spacing, 1 if stable.
        serial: its place among the factory's pools from 1 on; 0 where the factory does not count.
        block: in which it was told.
    """

    dex: Dex
    address: str
    tokens: tuple[str, ...] = ()
    fee_pips: int = 0
    number: int = 0
    serial: int = 0
    block: int


class PoolRefusal(StrEnum):
    """Why a pool that was told is none to us."""

    MALFORMED = "the event is none of a new pool"
    TOKENS = "such tokens no pool has"
    HOOKS = "hooks may change what a swap gives"
    ELSEWHERE = "its address is not the one that its factory derives"
    TWICE = "it was told twice, each time as another pool"
    FULL = "no room: as many pools are known as can be"
    NO_FEE = "nobody says its fee"
    TOKEN = "a token of it cannot be used"  # noqa: S105 - of a chain
    UNSAFE = "a token of it is not safe"
    NO_FORM = "pools of its make cannot be followed"
    KIND = "it is of no kind of its make that can be followed"
    POOR = "there is less in it than is looked for"
    UNKNOWN = "what is in it is worth nobody knows what"
    BEYOND = "others have more in them, and no more are followed"


class PoolRefusedError(Exception):
    """A pool is not taken over."""

    def __init__(self, refusal: PoolRefusal, text: str) -> None:
        super().__init__(f"{refusal}: {text}")
        self.refusal: Final = refusal
        self.text: Final = text
