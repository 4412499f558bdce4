"""Every make that can be had on a local node, and its pools for random acts."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final, NamedTuple

from engine.domain.pools import Protocol
from engine.sandbox.world.artifacts import bytecode
from tests.chains.families.actor import Actor
from tests.chains.families.following import Stage, Watch
from tests.chains.families.stage_concentrated import ALGEBRA, ConcentratedStage
from tests.chains.families.stage_pairs import PairStage
from tests.chains.families.stage_v4 import V4Stage
from tests.chains.families.stage_vault import VaultStage

FEE_TERMS: Final = "uint16,uint16,uint32,uint32,uint16,uint16,uint32,uint16,uint16"
HALF: Final = 5 * 10**17


class Counted(NamedTuple):
    """What was compared: events, moves among them, readings, and quotes that the node gave."""

    events: int
    moves: int
    readings: int
    quotes: int


async def followed(actor: Actor, stage: Stage, *, seed: int, acts: int, quotes: int) -> Counted:
    """Follow a stage through random acts; after each ten of them all has to be as the node has it.

    Raises:
        AssertionError: it is not.
    """
    random = Random(seed)
    async with Watch(actor.world, stage) as watch:
        events = given = 0
        for _ in range(acts // 10):
            for _ in range(10):
                stage.act(random)
            events += await watch.follow()
            await watch.check()
            given += watch.quotes(random, quotes * 10 // acts)
        kept = watch.followed.values()
        moves, readings = sum(one.moves for one in kept), sum(one.readings for one in kept)
    return Counted(events, moves, readings, given)


def uniswap_v2(actor: Actor) -> Stage:
    return PairStage(actor, [("DAI", "WBTC"), ("USDT", "USDC")])


def uniswap_v3(actor: Actor) -> Stage:
    stage = ConcentratedStage(actor, Protocol.UNISWAP_V3)
    factory = actor.deploy(
        bytecode("@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json")
    )
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
    return stage


def pancakeswap_v3(actor: Actor) -> Stage:
    stage = ConcentratedStage(actor, Protocol.PANCAKESWAP_V3)
    tokens = actor.in_order("DAI", "USDC")
    terms = (actor.me, tokens[0].address, tokens[1].address, 2_500, 50)
    actor.say("parameters()", "(address,address,address,uint24,int24)", *terms)
    code = bytecode("@pancakeswap/v3-core/artifacts/contracts/PancakeV3Pool.sol/PancakeV3Pool.json")
    stage.add(actor.make(code), tokens, fee_pips=2_500, spacing=50)
    return stage


def quickswap_v3(actor: Actor) -> Stage:
    stage = new_quickswap_v3(actor)
    stage.begin()
    return stage


def new_quickswap_v3(actor: Actor) -> ConcentratedStage:
    """Deploy Algebra 1.1 and two pools whose fee is a number, once somebody has swapped."""
    deployer = actor.deploy(_algebra("AlgebraPoolDeployer"))
    factory = actor.deploy(
        _algebra("AlgebraFactory"), "(address,address)", deployer, actor.hands.me
    )
    actor.hands.send(deployer, "setFactory(address)", factory)
    stage = ConcentratedStage(actor, Protocol.QUICKSWAP_V3, ALGEBRA)
    for symbols, fee in ((("DAI", "USDC"), 100), (("USDT", "WBTC"), 2_500)):
        tokens = actor.in_order(*symbols)
        both = tokens[0].address, tokens[1].address
        terms = (0, 0, 360, 60_000, 59, 8_500, 0, 10, fee)
        actor.hands.send(factory, f"setBaseFeeConfiguration({FEE_TERMS})", *terms)
        actor.hands.send(factory, "createPool(address,address)", *both)
        address = actor.hands.read(factory, "poolByPair(address,address)", ("address",), *both)
        stage.add(address, tokens, fee_pips=fee, spacing=60)
    return stage


def uniswap_v4(actor: Actor) -> Stage:
    stage = V4Stage(actor)
    stage.add(actor.in_order("DAI", "USDC"), fee_pips=3_000, spacing=60)
    stage.add(actor.in_order("DAI", "WBTC"), fee_pips=100, spacing=1)
    stage.add(actor.in_order("USDT", "USDC"), fee_pips=12_345, spacing=321)
    return stage


def balancer_weighted(actor: Actor) -> Stage:
    stage = VaultStage(actor, Protocol.BALANCER_WEIGHTED)
    stage.weighted(("DAI", "USDC"), (HALF, HALF), is_late=True)
    stage.weighted(("DAI", "USDC", "WBTC"), (2 * 10**17, 2 * 10**17, 6 * 10**17), is_late=True)
    stage.weighted(("DAI", "WBTC"), (HALF, HALF), is_late=False)
    stage.weighted(("USDT", "WBTC"), (8 * 10**17, 2 * 10**17), is_late=False)
    return stage


def balancer_stable(actor: Actor) -> Stage:
    stage = VaultStage(actor, Protocol.BALANCER_STABLE)
    stage.composable(("DAI", "USDC", "WBTC"), 200)
    stage.composable(("USDT", "USDC"), 1_000)
    stage.stable(("DAI", "USDC", "WBTC"), 300)
    return stage


MAKES: Final[Mapping[str, Callable[[Actor], Stage]]] = {
    make.__name__: make
    for make in (
        uniswap_v2,
        uniswap_v3,
        pancakeswap_v3,
        quickswap_v3,
        uniswap_v4,
        balancer_weighted,
        balancer_stable,
    )
}


def _algebra(name: str) -> str:
    return bytecode(f"@cryptoalgebra/v1-core/artifacts/contracts/{name}.sol/{name}.json")
