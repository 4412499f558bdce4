"""Events of one block side by side: what hundreds have each, in a few lists.

A block's events are checked, compared and taken as a whole. Hardly one of them is looked at by
itself, and only then it is made.
"""

from collections.abc import Collection, Sequence
from operator import eq, lt
from typing import overload

from engine.chains.ports import Log


class BlockLogs(Sequence[Log]):
    """Events of one block, in the order in which they were told; as a tuple of them otherwise.

    Attributes:
        block_number, block_hash: of the block.
        addresses: of each event's contract, in lower case.
        topics: of each event; those of one kind and the same topics are one object.
        data: of each event.
        tx_hashes: of its transaction.
        indexes: its place among all events of the block.
        kinds: first topics that there are; None stands for an event without any.
        all_topics: every topic that there is.
        is_in_order: whether there are events, their places rise, and none is there twice.
    """

    __slots__ = (
        "addresses",
        "all_topics",
        "block_hash",
        "block_number",
        "data",
        "indexes",
        "is_in_order",
        "kinds",
        "topics",
        "tx_hashes",
    )

    def __init__(
        self,
        *,
        block_number: int,
        block_hash: str,
        addresses: Sequence[str],
        topics: Sequence[tuple[bytes, ...]],
        data: Sequence[bytes],
        tx_hashes: Sequence[str],
        indexes: Sequence[int],
        different: Collection[tuple[bytes, ...]] | None = None,
    ) -> None:
        """Put events side by side; `different` are the topics that there are, each once."""
        self.block_number, self.block_hash = block_number, block_hash
        self.addresses, self.topics, self.data = addresses, topics, data
        self.tx_hashes, self.indexes = tx_hashes, indexes
        different = set(topics) if different is None else different
        self.kinds: set[bytes | None] = {one[0] if one else None for one in different}
        self.all_topics: set[bytes] = set().union(*different)
        self.is_in_order = bool(indexes) and all(map(lt, indexes, indexes[1:]))

    @overload
    def __getitem__(self, at: int) -> Log: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Log]: ...
    def __getitem__(self, at: int | slice) -> Log | Sequence[Log]:
        """Make an event, or some."""
        if isinstance(at, slice):
            return tuple([self[one] for one in range(*at.indices(len(self)))])
        return Log(
            address=self.addresses[at],
            topics=self.topics[at],
            data=self.data[at],
            block_number=self.block_number,
            block_hash=self.block_hash,
            tx_hash=self.tx_hashes[at],
            index=self.indexes[at],
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.addresses)

    def __eq__(self, other: object) -> bool:
        """Compare with events in any sequence."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # as of a list: see `sense_of`


def sense_of(logs: Sequence[Log]) -> tuple[object, ...]:
    """Return what events say, however they are kept, so that it can be compared and hashed."""
    if isinstance(logs, BlockLogs):
        count = len(logs)
        return (
            *(tuple(logs.addresses), tuple(logs.topics), tuple(logs.data)),
            *((logs.block_number,) * count, (logs.block_hash,) * count),
            *(tuple(logs.tx_hashes), tuple(logs.indexes)),
        )
    return tuple(
        tuple([getattr(log, name) for log in logs])
        for name in (
            "address", "topics", "data", "block_number", "block_hash", "tx_hash", "index",
        )
    )  # fmt: skip
