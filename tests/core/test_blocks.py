"""Blocks of chains: taken at once, screened once, undone to the bit, and never half."""

from collections.abc import Sequence
from dataclasses import replace as with_terms
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.chains import BlockTerms
from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.domain.opportunities import HopKind, Reason, Refusal
from engine.domain.pools import PoolId
from engine.market.freshness import VenueBack, VenueLost
from engine.pools.blocks import Block, PoolChange, PoolLost, PoolMoved, PoolRead
from engine.pools.constant_product import ConstantProductState
from engine.pools.moves import Move, PairMove, PriceMove
from engine.pools.snapshots import PoolSnapshot
from tests.detect.test_live_moves import found_in
from tests.detect.test_live_pools import pair_of, value
from tests.detect.test_pool_moves import check_same
from tests.reference.world import MS, Setup, World, make_instrument

CHAIN = "ethereum"
PAIRS = VenueId("uniswap_v2@ethereum")
STALE_MS = 36_000
UNDO = 3
FIRST = 100
"""The block of which pools are at the start."""


def make_world(*pools: PoolSnapshot, undo_blocks: int = UNDO) -> World:
    """A world of two books and pools that move with the blocks of one chain."""
    terms = BlockTerms(stale_ms=STALE_MS, undo_blocks=undo_blocks)
    world = World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDT"), make_instrument("a", "ETH-USD")],
            pools=[replace(pool, block=FIRST) for pool in pools],
            gas_price_gwei="1",
            chains={CHAIN: terms},
        )
    )
    value(world)
    return world


def two_pools(**of: int) -> World:
    return make_world(pair_of(1_000, 2_000_000), pair_of(1_000, 2_000_000, address="0xother"), **of)


def pair_move(usdt: float, eth: float = 1_000) -> PairMove:
    return PairMove(reserve0_raw=int(eth * 10**18), reserve1_raw=int(usdt * 10**6))


def moved(move: Move, address: str = "0xpair") -> PoolMoved:
    return PoolMoved(address=address, move=move)


def read(pool: PoolSnapshot) -> PoolRead:
    return PoolRead(address=pool.pool.address, row=pool.row)


def block(
    number: int, *changes: PoolChange, on: str = "", branch: str = "", undone: int = 0
) -> Block:
    """A block that stands on the one before it of its branch, unless another is said."""
    return Block(
        chain=CHAIN,
        number=number,
        hash=f"{number}{branch}",
        parent_hash=on or f"{number - 1}{branch}",
        made_at_ns=number,
        changes=changes,
        undone=undone,
    )


def take(world: World, *blocks: Block) -> None:
    for one in blocks:
        world.take(one)


def fault_count(world: World, fault: Fault) -> int:
    return sum(count for (_, of), count in world.moving.faults.items() if of is fault)


def pool_routes(world: World) -> list[frozenset[int]]:
    return [
        frozenset(hop.row for hop in episode.first.hops if hop.kind is HopKind.POOL)
        for episode in world.detector.open_episodes
    ]


def test_a_route_that_only_the_middle_of_a_block_would_open_is_none() -> None:
    world = two_pools()

    world.take(
        block(
            FIRST + 1,
            moved(pair_move(2_300_000)),
            moved(pair_move(2_001_000)),
        )
    )

    assert world.journal.found == []
    state = world.graph.pool(0).state
    assert isinstance(state, ConstantProductState)
    assert state.reserve1_raw == 2_001_000 * 10**6


def test_two_pools_that_move_together_open_no_route_between_where_they_were_and_are() -> None:
    world = two_pools()

    world.take(
        block(FIRST + 1, moved(pair_move(2_300_000)), moved(pair_move(2_300_000), "0xother"))
    )

    between_pools = [hops for hops in pool_routes(world) if len(hops) == 2]
    assert between_pools == []


def test_what_stands_at_the_end_of_a_block_opens_its_route_and_the_next_one_ends_it() -> None:
    world = two_pools()

    world.take(block(FIRST + 1, moved(pair_move(2_060_000))))
    assert frozenset({0, 1}) in pool_routes(world)

    world.take(block(FIRST + 2, moved(pair_move(2_060_000), "0xother")))
    assert frozenset({0, 1}) not in pool_routes(world)


