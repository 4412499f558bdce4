"""What the engine foretells of a route is what the contract gains by it, to the last unit."""

from collections.abc import Iterator

import pytest

from engine.domain.routes_on_chain import ChainRoute, SourceKind
from engine.sandbox.world.values import WorldPool
from tests.chains.families.following import reader_of
from tests.chains.local_world import LocalWorld
from tests.contracts.on_world import RECOVERY, deploy, foretold, hop_of, route_of, send

pytestmark = pytest.mark.slow

Way = list[tuple[WorldPool, str, str]]


@pytest.fixture(scope="module")
def contract(world: LocalWorld) -> str:
    return deploy(world)


@pytest.fixture(autouse=True)
def as_it_was(world: LocalWorld, contract: str) -> Iterator[None]:
    """Leave the world, with the contract in it, to the next test as it was."""
    snapshot = world.snapshot()
    yield
    world.revert(snapshot)


def ways(world: LocalWorld) -> list[Way]:
    """Return routes from the pair where the coin is dear, home by each protocol."""
    away = (world.pool("Uniswap V2", "WETH", "USDC"), "WETH", "USDC")
    fork = (world.pool("Fork V2", "WETH", "USDC"), "USDC", "WETH")
    concentrated = (world.pool("Uniswap V3", "WETH", "USDC", 500), "USDC", "WETH")
    coin = next(
        one for one in world.made.pools_of("Uniswap V4") if one.tokens[0] == "0x" + "0" * 40
    )
    weighted = (world.pool("Balancer V2, weighted", "WETH", "USDC"), "USDC", "WETH")
    stable = (world.pool("Balancer V2, stable", "USDC", "USDT"), "USDC", "USDT")
    four = (world.pool("Uniswap V4", "WETH", "USDT"), "USDT", "WETH")
    return [
        [away, fork],
        [away, concentrated],
        [away, (coin, "USDC", "WETH")],
        [away, weighted],
        [away, stable, four],
    ]


def held(world: LocalWorld, token: str, who: str) -> int:
    return int(world.hands().read(token, "balanceOf(address)", ("uint256",), who))


async def gains_as_foretold(world: LocalWorld, route: ChainRoute, way: Way, fee_raw: int) -> None:
    weth = world.token("WETH").address
    amount = route.source.amount_raw
    before = held(world, weth, RECOVERY)
    async with reader_of(world) as reader:
        expected = await foretold(world, reader, amount, way) - amount - fee_raw

    receipt = send(world, route)

    assert receipt["status"] == "0x1"
    assert held(world, weth, RECOVERY) - before == expected > 0
    for symbol in ("WETH", "USDC", "USDT"):
        assert held(world, world.token(symbol).address, route.contract) == 0


@pytest.mark.parametrize("number", range(5))
async def test_each_kind_of_pool_gives_what_was_foretold(
    world: LocalWorld, contract: str, number: int
) -> None:
    world.swap(world.pool("Uniswap V2", "WETH", "USDC"), "USDC", 200_000)
    way = ways(world)[number]
    hops = [hop_of(world, *one) for one in way]
    route = route_of(world, contract, SourceKind.FIRST_HOP, 3 * 10**18 + 12_345, hops)

    await gains_as_foretold(world, route, way, 0)


@pytest.mark.parametrize("kind", [one for one in SourceKind if one is not SourceKind.OWN])
async def test_each_lender_takes_the_fee_that_was_foretold(
    world: LocalWorld, contract: str, kind: SourceKind
) -> None:
    world.swap(world.pool("Uniswap V2", "WETH", "USDC"), "USDC", 200_000)
    way = ways(world)[1]
    hops = [hop_of(world, *one) for one in way]
    route = route_of(world, contract, kind, 2 * 10**18 + 777, hops)

    await gains_as_foretold(world, route, way, route.source.fee_raw)


async def test_a_route_that_gains_too_little_changes_nothing(
    world: LocalWorld, contract: str
) -> None:
    weth = world.token("WETH").address
    before = held(world, weth, RECOVERY)
    hops = [hop_of(world, *one) for one in ways(world)[1]]

    # No price is out of line, so each swap costs its fee.
    receipt = send(world, route_of(world, contract, SourceKind.UNISWAP_V4, 10**18, hops))

    assert receipt["status"] == "0x0"
    assert held(world, weth, RECOVERY) == before
