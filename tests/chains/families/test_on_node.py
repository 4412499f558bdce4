"""Real contracts on a real node: state by logs is state by reading, and quotes are the node's."""

from random import Random

import pytest

from engine.chains.ports import PoolNow, ReadAgain, Unreadable
from engine.domain.pools import Protocol
from engine.pools.snapshot_rows import StableRow
from tests.chains.families.actor import Actor
from tests.chains.families.following import Followed, Watch, head_of, reader_of
from tests.chains.families.stage_vault import VaultStage
from tests.chains.families.stages import FEE_TERMS, MAKES, followed, new_quickswap_v3
from tests.chains.local_world import LocalWorld

ACTS = QUOTES = 60


@pytest.mark.parametrize("name", MAKES)
async def test_events_lead_to_what_is_read_and_quotes_are_the_node_s(
    world: LocalWorld, name: str
) -> None:
    actor = Actor(world)

    counted = await followed(actor, MAKES[name](actor), seed=1, acts=ACTS, quotes=QUOTES)

    assert min(counted.events, counted.moves) > ACTS // 2
    assert counted.quotes > QUOTES // 3


async def test_a_fee_that_each_block_reckons_is_out(world: LocalWorld) -> None:
    actor = Actor(world)
    stage = new_quickswap_v3(actor)
    async with reader_of(world) as reader:
        old, late = await stage.family.read(stage.pools, reader, head_of(world))
        assert isinstance(old, PoolNow)
        assert late == Unreadable(why="its fee is 100 still and is to be 0.25 %")
        stage.begin()
        both = await stage.family.read(stage.pools, reader, head_of(world))
        assert [type(one) for one in both] == [PoolNow, PoolNow]

        for pool in stage.pools:
            operator = actor.hands.read(pool.address, "dataStorageOperator()", ("address",))
            terms = (2_900, 12_000, 360, 60_000, 59, 8_500, 0, 10, 100)
            actor.hands.send(operator, f"changeFeeConfiguration(({FEE_TERMS}))", terms)
        actor.hands.flush()

        at = head_of(world)
        out = [Unreadable(why="its fee changes with each block")] * len(stage.pools)
        assert await stage.family.read(stage.pools, reader, at) == out
        assert await stage.family.terms(stage.pools, reader, at) == out


async def test_a_rate_is_what_was_said_last_until_that_is_too_old(world: LocalWorld) -> None:
    actor = Actor(world)
    stage = VaultStage(actor, Protocol.BALANCER_STABLE)
    actor.say("getRate()", "(uint256)", 11 * 10**17)
    stage.composable(("DAI", "USDC"), 200, provider=actor.me)
    random = Random(7)

    async def rate(watch: Watch) -> str:
        """Return the first token's rate as it is read, with which the node's quotes agree."""
        watch.at = watch.head()
        (now,) = await watch.read()
        watch.followed[now.pool.address] = Followed(now)
        assert watch.quotes(random, 10) > 3
        assert isinstance(now.row, StableRow)
        assert now.row.rates_e18[1] == str(10**18)
        return now.row.rates_e18[0]

    async with Watch(world, stage) as watch:
        first = await rate(watch)
        actor.say("getRate()", "(uint256)", 12 * 10**17)
        young = await rate(watch)
        world.rpc.ask("evm_increaseTime", 1_001)
        world.mine()
        old = await rate(watch)

        assert (first, young, old) == (str(11 * 10**17), str(11 * 10**17), str(12 * 10**17))
        (again,) = await stage.family.terms(stage.pools, watch.reader, watch.at)
        assert isinstance(again, ReadAgain)
