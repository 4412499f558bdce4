"""Blocks: what the pools of a chain went through at once, as a chain's connector hands it over."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.pools.moves import Move, PairMove
from engine.pools.snapshot_rows import AnyRow
from engine.pools.snapshots import PoolSnapshot


class PoolMoved(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="change", tag="moved"
):
    """What an event within the block says of a pool.

    Attributes:
        address: of the pool, as its chain writes it.
    """

    address: str
    move: Move


class PoolRead(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="read"):
    """The whole state of a pool as it stands at this place among the block's events."""

    address: str
    row: AnyRow


class PoolLost(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="lost"):
    """A pool changed in a way that nobody here knows: its state has to be read."""

    address: str
    fault: Fault


PoolChange = PoolMoved | PoolRead | PoolLost

WORD_BYTES: Final = 32
WORDS_BYTES: Final = 2 * WORD_BYTES


class PairMoves(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """New reserves of pairs side by side, each pair once: as a block leaves them.

    Nearly all that a block changes are hundreds of these, which are taken without an object for
    each.

    Attributes:
        addresses: of the pairs.
        words: the two words of each one's last `Sync`, one after the other: whole numbers with the
            first byte the highest.

    Raises:
        BadValueError: there are not two words for each address.
    """

    addresses: tuple[str, ...]
    words: bytes

    def __post_init__(self) -> None:
        if len(self.words) != len(self.addresses) * WORDS_BYTES:
            raise BadValueError(
                f"{len(self.words)} bytes of reserves for {len(self.addresses)} pairs"
            )

    def each_words(self) -> list[bytes]:
        """Return the two words of each pair."""
        words, width = self.words, WORDS_BYTES
        return [words[at : at + width] for at in range(0, len(words), width)]

    def moves(self) -> Iterator[PoolMoved]:
        """Return each as a move of its own."""
        for address, words in zip(self.addresses, self.each_words(), strict=True):
            yield PoolMoved(address=address, move=move_of(words))


def words_of(first: int, second: int) -> bytes:
    """Return two reserves as the words of a `Sync`."""
    return first.to_bytes(WORD_BYTES) + second.to_bytes(WORD_BYTES)


def move_of(words: bytes) -> PairMove:
    """Return what the two words of a `Sync` say."""
    return PairMove(
        reserve0_raw=int.from_bytes(words[:WORD_BYTES]),
        reserve1_raw=int.from_bytes(words[WORD_BYTES:]),
    )


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A block of a chain, and what it changed of the pools that are followed.

    Attributes:
        hash, parent_hash: of the block, and of the one that it stands on.
        made_at_ns: when it was made, by the chain's own clock.
        changes: in the order of the block's events, after those of `pairs`.
        undone: how many of the newest blocks its branch takes the place of, which then never were.
        pairs: what it leaves pairs with, up to the first of a pair's events that is in `changes`.
    """

    chain: str
    number: int
    hash: str
    parent_hash: str
    made_at_ns: int
    changes: tuple[PoolChange, ...] = ()
    undone: int = 0
    pairs: PairMoves | None = None

    def each_change(self) -> Sequence[PoolChange]:
        """Return what it changes, one by one, in the order in which it is taken."""
        return self.changes if self.pairs is None else (*self.pairs.moves(), *self.changes)


class SwapTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A large swap of a followed pool in a block that no node has told yet: a hint.

    Attributes:
        address: of the pool, as its chain writes it.
        block: number of the block that it is in, as a provider says.
        impact_bps: by how much it moves the price, rounded down.
        stream: by which webhook it came.
        tx: its transaction.
    """

    chain: str
    address: str
    block: int
    impact_bps: int
    stream: str
    tx: str


class ChainWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message of a source of blocks: whole states as of its newest block, or the next block.

    Attributes:
        removed: addresses of pools that are not followed any more, or not by these terms: one of
            them may be among `pools` with others.
        gas: what a transaction costs from now on; said again before it grows too old.
        told: large swaps of a block that is still to come.
    """

    removed: tuple[str, ...] = ()
    pools: tuple[PoolSnapshot, ...] = ()
    block: Block | None = None
    gas: GasPrice | None = None
    told: tuple[SwapTold, ...] = ()