def test_a_change_that_no_pool_can_have_made_takes_that_pool_out_and_no_other() -> None:
    world = two_pools()
    take(world, block(FIRST + 1, moved(pair_move(2_060_000))))
    assert pool_routes(world) != []

    take(
        world,
        block(
            FIRST + 2,
            moved(pair_move(2_050_000)),
            moved(PriceMove(sqrt_price_x96=1, tick=0, liquidity=0)),
            moved(pair_move(2_040_000)),
            moved(pair_move(2_010_000), "0xother"),
        ),
    )

    assert list(world.graph.pools) == [1]
    assert world.graph.pool(1).block == FIRST + 2
    assert world.moving.reasons == {0: Fault.BAD_NUMBER}
    assert world.moving.to_read(CHAIN) == [PoolId(chain=CHAIN, address="0xpair")]
    assert fault_count(world, Fault.BAD_NUMBER) == 1
    assert pool_routes(world) == []
    assert {one.is_stale for one in world.journal.closed} == {True}


def test_a_pool_that_a_block_lost_is_out_until_it_is_read_and_no_other_is() -> None:
    world = two_pools()
    lost = PoolLost(address="0xpair", fault=Fault.SNAPSHOT_TOO_OLD)

    world.take(block(FIRST + 1, moved(pair_move(2_060_000)), lost, moved(pair_move(2_070_000))))

    assert world.moving.to_read(CHAIN) == [PoolId(chain=CHAIN, address="0xpair")]
    assert set(world.graph.pools) == {1}
    assert fault_count(world, Fault.SNAPSHOT_TOO_OLD) == 1
    assert pool_routes(world) == []


def test_a_pool_that_comes_with_other_terms_is_another_pool() -> None:
    world = two_pools()
    world.take(block(FIRST + 1))
    one = pair_of(1_000, 2_060_000)
    dearer = with_terms(one.pool, fee_ratio=Decimal("0.01"))

    is_new = world.pools.add(PoolSnapshot(pool=dearer, row=one.row, block=FIRST + 1), world.now_ns)

    assert is_new
    assert set(world.graph.terms_of_pools) == {1, 2}
    assert world.moving.numbers[dearer.pool_id] == 2
    assert world.moving.terms[2].fee_ratio == Decimal("0.01")


def test_a_pool_is_known_again_from_a_whole_state_on() -> None:
    world = two_pools()
    take(
        world,
        block(FIRST + 1, moved(pair_move(0))),
        block(FIRST + 2, moved(pair_move(2_060_000))),  # nobody knows what it is of
    )
    assert list(world.graph.pools) == [1]

    whole = pair_of(1_000, 2_050_000)
    take(world, block(FIRST + 3, read(whole), moved(pair_move(2_060_000))))

    wanted = replace(pair_of(1_000, 2_060_000), block=FIRST + 3)
    check_same(world.graph.pool(0), prepare_pool(wanted))
    assert frozenset({0, 1}) in pool_routes(world)
    assert world.moving.to_read(CHAIN) == []


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (block(FIRST + 3, moved(pair_move(2_300_000))), Fault.GAP),
        (block(FIRST + 2, moved(pair_move(2_300_000)), on="another"), Fault.GAP),
        (block(FIRST + 1, moved(pair_move(2_300_000)), branch="b", on=f"{FIRST}"), Fault.GAP),
        (block(FIRST + 1, on="0", branch="b", undone=9), Fault.REORGANISED),
    ],
)
def test_a_block_that_does_not_stand_on_the_newest_leaves_no_pool_known(
    bad: Block, fault: Fault
) -> None:
    world = two_pools()
    take(world, block(FIRST + 1, moved(pair_move(2_060_000))))
    assert pool_routes(world) != []

    world.take(bad)

    assert dict(world.graph.pools) == {}
    assert set(world.moving.reasons.values()) == {fault}
    assert pool_routes(world) == []
    assert [type(edge) for edge in world.journal.edges] == [VenueLost]
    world.show(0, [("2500", "5")], [("2501", "5")])
    assert pool_routes(world) == []
    both = [read(pair_of(1_000, 2_000_000)), read(pair_of(1_000, 2_000_000, address="0xother"))]
    world.take(block(bad.number + 1, *both, on=bad.hash))
    assert len(world.graph.pools) == 2
    assert [type(edge) for edge in world.journal.edges] == [VenueLost, VenueBack]
    assert pool_routes(world) != []


def test_a_block_that_comes_twice_changes_nothing() -> None:
    world = two_pools()
    first, second = block(FIRST + 1, moved(pair_move(2_010_000))), block(FIRST + 2)
    take(world, first, second)
    before = world.graph.pool(0)

    take(world, second, first)

    assert world.graph.pool(0) is before
    assert fault_count(world, Fault.DUPLICATE) == 2
    take(world, block(FIRST + 3))
    assert len(world.graph.pools) == 2


