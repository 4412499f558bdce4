"""A made-up chain: swaps, positions and reorganisations change its pools, all from a seed.

Nobody but the chain itself knows the true states; what it says of them are blocks, as a connector
of a real chain makes them. Swaps bring each pool near to where the order books stand, as
arbitrageurs would, and sometimes past it.
"""

import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

from msgspec.structs import replace

from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import Block, PoolChange, PoolMoved
from engine.pools.concentrated import ConcentratedState, swap_exact_in
from engine.pools.constant_product import ConstantProductState, after_swap, amount_out
from engine.pools.moves import Move, PairMove, PositionMove, PriceMove, moved, row_now
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow, PoolState
from engine.pools.snapshots import PoolSnapshot, state_of
from engine.pools.tick_math import Q96

UNDO_MAX: Final = 8
"""Blocks that a reorganisation may go back."""

SWAP_CHANCE: Final = 0.4
"""Of each pool, in each block."""

POSITION_CHANCE: Final = 0.15
REORGANISATION_CHANCE: Final = 0.05
DEPTH_MAX: Final = 2
MISS_RATIO: Final = 0.001
"""By about so much of the price a swap ends beside where the books stand."""

SPAN_SPACINGS: Final = 40
POSITION_RATIO: Final = 0.1
"""Of a pool's liquidity, that a new position has at most."""

PriceOf = Callable[[Pool], float | None]
"""What token 0 costs in token 1 where the books stand, in whole tokens; None if none says."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A pool as of a block, and the positions that the chain has minted in it."""

    row: AnyRow
    state: PoolState
    positions: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    hash: str
    held: dict[str, _Held]


