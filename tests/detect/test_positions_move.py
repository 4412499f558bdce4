"""Liquidity added and taken at ticks: the same pool as one prepared from nothing, to the bit."""

import random
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.moving.pool_moves import move_pool
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.concentrated import ConcentratedState, swap_exact_in
from engine.pools.integers import UINT128_MAX
from engine.pools.moves import Move, PositionMove, PriceMove
from engine.pools.snapshot_rows import ConcentratedRow
from engine.pools.snapshots import PoolSnapshot
from engine.pools.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from tests.detect.test_pool_moves import check_same
from tests.effort import examples

SPACING = 60
BLOCK = 7

POOL = Pool(
    chain="ethereum",
    protocol=Protocol.UNISWAP_V3,
    address="0xranges",
    tokens=((AssetCode("ETH"), 18), (AssetCode("USDT"), 6)),
    fee_ratio=Decimal("0.003"),
    gas_units=120_000,
)

Positions = Counter[tuple[int, int]]


def snapshot_of(
    positions: Positions, sqrt_price_x96: int, tick: int, *, pool: Pool = POOL, block: int = BLOCK
) -> PoolSnapshot:
    """A pool of these positions, as a contract that nothing but they ever touched says it."""
    nets: Counter[int] = Counter()
    grosses: Counter[int] = Counter()
    for (low, high), liquidity in positions.items():
        nets[low] += liquidity
        nets[high] -= liquidity
        grosses[low] += liquidity
        grosses[high] += liquidity
    held = sorted(at for at, gross in grosses.items() if gross)
    liquidity = sum(of for (low, high), of in positions.items() if low <= tick < high)
    row = ConcentratedRow(
        sqrt_price_x96=str(sqrt_price_x96),
        tick=tick,
        liquidity=str(liquidity),
        tick_spacing=SPACING,
        ticks=tuple((at, str(nets[at])) for at in held),
        grosses=tuple(str(grosses[at]) for at in held),
    )
    return PoolSnapshot(pool=pool, row=row, block=block)


def random_range(rng: random.Random, tick: int, width: int = 40) -> tuple[int, int]:
    middle = tick // SPACING + rng.randrange(-width, width)
    low = middle - rng.randrange(0, width)
    return low * SPACING, (middle + rng.randrange(1, width)) * SPACING


