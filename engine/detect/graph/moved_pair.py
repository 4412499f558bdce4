"""A pair of reserves after a move: two words beside how it was when it was prepared.

A block moves hundreds of pairs, and hardly one of them is ever quoted before it moves again. So its
exact state and its directions are made when somebody asks; what the graph reads of it is written
for all pairs of a block at once, by a kernel.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.pool_sides import PoolSide, PreparedPool, sides_of_pair
from engine.domain.pools import Pool
from engine.kernels.pair_words import read_reserves
from engine.pools.blocks import PairMoves, move_of, words_of
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import UINT112_MAX
from engine.pools.moves import Move, PairMove, row_now
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN, AnyRow
from engine.pools.snapshots import PoolSnapshot


class MovedPair(msgspec.Struct, frozen=True, gc=False):
    """A pair with other reserves than when it was prepared; otherwise as `PreparedPool`.

    Attributes:
        base: the pair as it was prepared.
        words: its reserves, as the two words of its `Sync`.
    """

    base: PreparedPool
    words: bytes
    block: int | None

    @property
    def pool(self) -> Pool:
        """Which it is."""
        return self.base.pool

    @property
    def row(self) -> AnyRow:
        """What its last snapshot said of it."""
        return self.base.row

    @property
    def state(self) -> ConstantProductState:
        """Its exact state."""
        was = self.base.state
        assert isinstance(was, ConstantProductState)
        move = move_of(self.words)
        return ConstantProductState(
            reserve0_raw=move.reserve0_raw,
            reserve1_raw=move.reserve1_raw,
            fee0_numerator=was.fee0_numerator,
            fee1_numerator=was.fee1_numerator,
            fee_denominator=was.fee_denominator,
        )

    @property
    def sides(self) -> tuple[PoolSide, ...]:
        """Its directions."""
        return sides_of_pair(self.pool, self.state)

    @property
    def packed(self) -> None:
        """Nothing: see `PreparedPool`."""
        return

    @property
    def snapshot(self) -> PoolSnapshot:
        """The pair as a source would give it, were it read now."""
        row = row_now(self.row, self.state)
        return PoolSnapshot(pool=self.pool, row=row, block=self.block)

    @property
    def cut(self) -> tuple[str, ...]:
        """Nothing of a pair is ever left out."""
        return ()


KnownPool = PreparedPool | MovedPair
"""A pool whose state is known."""


def pair_after(held: object, move: Move, block: int) -> MovedPair | None:
    """Return a pair after a move; None for another pool or move, and for what is to be looked at.

    With as much of both tokens as a pair keeps for ever, and no more than a contract holds, nothing
    of it can be refused: tokens have from 1 to 24 decimals, so that all rates are numbers.
    """
    if type(move) is not PairMove:
        return None
    first, second = move.reserve0_raw, move.reserve1_raw
    if not (
        type(first) is type(second) is int
        and PAIR_LIQUIDITY_MIN <= first <= UINT112_MAX
        and PAIR_LIQUIDITY_MIN <= second <= UINT112_MAX
    ):
        return None
    if type(held) is MovedPair:
        return MovedPair(held.base, words_of(first, second), block)
    if type(held) is PreparedPool and type(held.state) is ConstantProductState:
        return MovedPair(held, words_of(first, second), block)
    return None


class PairChanges(dict[int, KnownPool | None]):
    """Pairs after one move of each, by their numbers; nothing is added to it.

    Attributes:
        numbers: of all of them, in their order.
        reserves_raw: float64, two of each, one after the other.
        fresh: numbers of those that had not moved since they were prepared.
    """

    __slots__ = ("fresh", "numbers", "reserves_raw")

    def __init__(
        self,
        pairs: Iterable[tuple[int, MovedPair]],
        numbers: Sequence[int],
        reserves_raw: NDArray[np.float64],
        fresh: Sequence[int],
    ) -> None:
        super().__init__(pairs)
        self.numbers, self.reserves_raw, self.fresh = numbers, reserves_raw, fresh


def pairs_after(
    numbers: Sequence[int | None], held: Sequence[KnownPool | None], moves: PairMoves, block: int
) -> PairChanges | None:
    """Return pairs after one move of each, all at once; None if one has to be looked at.

    It is what `pair_after` makes of each, where it makes something of all.

    Args:
        numbers: of the pairs, each once.
        held: the pairs before.
        moves: of them.
        block: in which they move.
    """
    kinds = {*map(type, held)}
    if not kinds <= {MovedPair, PreparedPool}:
        return None
    reserves_raw = np.empty(2 * len(held))
    if read_reserves(moves.words, reserves_raw) < len(reserves_raw):
        return None
    known = cast("Sequence[int]", numbers)  # what has no number is not held
    fresh: list[int] = []
    if PreparedPool in kinds:
        new = {n: one for n, one in zip(known, held, strict=True) if type(one) is PreparedPool}
        if {type(one.state) for one in new.values()} != {ConstantProductState}:
            return None
        fresh = list(new)
        bases = [one.base if type(one) is MovedPair else one for one in held]
    else:
        bases = [one.base for one in cast("Sequence[MovedPair]", held)]
    after = map(MovedPair, bases, moves.each_words(), repeat(block))  # type: ignore[arg-type]
    changes = PairChanges(zip(known, after, strict=True), known, reserves_raw, fresh)
    return changes if len(changes) == len(held) else None
