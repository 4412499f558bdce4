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
        for depth, taken in enumerate(reversed(self._taken)):
            if taken.ref.hash == block_hash:
                return depth
        return None

    def at(self, depth: int) -> BlockRef:
        """Return the block on which so many stand."""
        return self._taken[-1 - depth].ref

    def add(self, taken: Taken) -> None:
        """Take a block as the newest one."""
        self._taken.append(taken)

    def pop(self) -> Taken:
        """Forget the newest block."""
        return self._taken.pop()

    def forget(self, address: str) -> None:
        """Forget a pool."""
        for taken in self._taken:
            taken.backs.pop(address, None)

    def clear(self) -> None:
        """Forget all blocks."""
        self._taken.clear()
