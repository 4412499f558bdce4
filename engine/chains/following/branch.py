"""The newest blocks of the branch that is followed, and how each of its pools was before them."""

from collections import deque
from dataclasses import dataclass, field

from engine.chains.following.held import Back
from engine.chains.ports import BlockRef


@dataclass(slots=True)
class Taken:
    """A block that was taken, and how each pool that it changed was before."""

    ref: BlockRef
    backs: dict[str, Back] = field(default_factory=dict)


class Branch:
    """The last blocks, oldest first; each stands on the one before.

    Args:
        undo_max: how many of them can be undone.
    """

    def __init__(self, undo_max: int) -> None:
        # One more is known than can be undone: the block that a branch of that depth stands on.
        self._taken: deque[Taken] = deque(maxlen=undo_max + 1)
        self._hashes: set[str] = set()
        self._gone: list[Taken] = []

    @property
    def tip(self) -> Taken | None:
        """The newest block, None before the first."""
        return self._taken[-1] if self._taken else None

    @property
    def oldest(self) -> BlockRef:
        """The oldest block that a branch can stand on."""
        return self._taken[0].ref

    def depth_of(self, block_hash: str) -> int | None:
        """Return how many blocks stand on this one; None if it is none of them."""
        if block_hash not in self._hashes:
            return None
        for depth, taken in enumerate(reversed(self._taken)):
            if taken.ref.hash == block_hash:
                return depth
        return None

    def at(self, depth: int) -> BlockRef:
        """Return the block on which so many stand."""
        return self._taken[-1 - depth].ref

    def add(self, taken: Taken) -> None:
        """Take a block as the newest one."""
        if len(self._taken) == self._taken.maxlen:
            self._gone.append(self._taken[0])
            self._hashes.discard(self._taken[0].ref.hash)
        self._taken.append(taken)
        self._hashes.add(taken.ref.hash)

    def let_go(self) -> None:
        """Free what cannot be undone any more: hundreds of objects, while nothing waits for it."""
        self._gone.clear()

    def pop(self) -> Taken:
        """Forget the newest block."""
        gone = self._taken.pop()
        self._hashes.discard(gone.ref.hash)
        return gone

    def forget(self, address: str) -> None:
        """Forget a pool."""
        for taken in self._taken:
            taken.backs.pop(address, None)

    def clear(self) -> None:
        """Forget all blocks."""
        self._taken.clear()
        self._hashes.clear()