def test_pools_of_another_block_than_the_first_one_stands_on_are_to_be_read() -> None:
    world = two_pools()

    world.take(block(FIRST + 2))

    assert dict(world.graph.pools) == {}
    assert len(world.moving.to_read(CHAIN)) == 2


def test_an_unknown_pool_and_an_unknown_chain_are_counted() -> None:
    world = two_pools()

    take(
        world,
        block(FIRST + 1, moved(pair_move(2_010_000), "0xnobody")),
        replace(block(7), chain="nowhere"),
    )

    assert fault_count(world, Fault.UNKNOWN_INSTRUMENT) == 2
    assert len(world.graph.pools) == 2


def test_without_a_new_block_the_pools_of_a_chain_grow_too_old_and_come_back() -> None:
    world = two_pools()
    take(world, block(FIRST + 1, moved(pair_move(2_060_000))))
    assert pool_routes(world) != []

    world.wait(STALE_MS)
    world.tick()
    assert pool_routes(world) != []
    world.wait(1)
    world.tick()
    assert pool_routes(world) == []
    assert {one.is_stale for one in world.journal.closed} == {True}
    assert world.pool_health.fresh_pools(PAIRS, world.now_ns) == 0
    assert [type(edge) for edge in world.journal.edges][-1] is VenueLost

    world.show(1, [("1999", "5")], [("2001", "5")])
    world.show(0, [("2500", "5")], [("2501", "5")])
    assert pool_routes(world) == []

    world.take(block(FIRST + 2))
    for _ in range(50):
        world.wait(100)
        world.tick()
    assert frozenset({0, 1}) in pool_routes(world)
    assert [type(edge) for edge in world.journal.edges][-1] is VenueBack


def test_no_route_is_sized_through_a_chain_that_is_too_old_though_no_tick_has_told() -> None:
    world = two_pools()
    take(world, block(FIRST + 1, moved(pair_move(2_060_000))))
    world.wait(STALE_MS + 1)

    world.show(1, [("1999", "5")], [("2001", "5")])
    world.show(0, [("1999", "5")], [("2001", "5")])
    found = world.detector.found
    world.show(0, [("2500", "5")], [("2501", "5")])

    assert world.detector.found == found


def test_no_plan_is_made_through_a_pool_that_is_too_old_or_unknown() -> None:
    world = two_pools()
    take(world, block(FIRST + 1, moved(pair_move(2_060_000))))
    seen = next(
        one for one in world.journal.found if all(hop.kind is HopKind.POOL for hop in one.hops)
    )

    def reason(at_ns: int) -> Reason | None:
        decision = world.decider.decide(seen, at_ns)
        return decision.reason if isinstance(decision, Refusal) else None

    assert reason(world.now_ns) is not Reason.STALE_POOL
    assert reason(world.now_ns + (STALE_MS + 1) * MS) is Reason.STALE_POOL
    take(world, block(FIRST + 2, moved(pair_move(0))))
    assert reason(world.now_ns) is Reason.STALE_POOL


def test_a_chain_that_is_lost_has_no_pool_until_they_are_read_anew() -> None:
    world = two_pools()
    take(world, block(FIRST + 1, moved(pair_move(2_060_000))))

    world._before()
    world.pools.lose(CHAIN, Fault.DISCONNECTED, world.now_ns)
    world.pipeline.after_block(world.now_ns)

    assert pool_routes(world) == []
    assert set(world.moving.reasons.values()) == {Fault.DISCONNECTED}
    world.take(block(FIRST + 2, moved(pair_move(2_060_000))))
    assert dict(world.graph.pools) == {}


def branches(world: World, depth: int) -> Sequence[Block]:
    """Blocks that are undone again, and the one that takes their place."""
    old = [
        block(
            FIRST + 2 + k,
            moved(pair_move(2_000_000 + 9_000 * k, 1_000 - k)),
            moved(pair_move(2_000_000 - 9_000 * k), "0xother"),
        )
        for k in range(depth)
    ]
    new = block(FIRST + 2, on=f"{FIRST + 1}", branch="b", undone=depth)
    return [*old, new]


@pytest.mark.parametrize("depth", range(1, UNDO + 1))
def test_a_reorganisation_leaves_pools_as_the_common_ancestor_had_them(depth: int) -> None:
    world, calm = two_pools(), two_pools()
    ancestor = block(FIRST + 1, moved(pair_move(2_003_000)))
    take(world, ancestor, *branches(world, depth))
    take(calm, ancestor, block(FIRST + 2))

    for number in (0, 1):
        check_same(world.graph.pool(number), calm.graph.pool(number))
    assert found_in(world) == found_in(calm)


