"""What the readings of all makes share: an answer that is none, and a row that no pool can have."""

from dataclasses import replace
from decimal import Decimal

from engine.chains.families.words import check_starts
from engine.chains.ports import PoolNow, Unreadable
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.snapshot_rows import AnyRow
from engine.pools.snapshots import PoolSnapshot, state_of

_WHY_CHARACTERS_MAX = 300


class NotReadError(Exception):
    """Why one pool cannot be followed, on its way to its `Unreadable`."""


def answered(answer: bytes | None, words: int, *, what: str) -> bytes:
    """Return a contract's answer, of so many words at least.

    Raises:
        NotReadError: it reverted, there is no such contract, or it says less.
    """
    if answer is None:
        raise NotReadError(f"its contract gives no {what}")
    try:
        return check_starts(answer, words, what=f"its contract's {what}")
    except BadValueError as error:
        raise NotReadError(str(error)) from error


def pool_now(pool: Pool, row: AnyRow) -> PoolNow | Unreadable:
    """Return a pool as it was read, if a pool can be so and trade."""
    try:
        state_of(PoolSnapshot(pool=pool, row=row))
    except BadValueError as error:
        return unreadable(error)
    return PoolNow(pool=pool, row=row)


def unreadable(error: Exception) -> Unreadable:
    """Return why a pool cannot be followed, at a length that can be shown."""
    return Unreadable(why=str(error)[:_WHY_CHARACTERS_MAX])


def with_fee(pool: Pool, numerator: int, one: int) -> Pool:
    """Return a pool with the fee that its contract tells, in parts of `one`, a power of ten.

    Raises:
        NotReadError: it is the whole input or more.
    """
    if not 0 <= numerator < one:
        raise NotReadError(f"its fee is {numerator} of {one}")
    ratio = Decimal(numerator) / one
    return pool if ratio == pool.fee_ratio else replace(pool, fee_ratio=ratio)