class Ranges:
    """A pool that positions and swaps change at random, and what is held of each range."""

    def __init__(self, rng: random.Random, *, count: int = 12, width: int = 40) -> None:
        self._rng = rng
        self._width = width
        self.sqrt_price_x96 = sqrt_ratio_at_tick(-196_256) + rng.randrange(10**9)
        self.tick = tick_at_sqrt_ratio(self.sqrt_price_x96)
        self.positions: Positions = Counter({(-887_220, 887_220): 10**15})
        for _ in range(count):
            self.positions[random_range(rng, self.tick, width)] += rng.randrange(1, 10**19)

    def snapshot(self) -> PoolSnapshot:
        return snapshot_of(self.positions, self.sqrt_price_x96, self.tick)

    def mint(self) -> Move:
        rng = self._rng
        span = random_range(rng, self.tick, self._width)
        if self.positions and rng.random() < 0.4:
            span = rng.choice(list(self.positions))
        liquidity = rng.randrange(1, 10**19)
        self.positions[span] += liquidity
        return PositionMove(tick_low=span[0], tick_high=span[1], liquidity_delta=liquidity)

    def burn(self) -> Move:
        span = self._rng.choice(list(self.positions)[1:] or list(self.positions))
        held = self.positions[span]
        taken = self._rng.choice((0, held // 2, held, held))
        if span == (-887_220, 887_220):
            taken = 0
        self.positions[span] -= taken
        if not self.positions[span]:
            del self.positions[span]
        return PositionMove(tick_low=span[0], tick_high=span[1], liquidity_delta=-taken)

    def swap(self, state: ConcentratedState) -> Move:
        limit = int(state.sqrt_price_x96 * 1.2 ** self._rng.uniform(-1, 1))
        if self._rng.random() < 0.3:  # onto a tick, from either side
            limit = sqrt_ratio_at_tick(self._rng.choice(state.table.ticks[1:-1] or (self.tick,)))
        if limit == state.sqrt_price_x96:
            limit += 1
        token_in = 0 if limit < state.sqrt_price_x96 else 1
        after = swap_exact_in(state, 10**60, token_in=token_in, sqrt_price_limit_x96=limit)
        self.sqrt_price_x96, self.tick = after.sqrt_price_x96, after.tick
        return PriceMove(
            sqrt_price_x96=after.sqrt_price_x96, tick=after.tick, liquidity=after.liquidity
        )

    def move(self, prepared: KnownPool) -> Move:
        kind = self._rng.randrange(3)
        if kind == 0:
            return self.mint()
        if kind == 1:
            return self.burn()
        assert isinstance(prepared.state, ConcentratedState)
        return self.swap(prepared.state)


@settings(max_examples=examples(150), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_mints_burns_and_swaps_leave_the_pool_as_one_prepared_from_nothing(seed: int) -> None:
    ranges = Ranges(random.Random(seed))
    pool = prepare_pool(ranges.snapshot())
    for _ in range(12):
        pool = move_pool(pool, ranges.move(pool), block=BLOCK)

        check_same(pool, prepare_pool(ranges.snapshot()))


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_moves_of_a_block_may_be_made_at_once(seed: int) -> None:
    ranges = Ranges(random.Random(seed))
    before = one_by_one = prepare_pool(ranges.snapshot())
    moves = []
    for _ in range(10):
        moves.append(ranges.move(one_by_one))
        one_by_one = move_pool(one_by_one, moves[-1], block=BLOCK)

    check_same(move_pool(before, *moves, block=BLOCK), one_by_one)


def test_a_tick_at_which_positions_begin_and_end_stays_in_use_although_its_net_is_nothing() -> None:
    tick = -120
    positions: Positions = Counter({(-600, 0): 10**12, (0, 600): 10**12, (0, 60): 5})
    pool = prepare_pool(snapshot_of(positions, sqrt_ratio_at_tick(tick), tick))

    moved = move_pool(pool, PositionMove(tick_low=0, tick_high=60, liquidity_delta=-5))

    assert isinstance(moved.state, ConcentratedState)
    assert moved.state.table.ticks == (-600, 0, 600)
    assert moved.state.table.liquidity_nets[1] == 0
    assert moved.state.table.grosses == (10**12, 2 * 10**12, 10**12)


@pytest.mark.parametrize(
    ("move", "said"),
    [
        ((60, 60, 1), "has no width"),
        ((120, 60, 1), "has no width"),
        ((61, 120, 1), "no multiple of the spacing"),
        ((-887_280, 60, 1), "lower tick"),
        ((0, 887_280, 1), "upper tick"),
        ((-600, 600, -(10**12) - 1), "gross liquidity at tick -600"),
        ((-600, 60, -1), "gross liquidity at tick 60"),
        ((-60, 60, UINT128_MAX), "gross liquidity"),
        ((-60, 60, UINT128_MAX + 1), "liquidity is"),
        # Taken from two ranges that do not reach from end to end: too much is gone between them.
        ((-600, 1_200, -(10**12)), "negative"),
        ((-600, 600, -1.0), "liquidity is no whole number"),
    ],
)
def test_a_position_that_cannot_be_is_refused(move: tuple[int, int, int], said: str) -> None:
    positions: Positions = Counter({(-600, 600): 10**12, (900, 1_200): 10**12})
    pool = prepare_pool(snapshot_of(positions, sqrt_ratio_at_tick(0), 0))
    low, high, delta = move

    with pytest.raises(BadValueError, match=said):
        move_pool(pool, PositionMove(tick_low=low, tick_high=high, liquidity_delta=delta))


def test_the_last_liquidity_of_a_pool_is_not_taken_by_a_move() -> None:
    pool = prepare_pool(snapshot_of(Counter({(-600, 600): 10**12}), sqrt_ratio_at_tick(0), 0))

    with pytest.raises(BadValueError, match="liquidity is 0 at tick 0 and everywhere else"):
        move_pool(pool, PositionMove(tick_low=-600, tick_high=600, liquidity_delta=-(10**12)))


def test_without_gross_liquidity_no_position_moves_and_a_settling_of_fees_does() -> None:
    snapshot = snapshot_of(Counter({(-600, 600): 10**12}), sqrt_ratio_at_tick(0), 0)
    assert isinstance(snapshot.row, ConcentratedRow)
    unread = prepare_pool(replace(snapshot, row=replace(snapshot.row, grosses=())))

    with pytest.raises(BadValueError, match="gross liquidity was not read"):
        move_pool(unread, PositionMove(tick_low=-600, tick_high=600, liquidity_delta=1))

    settled = PositionMove(tick_low=-600, tick_high=600, liquidity_delta=0)
    check_same(move_pool(unread, settled, block=BLOCK), unread)


def test_a_pool_of_which_only_some_ticks_were_read_moves_within_them() -> None:
    whole = Ranges(random.Random(3), count=40).snapshot()
    assert isinstance(whole.row, ConcentratedRow)
    low, high = whole.row.ticks[10][0], whole.row.ticks[-10][0]

    def part_of(snapshot: PoolSnapshot) -> PoolSnapshot:
        row = snapshot.row
        assert isinstance(row, ConcentratedRow)
        kept = [at for at, (tick, _) in enumerate(row.ticks) if low <= tick <= high]
        ticks, grosses = ([of[at] for at in kept] for of in (row.ticks, row.grosses))
        part = replace(
            row, ticks=tuple(ticks), grosses=tuple(grosses), known_min=low, known_max=high
        )
        return replace(snapshot, row=part)

    for tick_low, tick_high in ((low - 60, high + 60), (low, high), (low - 60, whole.row.tick)):
        span = (tick_low // SPACING * SPACING, tick_high // SPACING * SPACING)
        for delta in (10**6, -1):
            move = PositionMove(tick_low=span[0], tick_high=span[1], liquidity_delta=delta)
            if delta < 0:
                move_in = replace(move, liquidity_delta=2)
                pool = move_pool(prepare_pool(part_of(whole)), move_in, move, block=BLOCK)
                wanted = move_pool(prepare_pool(whole), move_in, move, block=BLOCK)
            else:
                pool = move_pool(prepare_pool(part_of(whole)), move, block=BLOCK)
                wanted = move_pool(prepare_pool(whole), move, block=BLOCK)
            check_same(pool, prepare_pool(part_of(wanted.snapshot)))


@pytest.mark.parametrize(
    ("gross", "said"),
    [("0", "gross liquidity"), ("3", "not the difference"), ("2", "not the difference")],
)
def test_a_snapshot_whose_gross_liquidity_does_not_fit_is_refused(gross: str, said: str) -> None:
    snapshot = snapshot_of(Counter({(-600, 600): 10**12}), sqrt_ratio_at_tick(0), 0)
    assert isinstance(snapshot.row, ConcentratedRow)
    row = replace(snapshot.row, grosses=(gross, snapshot.row.grosses[1]))

    with pytest.raises(BadValueError, match=said):
        prepare_pool(replace(snapshot, row=row))


def test_packed_ticks_are_the_pools_own() -> None:
    ranges = Ranges(random.Random(5))
    before = prepare_pool(ranges.snapshot())
    assert before.packed is not None
    held = before.packed[1].copy()

    move_pool(before, ranges.mint())

    assert np.array_equal(before.packed[1], held)
