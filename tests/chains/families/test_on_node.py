"""Real contracts on a real node: state by logs is state by reading, and quotes are the node's."""

from random import Random

from engine.chains.ports import PoolNow, ReadAgain, Unreadable
from engine.domain.pools import Protocol
from engine.pools.snapshot_rows import StableRow
from engine.sandbox.world.artifacts import bytecode
from tests.chains.families.actor import Actor
from tests.chains.families.following import Followed, Stage, Watch, head_of, reader_of
from tests.chains.families.stage_concentrated import ALGEBRA, ConcentratedStage
from tests.chains.families.stage_pairs import PairStage
from tests.chains.families.stage_v4 import V4Stage
from tests.chains.families.stage_vault import VaultStage
from tests.chains.local_world import LocalWorld

FEE_TERMS = "(uint16,uint16,uint32,uint32,uint16,uint16,uint32,uint16,uint16)"


async def followed(world: LocalWorld, stage: Stage, *, seed: int, acts: int, quotes: int) -> None:
    random = Random(seed)
    async with Watch(world, stage) as watch:
        events = given = 0
        for _ in range(acts // 10):
            for _ in range(10):
                stage.act(random)
            events += await watch.follow()
            await watch.check()
            given += watch.quotes(random, quotes * 10 // acts)
        moves = sum(one.moves for one in watch.followed.values())
        assert min(events, moves) > acts // 2
        assert given > quotes // 3


async def test_uniswap_v3(world: LocalWorld) -> None:
    actor = Actor(world)
    stage = ConcentratedStage(actor, Protocol.UNISWAP_V3)
    factory = world.made.contracts["v3_factory"]
    for symbols, fee, spacing in (
        (("DAI", "USDC"), 3000, 60),
        (("DAI", "WBTC"), 500, 10),
        (("USDT", "USDC"), 10_000, 200),
    ):
        tokens = actor.in_order(*symbols)
        terms = (tokens[0].address, tokens[1].address, fee)
        actor.hands.send(factory, "createPool(address,address,uint24)", *terms)
        address = actor.hands.read(factory, "getPool(address,address,uint24)", ("address",), *terms)
        stage.add(address, tokens, fee_pips=fee, spacing=spacing)

    await followed(world, stage, seed=1, acts=60, quotes=60)


async def test_pancakeswap_v3(world: LocalWorld) -> None:
    actor = Actor(world)
    stage = ConcentratedStage(actor, Protocol.PANCAKESWAP_V3)
    tokens = actor.in_order("DAI", "USDC")
    terms = (actor.me, tokens[0].address, tokens[1].address, 2_500, 50)
    actor.say("parameters()", "(address,address,address,uint24,int24)", *terms)
    code = bytecode("@pancakeswap/v3-core/artifacts/contracts/PancakeV3Pool.sol/PancakeV3Pool.json")
    stage.add(actor.make(code), tokens, fee_pips=2_500, spacing=50)

    await followed(world, stage, seed=2, acts=40, quotes=40)


async def test_quickswap_v3(world: LocalWorld) -> None:
    actor = Actor(world)
    stage = algebra(actor)
    async with reader_of(world) as reader:
        old, late = await stage.family.read(stage.pools, reader, head_of(world))
        assert isinstance(old, PoolNow)
        assert late == Unreadable(why="its fee is 100 still and is to be 0.25 %")
    stage.begin()

    await followed(world, stage, seed=9, acts=60, quotes=60)

    async with Watch(world, stage) as watch:
        for pool in stage.pools:
            operator = actor.hands.read(pool.address, "dataStorageOperator()", ("address",))
            terms = (2_900, 12_000, 360, 60_000, 59, 8_500, 0, 10, 100)
            actor.hands.send(operator, f"changeFeeConfiguration({FEE_TERMS})", terms)
        actor.hands.flush()
        watch.at = watch.head()
        breathing = Unreadable(why="its fee changes with each block")
        both = [breathing] * len(stage.pools)
        assert await stage.family.read(stage.pools, watch.reader, watch.at) == both
        assert await stage.family.terms(stage.pools, watch.reader, watch.at) == both


def algebra(actor: Actor) -> ConcentratedStage:
    """Deploy Algebra 1.1 and two pools whose fee is a number."""
    deployer = actor.deploy(algebra_code("AlgebraPoolDeployer"))
    factory = actor.deploy(
        algebra_code("AlgebraFactory"), "(address,address)", deployer, actor.hands.me
    )
    actor.hands.send(deployer, "setFactory(address)", factory)
    stage = ConcentratedStage(actor, Protocol.QUICKSWAP_V3, ALGEBRA)
    for symbols, fee in ((("DAI", "USDC"), 100), (("USDT", "WBTC"), 2_500)):
        tokens = actor.in_order(*symbols)
        both = tokens[0].address, tokens[1].address
        actor.hands.send(
            factory,
            "setBaseFeeConfiguration(uint16,uint16,uint32,uint32,uint16,uint16,uint32,uint16,uint16)",
            *(0, 0, 360, 60_000, 59, 8_500, 0, 10, fee),
        )
        actor.hands.send(factory, "createPool(address,address)", *both)
        address = actor.hands.read(factory, "poolByPair(address,address)", ("address",), *both)
        stage.add(address, tokens, fee_pips=fee, spacing=60)
    return stage


def algebra_code(name: str) -> str:
    return bytecode(f"@cryptoalgebra/v1-core/artifacts/contracts/{name}.sol/{name}.json")


async def test_uniswap_v2(world: LocalWorld) -> None:
    stage = PairStage(Actor(world), [("DAI", "WBTC"), ("USDT", "USDC")])

    await followed(world, stage, seed=3, acts=60, quotes=60)


async def test_uniswap_v4(world: LocalWorld) -> None:
    actor = Actor(world)
    stage = V4Stage(actor)
    stage.add(actor.in_order("DAI", "USDC"), fee_pips=3_000, spacing=60)
    stage.add(actor.in_order("DAI", "WBTC"), fee_pips=100, spacing=1)
    stage.add(actor.in_order("USDT", "USDC"), fee_pips=12_345, spacing=321)

    await followed(world, stage, seed=4, acts=60, quotes=60)


async def test_balancer_weighted(world: LocalWorld) -> None:
    stage = VaultStage(Actor(world), Protocol.BALANCER_WEIGHTED)
    stage.weighted(("DAI", "USDC"), (5 * 10**17, 5 * 10**17), is_late=True)
    stage.weighted(("DAI", "USDC", "WBTC"), (2 * 10**17, 2 * 10**17, 6 * 10**17), is_late=True)
    stage.weighted(("DAI", "WBTC"), (5 * 10**17, 5 * 10**17), is_late=False)
    stage.weighted(("USDT", "WBTC"), (8 * 10**17, 2 * 10**17), is_late=False)

    await followed(world, stage, seed=5, acts=60, quotes=60)


async def test_balancer_stable(world: LocalWorld) -> None:
    stage = VaultStage(Actor(world), Protocol.BALANCER_STABLE)
    stage.composable(("DAI", "USDC", "WBTC"), 200)
    stage.composable(("USDT", "USDC"), 1_000)
    stage.stable(("DAI", "USDC", "WBTC"), 300)

    await followed(world, stage, seed=6, acts=60, quotes=60)


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
