"""A webhook that tells of a block ahead: its pool waits for that block, and is as it was."""

import msgspec
import pytest

from engine.core.inputs.swap_told import SWAP_TOLD
from engine.domain.opportunities import HopKind, Opportunity, Reason, Refusal
from engine.market.told_ahead import POOLS_MAX, ToldAhead
from engine.pools.blocks import SwapTold
from engine.sandbox.chain import MadeUpChain
from tests.core.test_blocks import CHAIN, FIRST, block, moved, pair_move, take, two_pools
from tests.core.test_checkpoint import restored, root_of
from tests.core.test_pool_checkpoint import BLOCK_NS, make_core
from tests.core.test_pool_checkpoint import take as take_blocks
from tests.reference.state import differences, state_of
from tests.reference.world import MS, START_NS, World
from tests.sandbox.test_chain import make_chain

NEXT = FIRST + 2


def told(*, at: int = NEXT, address: str = "0xpair", chain: str = CHAIN) -> SwapTold:
    return SwapTold(chain=chain, address=address, block=at, impact_bps=70, stream="a", tx="0x1")


def route_of_pools(world: World) -> Opportunity:
    take(world, block(FIRST + 1, moved(pair_move(2_060_000))))
    return next(
        one for one in world.journal.found if all(hop.kind is HopKind.POOL for hop in one.hops)
    )


def detail(world: World, seen: Opportunity) -> str:
    decision = world.decider.decide(seen, world.now_ns)
    is_stale = isinstance(decision, Refusal) and decision.reason is Reason.STALE_POOL
    return decision.detail if is_stale and isinstance(decision, Refusal) else ""


@pytest.mark.parametrize("address", ["0xpair", "0xother"])
def test_no_plan_is_made_through_a_pool_whose_next_block_was_told(address: str) -> None:
    world = two_pools()
    seen = route_of_pools(world)
    before = {number: pool.block for number, pool in world.graph.pools.items()}

    world.moving.foretell(told(address=address), world.now_ns)

    assert "a webhook told a large swap" in detail(world, seen)
    assert {number: pool.block for number, pool in world.graph.pools.items()} == before
    take(world, block(NEXT))
    assert detail(world, seen) == ""


def test_a_block_that_does_not_come_is_waited_for_no_longer_than_its_time() -> None:
    world = two_pools()
    seen = route_of_pools(world)
    world.moving.foretell(told(), world.now_ns)
    assert detail(world, seen)
    world.now_ns += 1_001 * MS
    assert detail(world, seen) == ""


@pytest.mark.parametrize(
    "swap",
    [told(at=FIRST + 1), told(at=1), told(address="0xnobody"), told(chain="atlantis")],
)
def test_what_is_told_of_a_block_that_is_here_or_of_no_pool_changes_nothing(
    swap: SwapTold,
) -> None:
    world = two_pools()
    seen = route_of_pools(world)
    world.moving.foretell(swap, world.now_ns)
    assert detail(world, seen) == ""


def test_the_input_is_recorded_as_it_was_told_and_is_in_a_checkpoint() -> None:
    swap = told()
    assert SWAP_TOLD.decode(SWAP_TOLD.encode(swap)) == swap
    assert msgspec.json.decode(SWAP_TOLD.encode(swap))["impact_bps"] == 70

    chain: MadeUpChain = make_chain(seed=1)
    core = make_core(chain)
    blocks = [chain.next(number) for number in range(4)]
    take_blocks(core, blocks[:3])
    pool, *_ = core.moving_pools.numbers
    ahead = told(at=blocks[2].number + 1, address=pool.address, chain=chain.name)
    at_ns = START_NS + blocks[2].number * BLOCK_NS + 1
    core.hot_path.command(ahead, at_ns)
    number = core.moving_pools.numbers[pool]
    assert core.moving_pools.is_told_ahead(number, at_ns)

    other = restored(core)

    assert not differences(state_of(root_of(other)), state_of(root_of(core)))
    assert other.moving_pools.is_told_ahead(number, at_ns)
    for one in (core, other):
        one.moving_pools.step_clock(10**12)
        assert one.moving_pools.is_told_ahead(number, at_ns + 10**12)


def test_no_storm_of_hints_takes_more_than_its_room() -> None:
    ahead = ToldAhead()
    for at in range(POOLS_MAX + 10):
        ahead.tell("base", f"pool {at}", block=5, until_ns=100, impact_bps=60)
    assert not ahead.is_waited_for("base", "pool 9", 1)
    assert ahead.is_waited_for("base", "pool 10", 1)
    assert (ahead.left_out, ahead.left_out_bps_max) == (10, 60)


def test_of_more_than_are_waited_for_those_go_whose_swaps_are_the_smallest() -> None:
    ahead = ToldAhead()
    ahead.tell("base", "largest", block=5, until_ns=100, impact_bps=900)
    for at in range(POOLS_MAX - 1):
        ahead.tell("base", f"pool {at}", block=5, until_ns=100, impact_bps=100 + at)
    ahead.tell("base", "small", block=5, until_ns=100, impact_bps=55)
    assert not ahead.is_waited_for("base", "small", 1)
    ahead.tell("base", "large", block=5, until_ns=100, impact_bps=800)

    assert ahead.is_waited_for("base", "large", 1)
    assert ahead.is_waited_for("base", "largest", 1)
    assert not ahead.is_waited_for("base", "pool 0", 1)
    assert ahead.is_waited_for("base", "pool 1", 1)
    assert (ahead.left_out, ahead.left_out_bps_max) == (2, 100)
