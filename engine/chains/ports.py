"""What the parts of a chain's connector ask of each other, and the values that go between them.

A node says everything in hexadecimal digits; behind this module it is numbers and bytes, and an
address is in lower case.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

import msgspec

from engine.domain.pools import Pool
from engine.pools.blocks import PoolChange
from engine.pools.snapshot_rows import AnyRow

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What JSON-RPC carries."""


class BlockRef(msgspec.Struct, frozen=True, kw_only=True):
    """A block, named so that no other one can be meant.

    Attributes:
        hash, parent_hash: 0x and 64 digits, in lower case.
        made_at_s: the block's own time, whole seconds since 1970.
    """

    number: int
    hash: str
    parent_hash: str
    made_at_s: int


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a contract.

    Attributes:
        address: of the contract, in lower case.
        topics: 32 bytes each; the first one says which event it is.
        index: place among all events of its block.
    """

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: str
    tx_hash: str
    index: int


class Call(NamedTuple):
    """A read of a contract: `data` is its selector and arguments."""

    to: str
    data: bytes


class Refusal(StrEnum):
    """Why a node's answer is none."""

    AWAY = "away"
    """No provider can be reached in time."""
    LIMITED = "limited"
    """All providers that could answer have used up what they allow."""
    REFUSED = "refused"
    """A node answered that it will not or cannot: the text is the node's."""
    TOO_MANY = "too_many"
    """More logs or blocks than the provider gives at once: ask for a smaller span."""
    LIED = "lied"
    """The answer cannot be true, or providers do not agree on it."""


class NodeError(Exception):
    """A node gave no answer that may be used; nothing is known then that was not before."""

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(f"{refusal}: {text}")
        self.refusal: Final = refusal


class Topic(StrEnum):
    """What can be subscribed to."""

    HEADS = "newHeads"
    LOGS = "logs"
    PENDING = "newPendingTransactions"
    """Hashes; with `BODIES` whole transactions, where a node has them."""
    PRECONFIRMED = "pendingLogs"
    """Events of what a sequencer has confirmed ahead of its block (flashblocks): hints."""

    @property
    def is_optional(self) -> bool:
        """Whether a node may have none of it, and is sound all the same."""
        return self in (Topic.PENDING, Topic.PRECONFIRMED)


BODIES: Final[Mapping[str, Json]] = {"bodies": True}
"""What `Topic.PENDING` is asked with for whole transactions: nodes take a bare ``true`` there."""


class Node(Protocol):
    """A chain's nodes as if they were one; `rpc` keeps several providers behind it."""

    async def request(self, method: str, *params: Json) -> Json:
        """Ask one thing.

        Raises:
            NodeError: there is no answer that may be used.
        """
        ...

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        """Ask several things of one and the same provider, answers in their order.

        Raises:
            NodeError: there is no answer to any of it.
        """
        ...

    def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        """Give what a subscription tells, for as long as its connection stands.

        It ends with a NodeError when that breaks or falls silent, also half-open: what came after
        is unknown, and the caller begins anew. Whoever leaves it earlier closes it (`aclosing`).
        """
        ...


class Reader(Protocol):
    """Reads contracts at one block, named by its hash, in few requests."""

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        """Return each call's answer, None where it reverted or there is no such contract.

        Raises:
            NodeError: the block is not known (any more), or no answer may be used.
        """
        ...

    async def logs(
        self,
        first: int,
        last: int,
        *,
        topics: Sequence[bytes],
        addresses: Sequence[str] = (),
    ) -> list[Log]:
        """Return the events of these kinds from a span of blocks, both ends included, in order.

        Raises:
            NodeError: TOO_MANY asks for a smaller span.
        """
        ...


class ReadAgain(msgspec.Struct, frozen=True, kw_only=True):
    """An event changed something of a pool that it does not tell: the pool has to be read."""

    why: str


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A pool that cannot be followed, and why: one sentence for the operator."""

    why: str


class PoolNow(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as it was read at a block: its terms, which may have changed, and its state."""

    pool: Pool
    row: AnyRow


class Family(Protocol):
    """What pools of one make have in common: how they tell their moves, how they are read."""

    @property
    def topics(self) -> frozenset[bytes]:
        """First topics of the events that change such a pool."""
        ...

    @property
    def is_polled(self) -> bool:
        """Whether terms (a fee) may change without any event: see `terms`."""
        ...

    def address_of(self, log: Log) -> str:
        """Return the `Pool.address` that an event is about: its contract, or an id within one."""
        ...

    def change_of(self, pool: Pool, log: Log) -> PoolChange | ReadAgain | None:
        """Return what an event says of a pool, None if it changes nothing of a swap's outcome.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        ...

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read pools at a block, each for itself: one that cannot be read harms no other.

        Raises:
            NodeError: nothing could be read.
        """
        ...

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Read again what may change without any event: the pools as they are named at a block.

        One that comes back other than it was has to be read whole, as one whose change would show
        nowhere but in its state. Where the family is not polled, nothing is asked.

        Raises:
            NodeError: nothing could be read.
        """
        ...
