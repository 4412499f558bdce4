"""The newest blocks of one chain: whether the next one stands on them, and what would undo them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

Undo = TypeVar("Undo")


class Standing(IntEnum):
    """How a block stands to those that are known."""

    FIRST = 0
    """Nothing is known before it."""
    NEXT = 1
    """On the newest one, or on the one that is the newest once those are gone that it replaces."""
    KNOWN = 2
    """It is one of them."""
    GAP = 3
    """On none of them: blocks between are missing."""
    TOO_DEEP = 4
    """It takes the place of more blocks than can be undone."""


@dataclass(frozen=True, slots=True)
class KnownBlock(Generic[Undo]):
    """A block that was taken, and how each pool that it changed was before, by its number."""

    number: int
    hash: str
    undo: dict[int, Undo]


class ChainBlocks(Generic[Undo]):
    """The last blocks of a chain, oldest first; each stands on the one before.

    Args:
        undo_max: how many of them can be undone.
    """

    def __init__(self, undo_max: int) -> None:
        # One more is known than can be undone: the block that a branch of that depth stands on.
        self._blocks: deque[KnownBlock[Undo]] = deque(maxlen=undo_max + 1)
        self._hashes: set[str] = set()
        self._gone: list[KnownBlock[Undo]] = []

    @property
    def newest(self) -> KnownBlock[Undo] | None:
        """The newest block, None before the first."""
        return self._blocks[-1] if self._blocks else None

    def standing_of(
        self, number: int, block_hash: str, parent_hash: str, *, undone: int
    ) -> Standing:
        """Say how a block stands that takes the place of the `undone` newest ones."""
        blocks = self._blocks
        if not blocks:
            return Standing.FIRST
        if block_hash in self._hashes:
            return Standing.KNOWN
        if not 0 <= undone < len(blocks):
            return Standing.TOO_DEEP if undone > 0 else Standing.GAP
        parent = blocks[-1 - undone]
        is_next = parent.hash == parent_hash and parent.number < number
        return Standing.NEXT if is_next else Standing.GAP

    def add(self, number: int, block_hash: str, undo: dict[int, Undo]) -> None:
        """Take a block as the newest one."""
        if len(self._blocks) == self._blocks.maxlen:
            self._gone.append(self._blocks[0])
            self._hashes.discard(self._blocks[0].hash)
        self._blocks.append(KnownBlock(number, block_hash, undo))
        self._hashes.add(block_hash)

    def let_go(self) -> None:
        """Free what cannot be undone any more: hundreds of objects, while nothing waits for it."""
        self._gone.clear()

    def undo(self, count: int) -> Iterator[dict[int, Undo]]:
        """Forget the newest blocks, as many as there were; give how pools were before each."""
        for _ in range(count):
            gone = self._blocks.pop()
            self._hashes.discard(gone.hash)
            yield gone.undo

    def forget_pool(self, pool: int) -> None:
        """Forget a pool that was removed."""
        for known in self._blocks:
            known.undo.pop(pool, None)

    def clear(self) -> None:
        """Forget all blocks: what comes next stands on nothing known."""
        self._blocks.clear()
        self._hashes.clear()