class MadeUpChain:
    """A chain of some pools.

    Attributes:
        name: of the chain, that of its pools.
    """

    def __init__(
        self,
        pools: Sequence[PoolSnapshot],
        *,
        seed: int,
        number: int,
        price_of: PriceOf,
        miss_ratio: float = MISS_RATIO,
        reorganisation_chance: float = REORGANISATION_CHANCE,
    ) -> None:
        """Begin with a block of this number, of which the pools are.

        Raises:
            BadValueError: there are none, they are of several chains, or no pool can be so.
        """
        chains = {one.pool.chain for one in pools}
        if len(chains) != 1:
            raise BadValueError(f"a chain has pools of one chain, not of {len(chains)}")
        (self.name,) = chains
        self._rng = random.Random(seed)  # noqa: S311 - makes a market, guards nothing
        self._seed = seed
        self._price_of = price_of
        self._miss_ratio = miss_ratio
        self._reorganisation_chance = reorganisation_chance
        self._pools = {one.pool.address: one.pool for one in pools}
        held = {one.pool.address: _Held(one.row, state_of(one)) for one in map(with_grosses, pools)}
        # Positions are a share of what there was at first: else they would grow for ever.
        self._liquidity = {
            address: one.state.liquidity
            for address, one in held.items()
            if isinstance(one.state, ConcentratedState)
        }
        self._made = 0
        self._known = deque([_Known(number, self._hash(), held)], maxlen=UNDO_MAX + 1)

    def snapshots(self) -> list[PoolSnapshot]:
        """Return all pools as of the newest block."""
        newest = self._known[-1]
        found = []
        for address, held in newest.held.items():
            row = row_now(held.row, held.state)
            found.append(PoolSnapshot(pool=self._pools[address], row=row, block=newest.number))
        return found

    def next(self, made_at_ns: int) -> Block:
        """Make the next block; sometimes on another branch than the newest one's."""
        undone = 0
        if self._rng.random() < self._reorganisation_chance:
            undone = min(self._rng.randint(1, DEPTH_MAX), len(self._known) - 1)
        for _ in range(undone):
            self._known.pop()
        parent = self._known[-1]
        held = dict(parent.held)
        changes: list[PoolChange] = []
        for address, before in parent.held.items():
            for move, after in self._moves(self._pools[address], before):
                held[address] = after
                changes.append(PoolMoved(address=address, move=move))
        made = _Known(parent.number + 1, self._hash(), held)
        self._known.append(made)
        return Block(
            chain=self.name,
            number=made.number,
            hash=made.hash,
            parent_hash=parent.hash,
            made_at_ns=made_at_ns,
            changes=tuple(changes),
            undone=undone,
        )

    def _moves(self, pool: Pool, held: _Held) -> Iterator[tuple[Move, _Held]]:
        if self._rng.random() < SWAP_CHANCE:
            move = self._swap(pool, held.state)
            if move is not None:
                held = _after(pool, held, move)
                yield move, held
        if isinstance(held.state, ConcentratedState) and self._rng.random() < POSITION_CHANCE:
            liquidity = self._liquidity[pool.address]
            move, positions = self._position(held, held.state, liquidity)
            held = _after(pool, held, move, positions)
            yield move, held

    def _swap(self, pool: Pool, state: PoolState) -> Move | None:
        price = self._price_of(pool)
        if price is None:
            return None
        (_, decimals0), (_, decimals1) = pool.tokens[:2]
        raw = (
            price * (1.0 + self._rng.gauss(0.0, self._miss_ratio)) * 10.0 ** (decimals1 - decimals0)
        )
        if isinstance(state, ConstantProductState):
            return _pair_to(state, raw)
        if isinstance(state, ConcentratedState):
            return _price_to(state, isqrt(int(raw * Q96)) * isqrt(Q96))
        return None

    def _position(
        self, held: _Held, state: ConcentratedState, at_first: int
    ) -> tuple[Move, tuple[tuple[int, int, int], ...]]:
        rng, positions = self._rng, held.positions
        if positions and rng.random() < 0.5:  # noqa: PLR2004 - as often as not
            low, high, liquidity = gone = rng.choice(positions)
            move = PositionMove(tick_low=low, tick_high=high, liquidity_delta=-liquidity)
            return move, tuple(one for one in positions if one is not gone)
        spacing = state.table.tick_spacing
        low = (state.tick // spacing - rng.randrange(SPAN_SPACINGS)) * spacing
        high = (state.tick // spacing + 1 + rng.randrange(SPAN_SPACINGS)) * spacing
        liquidity = 1 + int(at_first * POSITION_RATIO * rng.random())
        move = PositionMove(tick_low=low, tick_high=high, liquidity_delta=liquidity)
        return move, (*positions, (low, high, liquidity))

    def _hash(self) -> str:
        self._made += 1
        return hashlib.sha256(f"{self.name} {self._seed} {self._made}".encode()).hexdigest()


def with_grosses(snapshot: PoolSnapshot) -> PoolSnapshot:
    """Return a pool whose ticks have a gross liquidity: the least that can be, if none was read."""
    row = snapshot.row
    if not isinstance(row, ConcentratedRow) or row.grosses:
        return snapshot
    grosses = tuple(net.removeprefix("-") if net != "0" else "2" for _, net in row.ticks)
    return replace(snapshot, row=replace(row, grosses=grosses))


def _after(
    pool: Pool,
    held: _Held,
    move: Move,
    positions: tuple[tuple[int, int, int], ...] | None = None,
) -> _Held:
    row, state = moved(pool, held.row, held.state, move)
    return _Held(row, state, held.positions if positions is None else positions)


def _pair_to(state: ConstantProductState, price_raw: float) -> Move | None:
    """Return what a swap leaves that brings a pair to a price of raw units, its fee left there."""
    reserve0, reserve1 = state.reserve0_raw, state.reserve1_raw
    product = reserve0 * reserve1
    wanted0 = isqrt(int(product / price_raw))
    token_in = 0 if wanted0 > reserve0 else 1
    amount_in = wanted0 - reserve0 if token_in == 0 else isqrt(int(product * price_raw)) - reserve1
    if amount_in <= 0:
        return None
    given = amount_out(state, amount_in, token_in=token_in)
    if not given:
        return None
    after = after_swap(state, amount_in_raw=amount_in, amount_out_raw=given, token_in=token_in)
    return PairMove(reserve0_raw=after.reserve0_raw, reserve1_raw=after.reserve1_raw)


def _price_to(state: ConcentratedState, limit_x96: int) -> Move | None:
    """Return what a swap leaves that brings a concentrated pool to a price."""
    if limit_x96 == state.sqrt_price_x96:
        return None
    token_in = 0 if limit_x96 < state.sqrt_price_x96 else 1
    try:
        after = swap_exact_in(state, 10**60, token_in=token_in, sqrt_price_limit_x96=limit_x96)
    except BadValueError:  # beyond what is known of it
        return None
    return PriceMove(
        sqrt_price_x96=after.sqrt_price_x96, tick=after.tick, liquidity=after.liquidity
    )