def test_a_reorganisation_is_screened_once_with_the_block_that_takes_the_place() -> None:
    world = two_pools()
    take(world, block(FIRST + 1), block(FIRST + 2, moved(pair_move(2_060_000))))
    assert frozenset({0, 1}) in pool_routes(world)
    before = len(world.journal.found)

    moves = [moved(pair_move(2_060_000)), moved(pair_move(2_060_000), "0xother")]
    world.take(block(FIRST + 2, *moves, on=f"{FIRST + 1}", branch="b", undone=1))

    assert frozenset({0, 1}) not in pool_routes(world)
    assert not any(
        all(hop.kind is HopKind.POOL for hop in one.hops) for one in world.journal.found[before:]
    )


def test_a_pool_that_was_lost_in_a_block_that_is_undone_was_never_lost() -> None:
    world = two_pools()
    take(
        world, block(FIRST + 1, moved(pair_move(2_001_000))), block(FIRST + 2, moved(pair_move(0)))
    )
    assert 0 not in world.graph.pools

    world.take(block(FIRST + 2, on=f"{FIRST + 1}", branch="b", undone=1))

    check_same(world.graph.pool(0), prepare_pool(replace(pair_of(1_000, 2_001_000), block=101)))


def test_a_pool_that_was_read_in_a_block_that_is_undone_is_to_be_read_again() -> None:
    world = two_pools()
    take(
        world,
        block(FIRST + 1, moved(pair_move(0))),
        block(FIRST + 2),
        block(FIRST + 3, read(pair_of(1_000, 2_050_000))),
    )
    assert 0 in world.graph.pools

    world.take(block(FIRST + 3, on=f"{FIRST + 2}", branch="b", undone=1))

    assert list(world.graph.pools) == [1]
    assert world.moving.to_read(CHAIN) == [PoolId(chain=CHAIN, address="0xpair")]


def add(world: World, pool: PoolSnapshot) -> bool:
    world._before()
    is_new = world.pools.add(pool, world.now_ns)
    if is_new:
        world.pipeline.pools_changed(world.now_ns)
    world.pipeline.after_block(world.now_ns)
    return is_new


def remove(world: World, address: str) -> None:
    world._before()
    if world.pools.remove(PoolId(chain=CHAIN, address=address), world.now_ns):
        world.pipeline.pools_changed(world.now_ns, is_gone=True)
    world.pipeline.after_block(world.now_ns)


def test_a_pool_that_comes_is_screened_and_one_that_goes_ends_its_routes() -> None:
    world = make_world(pair_of(1_000, 2_000_000))
    take(world, block(FIRST + 1))
    other = pair_of(1_000, 2_060_000, address="0xother")

    assert add(world, replace(other, block=FIRST + 1))
    assert frozenset({0, 1}) in pool_routes(world)

    remove(world, "0xother")
    assert pool_routes(world) == []
    assert list(world.graph.pools) == [0]

    assert add(world, replace(other, block=FIRST + 1))
    assert list(world.graph.pools) == [0, 2]
    assert frozenset({0, 2}) in pool_routes(world)
    take(world, block(FIRST + 2, moved(pair_move(2_000_000), "0xother")))
    assert pool_routes(world) == []


@pytest.mark.parametrize("of", [FIRST, FIRST + 2, None])
def test_a_pool_of_another_block_than_the_newest_is_not_taken(of: int | None) -> None:
    world = make_world(pair_of(1_000, 2_000_000))
    take(world, block(FIRST + 1))

    assert not add(world, replace(pair_of(1_000, 2_060_000, address="0xother"), block=of))

    assert list(world.graph.pools) == [0]
    assert fault_count(world, Fault.SNAPSHOT_TOO_OLD) == 1


def test_a_pool_that_came_with_a_block_that_is_undone_is_to_be_read() -> None:
    world = make_world(pair_of(1_000, 2_000_000))
    take(world, block(FIRST + 1), block(FIRST + 2))
    add(world, replace(pair_of(1_000, 2_060_000, address="0xother"), block=FIRST + 2))

    world.take(block(FIRST + 2, on=f"{FIRST + 1}", branch="b", undone=1))

    assert list(world.graph.pools) == [0]
    assert world.moving.to_read(CHAIN) == [PoolId(chain=CHAIN, address="0xother")]


def test_the_removal_of_a_pool_is_not_undone_by_a_reorganisation() -> None:
    world = two_pools()
    take(world, block(FIRST + 1), block(FIRST + 2, moved(pair_move(2_010_000))))
    remove(world, "0xpair")

    world.take(block(FIRST + 2, on=f"{FIRST + 1}", branch="b", undone=1))

    assert list(world.graph.pools) == [1]
