"""Pools that come, move and go while the engine runs: never other than a graph made anew."""

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as replace_struct

from engine.detect.graph.live_graph import POOL_EDGES_MAX, TOKENS_MAX
from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.detect.graph.side_arena import SideArena
from engine.detect.moving.pool_moves import move_pool
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.opportunities import HopKind
from engine.domain.pools import Pool
from engine.kernels.sizing_layout import SIDE
from engine.pools.concentrated import ConcentratedState
from engine.pools.moves import PairMove, PriceMove
from engine.pools.snapshot_rows import ConcentratedRow
from engine.pools.snapshots import PoolSnapshot
from engine.sandbox.lineup import load_start_prices
from engine.sandbox.pools import load_pools
from tests.detect.test_live_pools import make_world, pair_of, value
from tests.detect.test_pool_moves import DEEP, random_move
from tests.reference.world import World

Found = dict[tuple[tuple[str, int, str, str], ...], float]


def deep_pool() -> PoolSnapshot:
    """The recorded pool of ETH and USDT of the most ticks."""
    return max(
        (one for one in load_pools(load_start_prices()) if set(one.pool.assets) == {"ETH", "USDT"}),
        key=lambda one: len(getattr(one.row, "ticks", ())),
    )


def found_in(world: World) -> Found:
    """Every open route, from its least place on, and its profit."""
    found: Found = {}
    for episode in world.detector.open_episodes:
        seen = world.detector.newest(episode)
        hops = [(one.kind.value, one.row, one.source, one.target) for one in seen.hops]
        least = hops.index(min(hops))
        found[tuple(hops[least:] + hops[:least])] = seen.profit_quote
    return found


def candidates(rng: random.Random) -> list[PreparedPool]:
    price = {"eth": 1_000.0, "usdt": 2_685_500.0}
    pairs = [
        pair_of(
            price["eth"] * rng.uniform(0.98, 1.02), price["usdt"], address=f"0x{number}", fee=fee
        )
        for number, fee in enumerate(("0.003", "0.0005", "0.003", "0.01"))
    ]
    return [*map(prepare_pool, pairs), prepare_pool(deep_pool())]


def changes(world: World, rng: random.Random) -> Iterator[str]:
    """Add, move and remove pools at random."""
    pools = candidates(rng)
    while True:
        number = rng.randrange(len(pools))
        if number not in world.graph.pools:
            world.detector.add_pool(number, pools[number], world.now_ns)
            yield "added"
        elif rng.random() < 0.3:
            world.detector.remove_pool(number, world.now_ns)
            yield "removed"
        else:
            move = random_move(world.graph.pool(number), rng)
            moved = move_pool(world.graph.pool(number), move)
            world.detector.on_pools({number: moved}, world.now_ns)
            yield "moved"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_after_any_changes_of_pools_the_same_routes_are_open_as_in_a_graph_made_anew(
    seed: int,
) -> None:
    rng = random.Random(seed)
    world = make_world(gas_price_gwei="1")
    value(world)
    for _, _ in zip(range(20), changes(world, rng), strict=False):
        world.tick()
    anew = make_world(gas_price_gwei="1")
    value(anew)
    for number, pool in world.graph.pools.items():
        anew.detector.add_pool(number, pool, anew.now_ns)
    for one in (world, anew):
        one.show(0, [("2600", "5")], [("2601", "5")])
        one.show(0, [("2700", "5"), ("2699", "50")], [("2701", "5")])

    assert found_in(world) == pytest.approx(found_in(anew), rel=1e-9)


def test_the_changes_of_pools_in_these_markets_open_and_close_routes() -> None:
    rng, lengths, kinds = random.Random(5), set(), set()
    world = make_world(gas_price_gwei="1")
    value(world)
    for _, kind in zip(range(150), changes(world, rng), strict=False):
        kinds.add(kind)
        lengths |= {len(route) for route in found_in(world)}
    assert kinds == {"added", "moved", "removed"}
    assert {2} <= lengths
    assert world.detector.closed > 0


def test_a_new_pool_is_screened_as_it_comes() -> None:
    world = make_world(pair_of(1_000, 2_000_000), gas_price_gwei="1")
    value(world)
    assert world.journal.found == []

    told = world.detector.add_pool(
        7, prepare_pool(pair_of(1_000, 2_060_000, address="0xother")), world.now_ns
    )

    places = [{(hop.kind, hop.row) for hop in one.first.hops} for one in told]
    assert {(HopKind.POOL, 0), (HopKind.POOL, 7)} in places
    assert all((HopKind.POOL, 7) in one for one in places)


def test_routes_through_a_pool_end_with_it() -> None:
    world = make_world(
        pair_of(1_000, 2_000_000), pair_of(1_000, 2_060_000, address="0xother"), gas_price_gwei="1"
    )
    value(world)
    assert world.detector.open_episodes

    world.detector.remove_pool(1, world.now_ns)
    world.tick()

    left = {(hop.kind, hop.row) for one in world.detector.open_episodes for hop in one.first.hops}
    assert (HopKind.POOL, 1) not in left
    assert world.journal.closed
    with pytest.raises(BadValueError, match="no pool has number 1"):
        world.detector.remove_pool(1, world.now_ns)


