"""Random blocks with reorganisations of random depth: as if the orphaned ones had never been."""

import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.faults import Fault
from engine.domain.pools import Protocol
from engine.pools.blocks import Block, PoolChange, PoolLost, PoolMoved, PoolRead
from engine.pools.moves import PairMove
from tests.core.test_blocks import FIRST, UNDO, block, make_world
from tests.detect.test_live_moves import found_in
from tests.detect.test_live_pools import pair_of
from tests.detect.test_pool_moves import RECORDED, check_same, random_move
from tests.detect.test_positions_move import Ranges
from tests.effort import examples
from tests.reference.world import World

CURVE = next(one.snapshot for one in RECORDED if one.pool.protocol is Protocol.CURVE)


class Chain:
    """A chain of three pools; its blocks are made on a world that has seen but the branch's own."""

    def __init__(self, rng: random.Random) -> None:
        self.blocks: list[Block] = []
        self._rng = rng
        self._ranges = Ranges(rng)
        self.pools = [pair_of(1_000, 3_040_000), self._ranges.snapshot(), CURVE]
        self._kept = [self._held()]
        self._made = 0

    def start(self) -> World:
        """A world at the start."""
        return make_world(*self.pools)

    def undo(self, depth: int) -> None:
        """Let the newest blocks never have been."""
        del self.blocks[len(self.blocks) - depth :]
        del self._kept[len(self._kept) - depth :]
        positions, self._ranges.sqrt_price_x96, self._ranges.tick = self._kept[-1]
        self._ranges.positions = Counter(dict(positions))

    def next(self, calm: World, *, undone: int) -> Block:
        """Make the next block."""
        number = FIRST + 1 + len(self.blocks)
        on = self.blocks[-1].hash if self.blocks else str(FIRST)
        changes = tuple(self._changes(calm))
        self._made += 1
        made = block(number, *changes, on=on, branch=f"-{self._made}", undone=undone)
        self.blocks.append(made)
        self._kept.append(self._held())
        return made

    def _held(self) -> tuple[tuple[tuple[tuple[int, int], int], ...], int, int]:
        ranges = self._ranges
        return tuple(ranges.positions.items()), ranges.sqrt_price_x96, ranges.tick

    def _changes(self, calm: World) -> Iterator[PoolChange]:
        rng = self._rng
        for number, prepared in sorted(calm.graph.pools.items()):
            address = prepared.pool.address
            if number == 1:
                for _ in range(rng.randrange(4)):
                    move = self._ranges.move(prepare_pool(self._ranges.snapshot()))
                    yield PoolMoved(address=address, move=move)
            elif rng.random() < 0.5:
                yield PoolMoved(address=address, move=random_move(prepared, rng))
            if number == 0 and rng.random() < 0.2:
                yield PoolMoved(address=address, move=PairMove(reserve0_raw=0, reserve1_raw=0))
            if number == 0 and rng.random() < 0.1:
                yield PoolLost(address=address, fault=Fault.SNAPSHOT_TOO_OLD)
        if 0 not in calm.graph.pools and rng.random() < 0.5:
            yield PoolRead(address=self.pools[0].pool.address, row=self.pools[0].row)


def replayed(chain: Chain) -> World:
    """A world that has seen nothing but the blocks that stand."""
    world = chain.start()
    for one in chain.blocks:
        world.take(replace(one, undone=0))
    return world


def check_equal(world: World, calm: World) -> None:
    assert world.graph.pools.keys() == calm.graph.pools.keys()
    assert world.moving.reasons.keys() == calm.moving.reasons.keys()
    assert world.moving.known_counts == calm.moving.known_counts
    for number, wanted in calm.graph.pools.items():
        check_same(world.graph.pool(number), wanted)
    for mine, other in zip(edges_of(world), edges_of(calm), strict=True):
        assert np.array_equal(mine, other)


def edges_of(world: World) -> Iterator[np.ndarray]:
    """What the kernels read of each direction of each pool."""
    sides, pieces, curves = world.graph.side_arrays
    rates = world.graph.market.arrays[3]
    for number in world.graph.terms_of_pools:
        for edge in world.graph._pool_edges[number]:
            first, end = int(sides[edge, 1]), int(sides[edge, 2])
            yield rates[edge : edge + 1]
            if number in world.graph.pools:
                yield pieces[first:end] if sides[edge, 0] == 0 else curves[edge]


@settings(max_examples=examples(40), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_after_any_reorganisations_all_is_as_if_the_orphaned_blocks_had_never_been(
    seed: int,
) -> None:
    rng = random.Random(seed)
    chain = Chain(rng)
    world, calm = chain.start(), chain.start()
    known = 0
    for _ in range(14):
        depth = min(rng.randrange(UNDO + 1), max(known - 1, 0)) if rng.random() < 0.5 else 0
        known = min(known - depth + 1, UNDO + 1)
        if depth:
            chain.undo(depth)
            calm = replayed(chain)

        made = chain.next(calm, undone=depth)
        world.take(made)
        calm.take(replace(made, undone=0))

        check_equal(world, calm)

    assert found_in(world).keys() == found_in(calm).keys()


def test_these_blocks_lose_and_regain_pools_and_open_routes() -> None:
    seen = set()
    for seed in range(6):
        chain = Chain(random.Random(seed))
        world = chain.start()
        for _ in range(10):
            world.take(chain.next(world, undone=0))
            seen |= {("lost", len(world.graph.pools)), ("routes", bool(found_in(world)))}
    assert {("lost", 3), ("lost", 2), ("routes", True)} <= seen
