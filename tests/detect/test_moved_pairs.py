"""Pairs that a block moves: as one at a time, to the last bit, whatever they are."""

import math
import random
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.detect.graph.moved_pair import MovedPair, pair_after
from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.detect.moving.pool_moves import impact_of, move_pool
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import TOKEN_DECIMALS_MAX, TOKEN_DECIMALS_MIN, Pool, Protocol
from engine.kernels.sizing_layout import SIDE
from engine.pools.integers import UINT112_MAX
from engine.pools.moves import BalancesMove, Move, PairMove
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN, PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.detect.test_live_pools import make_world
from tests.detect.test_pool_moves import CURVE, DEEP, check_same

reserves = st.one_of(
    st.integers(PAIR_LIQUIDITY_MIN, UINT112_MAX),
    st.sampled_from([PAIR_LIQUIDITY_MIN, UINT112_MAX, 2**53 + 1, 10**18]),
)
decimals = st.integers(TOKEN_DECIMALS_MIN, TOKEN_DECIMALS_MAX)
fees = st.tuples(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))


def pair(
    number: int, units: tuple[int, int], fees_e9: tuple[int, int], block: int = 1
) -> PreparedPool:
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number:040x}",
        tokens=((AssetCode(f"A{number}"), units[0]), (AssetCode("ETH"), units[1])),
        fee_ratio=Decimal(max(fees_e9)).scaleb(-9),
        gas_units=90_000,
    )
    row = PairRow(
        reserve0_raw=str(10**12),
        reserve1_raw=str(10**12),
        fees_e9=fees_e9 if fees_e9[0] != fees_e9[1] else (),
    )
    return prepare_pool(PoolSnapshot(pool=pool, row=row, block=block))


@settings(max_examples=150, deadline=None)
@given(units=st.tuples(decimals, decimals), fee=fees, first=reserves, second=reserves)
def test_a_moved_pair_is_the_pair_prepared_after_the_move(
    units: tuple[int, int], fee: tuple[int, int], first: int, second: int
) -> None:
    before = pair(0, units, fee)
    move = PairMove(reserve0_raw=first, reserve1_raw=second)

    moved = pair_after(before, move, 7)

    assert isinstance(moved, MovedPair)
    wanted = move_pool(before, move, block=7)
    check_same(moved, wanted)
    assert (moved.pool, moved.row, moved.block, moved.cut) == (wanted.pool, wanted.row, 7, ())
    assert impact_of(before, moved) == impact_of(before, wanted)
    check_same(move_pool(moved, move, block=8), move_pool(wanted, move, block=8))


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.tuples(decimals, decimals), fees), min_size=1, max_size=6),
    seed=st.integers(0, 2**32),
)
def test_pairs_that_move_together_leave_the_graph_as_if_each_was_prepared(
    pairs: list[tuple[tuple[int, int], tuple[int, int]]], seed: int
) -> None:
    rng = random.Random(seed)
    at_once, by_one = make_world(), make_world()
    pools = [pair(number, units, fee) for number, (units, fee) in enumerate(pairs)]
    for number, pool in enumerate(pools):
        for world in (at_once, by_one):
            world.graph.add_pool(number, pool)
    for block in (2, 3):
        changes = {
            number: PairMove(
                reserve0_raw=rng.randint(PAIR_LIQUIDITY_MIN, UINT112_MAX),
                reserve1_raw=rng.randint(PAIR_LIQUIDITY_MIN, UINT112_MAX),
            )
            for number in rng.sample(range(len(pools)), rng.randint(1, len(pools)))
        }
        moved = {n: pair_after(at_once.graph.pool(n), move, block) for n, move in changes.items()}
        wanted = {n: move_pool(by_one.graph.pool(n), move) for n, move in changes.items()}

        edges, log_rates = at_once.graph.change_pools(moved)

        expected = by_one.graph.change_pools(wanted)
        assert np.array_equal(edges, expected[0])
        assert np.array_equal(log_rates, expected[1])
        used = slice(0, by_one.graph.market.edges_used)
        sides, wanted_sides = (one.graph.side_arrays[0][used] for one in (at_once, by_one))
        assert np.array_equal(sides, wanted_sides)
        for row in wanted_sides[:, [SIDE.FROM, SIDE.TO]].astype(int):
            found, expected_pieces = (
                one.graph.side_arrays[1][slice(*row)] for one in (at_once, by_one)
            )
            assert np.array_equal(found, expected_pieces)


def test_a_pair_with_another_fee_since_it_was_read_moves_by_that_and_undone_by_the_old() -> None:
    world = make_world()
    old = pair(0, (18, 18), (3_000_000, 3_000_000))
    row = replace(old.row, fees_e9=(1_000_000, 3_000_000))
    new = prepare_pool(PoolSnapshot(pool=old.pool, row=row, block=2))
    world.graph.add_pool(0, old)
    move = PairMove(reserve0_raw=10**12, reserve1_raw=10**12)
    rates = []
    for base in (old, new, old):
        moved = pair_after(base, move, 3)
        rates.append(world.graph.change_pools({0: moved})[1].tolist())
    assert rates[0] == rates[2] == [math.log(0.997), math.log(0.997)]
    assert rates[1] == [math.log(0.999), math.log(0.997)]


@pytest.mark.parametrize(
    "move",
    [
        PairMove(reserve0_raw=PAIR_LIQUIDITY_MIN - 1, reserve1_raw=10**30),
        PairMove(reserve0_raw=10**30, reserve1_raw=UINT112_MAX + 1),
        PairMove(reserve0_raw=True, reserve1_raw=10**12),
        PairMove(reserve0_raw=10**12, reserve1_raw=1e12),  # type: ignore[arg-type]
        BalancesMove(balances_raw=(10**12, 10**12)),
    ],
)
def test_what_may_have_to_be_refused_is_left_to_be_looked_at(move: Move) -> None:
    assert pair_after(pair(0, (18, 18), (0, 0)), move, 3) is None


def test_no_other_pool_is_moved_as_a_pair() -> None:
    move = PairMove(reserve0_raw=10**12, reserve1_raw=10**12)
    for held in (None, DEEP, CURVE, object()):
        assert pair_after(held, move, 3) is None
    with pytest.raises(BadValueError):
        move_pool(DEEP, move)
