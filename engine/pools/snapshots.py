"""Snapshots: a pool and its state at a block, as text for files, recordings and chain connectors.

Here is the edge at which bad pools are refused by name; behind it every state is one that its
contract can have and trade from.
"""

from collections.abc import Iterable

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, PoolId
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import ROW_OF, AnyRow, PoolState

TEXT_BYTES_MAX = 2_000_000
"""Beyond any snapshot of TICKS_MAX ticks."""


class PoolSnapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A pool as it was read.

    Attributes:
        block: number of the chain's block; none if the source does not say.
    """

    pool: Pool
    row: AnyRow
    block: int | None = None


def to_json(snapshot: PoolSnapshot) -> bytes:
    """Give a snapshot as text; the same snapshot always gives the same bytes."""
    return msgspec.json.encode(snapshot)


def parse(text: bytes | str) -> PoolSnapshot:
    """Parse and check a snapshot.

    Raises:
        BadValueError: it is no snapshot, or no pool can be in this state; the text names the pool,
            the value and the rule.
    """
    if len(text) > TEXT_BYTES_MAX:
        raise BadValueError(f"a pool snapshot of {len(text)} bytes; at most {TEXT_BYTES_MAX}")
    try:
        snapshot = msgspec.json.decode(text, type=PoolSnapshot)
    except msgspec.MsgspecError as error:
        raise BadValueError(f"the pool snapshot cannot be read: {error}") from error
    state_of(snapshot)
    return snapshot


def state_of(snapshot: PoolSnapshot) -> PoolState:
    """Return the exact state of a snapshot.

    Raises:
        BadValueError: no pool can be in this state; the text names the pool, the value and the
            rule.
    """
    pool = snapshot.pool
    expected = ROW_OF[pool.protocol]
    if not isinstance(snapshot.row, expected):
        raise BadValueError(
            f"{pool}, {pool.pool_id}: its state has the form of {type(snapshot.row).__name__},"
            f" not of {expected.__name__}"
        )
    try:
        state = snapshot.row.state(pool)
    except BadValueError as error:
        raise BadValueError(f"{pool}, {pool.pool_id}: {error}") from error
    if isinstance(state, ConstantProductState | ConcentratedState) and len(pool.tokens) != 2:  # noqa: PLR2004 - the form's
        raise BadValueError(f"{pool}, {pool.pool_id}: {len(pool.tokens)} tokens; its form has 2")
    return state


def check_distinct(snapshots: Iterable[PoolSnapshot]) -> None:
    """Check that no pool stands twice in a list.

    Raises:
        BadValueError: one does.
    """
    seen: set[PoolId] = set()
    for snapshot in snapshots:
        if snapshot.pool.pool_id in seen:
            raise BadValueError(f"pool {snapshot.pool.pool_id} stands twice in the list")
        seen.add(snapshot.pool.pool_id)
