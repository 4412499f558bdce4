"""Blocks: what the pools of a chain went through at once, as a chain's connector hands it over."""

import msgspec

from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.pools.moves import Move
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


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A block of a chain, and what it changed of the pools that are followed.

    Attributes:
        hash, parent_hash: of the block, and of the one that it stands on.
        made_at_ns: when it was made, by the chain's own clock.
        changes: in the order of the block's events.
        undone: how many of the newest blocks its branch takes the place of, which then never were.
    """

    chain: str
    number: int
    hash: str
    parent_hash: str
    made_at_ns: int
    changes: tuple[PoolChange, ...] = ()
    undone: int = 0


class ChainWord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message of a source of blocks: whole states as of its newest block, or the next block.

    Attributes:
        removed: addresses of pools that are not followed any more, or not by these terms: one of
            them may be among `pools` with others.
        gas: what a transaction costs from now on; said again before it grows too old.
    """

    removed: tuple[str, ...] = ()
    pools: tuple[PoolSnapshot, ...] = ()
    block: Block | None = None
    gas: GasPrice | None = None