def test_a_bad_move_leaves_pool_routes_and_pieces_as_they_were() -> None:
    world = make_world(
        deep_pool(), pair_of(1_000, 2_060_000, address="0xother"), gas_price_gwei="1"
    )
    value(world)
    before, pool = found_in(world), world.graph.pool(0)
    arrays = [array.copy() for array in world.graph.side_arrays]
    state = pool.state
    assert before
    assert isinstance(state, ConcentratedState)
    good = PriceMove(
        sqrt_price_x96=state.sqrt_price_x96, tick=state.tick, liquidity=state.liquidity
    )

    for number, move, said in (
        (0, replace_struct(good, liquidity=state.liquidity + 1), "the ticks lead to"),
        (0, replace_struct(good, tick=state.tick + 5), "is not at tick"),
        (1, PairMove(reserve0_raw=0, reserve1_raw=1), "reserve0_raw is 0"),
        (9, good, "no pool has number 9"),
    ):
        with pytest.raises(BadValueError, match=said):
            move_pool(world.graph.pool(number), move)

    assert world.graph.pool(0) is pool
    assert found_in(world) == before
    assert all(map(np.array_equal, arrays, world.graph.side_arrays))
    world.detector.on_pools({0: move_pool(pool, good)}, world.now_ns)
    assert found_in(world) == pytest.approx(before)


def test_a_pool_without_room_is_not_added_in_part() -> None:
    world = make_world(pair_of(1_000, 2_000_000))
    snapshot = pair_of(1_000, 2_000_000)
    with pytest.raises(BadValueError, match="not below"):
        world.graph.add_pool(POOL_EDGES_MAX, prepare_pool(snapshot))
    prepared = prepare_pool(snapshot)
    broken = replace_struct(
        prepared,
        sides=(prepared.sides[0], replace_struct(prepared.sides[1], log_rate=float("nan"))),
        pool=renamed(snapshot, "ETH", "NEW").pool,
    )
    assets = world.graph.assets

    with pytest.raises(BadValueError, match="log rate"):
        world.graph.add_pool(5, broken)

    assert 5 not in world.graph.pools
    assert world.graph.assets == assets
    world.graph.add_pool(5, prepared)


def test_a_pool_that_finds_room_for_one_direction_only_stays_as_it_was() -> None:
    world = make_world()
    deep = DEEP.snapshot
    assert isinstance(deep.row, ConcentratedRow)
    few = replace_struct(
        deep.row,
        ticks=((-887_220, deep.row.liquidity), (887_220, "-" + deep.row.liquidity)),
        tick_spacing=60,
    )
    small = prepare_pool(replace_struct(deep, row=few))
    world.graph.add_pool(0, small)
    with pytest.raises(BadValueError, match="no room"):
        fill(world, DEEP)
    assert set(world.graph.pools) == set(range(len(world.graph.pools)))
    sides = world.graph.side_arrays[0].copy()
    pieces = world.graph.side_arrays[1].copy()

    with pytest.raises(BadValueError, match="no room"):
        world.detector.screens.change_pools({0: DEEP}, world.now_ns, 0)

    assert world.graph.pool(0) is small
    for edge in range(len(sides)):
        before = pieces[int(sides[edge, SIDE.FROM]) : int(sides[edge, SIDE.TO])]
        side = world.graph.side_arrays[0][edge]
        after = world.graph.side_arrays[1][int(side[SIDE.FROM]) : int(side[SIDE.TO])]
        assert np.array_equal(before, after)
    world.graph.remove_pool(1)
    world.detector.screens.change_pools({0: DEEP}, world.now_ns, 0)


def fill(world: World, pool: PreparedPool) -> None:
    """Add a pool under one number after the other, until there is no room."""
    for number in range(1, POOL_EDGES_MAX):
        world.graph.add_pool(number, pool)


def renamed(snapshot: PoolSnapshot, first: str, second: str) -> PoolSnapshot:
    pool: Pool = replace(snapshot.pool, tokens=((AssetCode(first), 18), (AssetCode(second), 6)))
    return replace_struct(snapshot, pool=pool)


def test_assets_that_come_and_go_with_their_pools_take_no_room_for_ever() -> None:
    world = make_world(pair_of(1_000, 2_000_000))
    held = world.graph.assets

    for number in range(TOKENS_MAX + 10):
        snapshot = renamed(pair_of(1_000, 2_000_000), "ETH", f"NEW{number}")
        world.graph.add_pool(3, prepare_pool(snapshot))
        assert len(world.graph.assets) == len(held) + 1
        world.graph.remove_pool(3)

    assert world.graph.assets == held


def test_an_edge_that_finds_no_room_for_more_pieces_keeps_those_it_has() -> None:
    arena = SideArena(edge_max=2, piece_max=6)
    few = np.array([[0.0, 0.0, 1.0, 0.5], [1.0, 0.6, 0.0, 0.0]])
    arena.set_pieces(0, few)
    many = np.array([[float(k), float(k), 1.0, 0.0] for k in range(5)])

    with pytest.raises(BadValueError, match="no room for 5 pieces"):
        arena.set_pieces(0, many)
    sides, pieces, _ = arena.arrays
    first, end = sides[0, [SIDE.FROM, SIDE.TO]].astype(int)
    assert np.array_equal(pieces[first:end], few)

    assert arena.reserve(0, 4) != first
    first, end = sides[0, [SIDE.FROM, SIDE.TO]].astype(int)
    assert np.array_equal(pieces[first:end], few)
