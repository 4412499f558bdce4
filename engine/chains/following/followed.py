"""One pool that is followed: its state as of the newest block, or why it is not known."""

from dataclasses import dataclass, field

from engine.chains.following.held import AnyHeld
from engine.chains.ports import BlockRef, Family, Log
from engine.domain.pools import Pool


@dataclass(slots=True)
class Reading:
    """A read under way.

    Attributes:
        at: as of which block.
        may_differ: whether the pool may have changed without an event.
        since: its events in the blocks after that.
    """

    at: BlockRef
    may_differ: bool
    since: list[tuple[str, list[Log]]] = field(default_factory=list)

    def take(self, block_hash: str, log: Log) -> None:
        """Take an event of the newest block."""
        if not self.since or self.since[-1][0] != block_hash:
            self.since.append((block_hash, []))
        self.since[-1][1].append(log)

    def undo(self, block_hash: str) -> None:
        """Forget the events of the newest block."""
        if self.since and self.since[-1][0] == block_hash:
            self.since.pop()


@dataclass(slots=True)
class Followed:
    """A pool.

    Attributes:
        pool: with its terms as last read.
        held: its state as of the newest block, None if it is not known.
        is_told: whether the engine knows of it.
        why: why it is not known.
        since: number of the block since which it is not.
        tries: reads in a row that did not succeed.
        wait_until: number of the block at which it may be read again.
    """

    pool: Pool
    family: Family
    held: AnyHeld | None = None
    is_told: bool = False
    why: str = "not read yet"
    since: int = 0
    reading: Reading | None = None
    tries: int = 0
    wait_until: int = 0
