"""A pool's exact state as the blocks lead it on, and back.

A block moves hundreds of pairs of reserves, and hardly one is looked at before it moves again: of
those two numbers are kept beside how they were read, and the state is made when somebody asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from engine.chains.ports import PoolNow
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import (
    WORD_BYTES,
    WORDS_BYTES,
    PoolChange,
    PoolMoved,
    PoolRead,
    move_of,
    words_of,
)
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import UINT112_MAX
from engine.pools.moves import Move, PairMove, PositionMove, moved, row_now, undoing
from engine.pools.pair_words import upper_bits
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN, AnyRow, ConcentratedRow, PoolState
from engine.pools.snapshots import PoolSnapshot, state_of

# Words of whole numbers are in the order of these.
_LEAST: Final = PAIR_LIQUIDITY_MIN.to_bytes(WORD_BYTES)
_MOST: Final = UINT112_MAX.to_bytes(WORD_BYTES)


@dataclass(frozen=True, slots=True)
class Held:
    """A pool, its row as far as the state does not say it, and its state; see `row_now`."""

    pool: Pool
    row: AnyRow
    state: PoolState

    @classmethod
    def of(cls, now: PoolNow) -> "Held":
        """Take a pool as it was read.

        Raises:
            BadValueError: no pool can be in this state.
        """
        return cls(now.pool, now.row, state_of(PoolSnapshot(pool=now.pool, row=now.row)))


class HeldPair(msgspec.Struct, frozen=True, gc=False):
    """A pair of reserves after a move; otherwise as `Held`.

    Attributes:
        base: the pair as it was read.
        words: its reserves, as the two words of its `Sync`.
    """

    base: Held
    words: bytes

    @property
    def pool(self) -> Pool:
        """Which it is."""
        return self.base.pool

    @property
    def row(self) -> AnyRow:
        """What it was read as."""
        return self.base.row

    @property
    def state(self) -> PoolState:
        """Its exact state."""
        return moved(self.pool, self.row, self.base.state, move_of(self.words))[1]


AnyHeld = Held | HeldPair
"""A pool whose state is known."""


def after(held: AnyHeld, change: PoolChange) -> AnyHeld:
    """Return a pool after a change.

    Raises:
        BadValueError: it is none of such a pool, or no pool can be in the state after it.
    """
    if change.address != held.pool.address:
        raise BadValueError(f"a change of {change.address} was made of {held.pool.pool_id}")
    if isinstance(change, PoolMoved):
        return _pair_after(held, change.move) or after_moves(held, (change.move,))
    if isinstance(change, PoolRead):
        return Held.of(PoolNow(pool=held.pool, row=change.row))
    raise BadValueError(f"{held.pool.pool_id} is lost: {change.fault}")


def after_moves(held: AnyHeld, moves: Sequence[Move]) -> Held:
    """Return a pool after moves.

    Raises:
        BadValueError: one is none of such a pool, or no pool can be in the state after it.
    """
    row, state = held.row, held.state
    for move in moves:
        row, state = moved(held.pool, row, state, move)
    return Held(held.pool, row, state)


def snapshot_of(held: AnyHeld, block: int) -> PoolSnapshot:
    """Return a pool as of a block."""
    return PoolSnapshot(pool=held.pool, row=row_now(held.row, held.state), block=block)


def are_same(held: AnyHeld, other: AnyHeld) -> bool:
    """Say whether both are the same pool in the same state, as far as both are known.

    Of a concentrated pool ticks around the price are read, and so others at another price.
    """
    if held.pool != other.pool:
        return False
    one, two = row_now(held.row, held.state), row_now(other.row, other.state)
    if isinstance(one, ConcentratedRow) and isinstance(two, ConcentratedRow):
        low = max(one.known_min, two.known_min)
        high = min(one.known_max, two.known_max)
        one, two = _within(one, low, high), _within(two, low, high)
    return one == two


def _pair_after(held: AnyHeld, move: Move) -> HeldPair | None:
    """Return a pair after a move; None for another pool, and for what has to be looked at.

    With as much of both tokens as a pair keeps for ever, and no more than a contract holds, nothing
    of it can be refused.
    """
    if type(move) is not PairMove:
        return None
    first, second = move.reserve0_raw, move.reserve1_raw
    is_plain = 0 <= first <= UINT112_MAX and 0 <= second <= UINT112_MAX
    return pair_at(held, words_of(first, second)) if is_plain else None


def pair_at(held: AnyHeld, words: bytes) -> HeldPair | None:
    """Return a pair with other reserves; None for another pool, and for what is to be looked at."""
    if (
        len(words) == WORDS_BYTES
        and _LEAST <= words[:WORD_BYTES] <= _MOST
        and _LEAST <= words[WORD_BYTES:] <= _MOST
    ):
        if type(held) is HeldPair:
            return HeldPair(held.base, words)
        if type(held) is Held and type(held.state) is ConstantProductState:
            return HeldPair(held, words)
    return None


def pairs_at(
    held: Sequence[AnyHeld | None], words: Sequence[bytes]
) -> tuple[list[HeldPair], bytes] | None:
    """Return pairs with other reserves, and these joined; None if one is to be looked at."""
    if {*map(len, words)} != {WORDS_BYTES}:
        return None
    joined = b"".join(words)
    bases = None if upper_bits(joined) is None else _bases_of(held)
    if bases is not None:
        return list(map(HeldPair, bases, words)), joined
    made = [
        None if was is None else pair_at(was, one) for was, one in zip(held, words, strict=True)
    ]
    return None if None in made else (cast("list[HeldPair]", made), joined)


def _bases_of(held: Sequence[AnyHeld | None]) -> list[Held] | None:
    """Return pairs as they were read; None where one is no pair, or nothing is known of it."""
    kinds = {*map(type, held)}
    if kinds == {HeldPair}:
        return [one.base for one in cast("Sequence[HeldPair]", held)]
    if not kinds <= {HeldPair, Held}:
        return None
    read = [one for one in held if type(one) is Held]
    if any(type(one.state) is not ConstantProductState for one in read):
        return None
    known = cast("Sequence[AnyHeld]", held)
    return [one.base if type(one) is HeldPair else one for one in known]  # type: ignore[misc]


def _within(row: ConcentratedRow, low: int, high: int) -> ConcentratedRow:
    kept = [at for at, (tick, _) in enumerate(row.ticks) if low <= tick <= high]
    return msgspec.structs.replace(
        row,
        ticks=tuple(row.ticks[at] for at in kept),
        grosses=tuple(row.grosses[at] for at in kept) if row.grosses else (),
        known_min=low,
        known_max=high,
    )


Back = tuple[Move, ...] | AnyHeld | None
"""How a pool was before a block: whole, or by moves where its ticks changed, which are a hundred
kilobytes of a deep pool; None if its state was not known."""


def back_of(before: AnyHeld, moves: Sequence[Move]) -> Back:
    """Return how a pool gets back to how it was before these moves.

    Whole, which is quickest, unless its ticks changed: otherwise both states share them.
    """
    if not any(isinstance(move, PositionMove) for move in moves):
        return before
    try:
        return undoing(before.state, moves)
    except BadValueError:
        return before


def led_back(held: AnyHeld | None, back: Back) -> AnyHeld | None:
    """Return a pool as it was before a block; None if that is not known."""
    if not isinstance(back, tuple):
        return back
    if held is None:
        return None
    try:
        return after_moves(held, back)
    except BadValueError:
        return None
