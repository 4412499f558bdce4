"""Tokens of the sandbox's chains that nobody should buy: as their sources say, and refused."""

import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from engine.chains.ports import Node
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import open_pool
from engine.chains.safety.prober import Market, Prober
from engine.connectors.outbound import open_outbound
from engine.domain.chains import CHAINS
from engine.domain.pools import Protocol
from engine.domain.token_safety import Standing, Trait
from engine.sandbox.world.abi import topic
from engine.sandbox.world.building import built, start_world
from engine.sandbox.world.strangers import CODES, STRANGERS
from tests.chains.conftest import need_packages
from tests.chains.local_world import LocalWorld
from tests.chains.safety.shipped import shipped

CREATED = topic("PairCreated(address,address,address,uint256)")


@pytest.fixture(scope="module")
def crowded() -> Iterator[LocalWorld]:
    """As the sandbox starts one."""
    need_packages()
    world = LocalWorld(*start_world(built("base", has_strangers=True)))
    yield world
    world.close()


@pytest.fixture
async def crowded_node(crowded: LocalWorld) -> AsyncIterator[Node]:
    async with (
        open_outbound(None) as way,
        open_pool([Access(name="local", http_url=crowded.world.http_url)], way) as pool,
    ):
        yield pool


def strangers_of(world: LocalWorld) -> dict[str, tuple[str, str]]:
    """Return the pairs that are none of the world's own: by symbol, the token and the pair."""
    own = {one.address for one in world.made.tokens}
    factory = next(one.factory for one in world.made.dexes if one.name == "Uniswap V2")
    logs = world.rpc.ask(
        "eth_getLogs", {"address": factory, "fromBlock": "0x0", "topics": [CREATED]}
    )
    found = {}
    for log in logs:
        tokens = {"0x" + word[26:] for word in log["topics"][1:]}
        for token in tokens - own:
            symbol = world.hands().read(token, "symbol()", ("string",))
            found[symbol] = token, "0x" + log["data"][26:66]
    return found


def test_what_is_shipped_is_what_the_sources_say() -> None:
    assert CODES.read_text() == shipped()


async def test_each_is_there_with_a_pair_that_is_worth_following_and_is_refused_for_what_it_is(
    crowded: LocalWorld, crowded_node: Node
) -> None:
    listed = strangers_of(crowded)
    assert listed.keys() == {one.symbol or "USDC" for one in STRANGERS}
    weth = crowded.token("WETH").address
    for _, pair in listed.values():
        held = crowded.hands().read(weth, "balanceOf(address)", ("uint256",), pair)
        assert held * 2_685 // 10**18 >= 49_000
    prober = Prober(node=crowded_node, chain="base", chain_id=8453)
    traits = {}
    for symbol in ("MOON", "USDC"):
        token, pair = listed[symbol]
        verdict = await prober.verdict(token, Market(pair, weth), now_s=1, is_curated=False)
        assert verdict.standing is Standing.REFUSED
        traits[symbol] = {one.trait for one in verdict.reasons}

    assert Trait.SELL_FAILS in traits["MOON"]
    assert Trait.IMPERSONATES in traits["USDC"]


@pytest.mark.parametrize("chain", ["arbitrum", "polygon"])
async def test_tokens_are_judged_whatever_chain_the_node_poses_as(
    new_world: Callable[..., LocalWorld], chain: str
) -> None:
    world = new_world(chain)
    token = world.token("USDC").address
    pool = next(
        one
        for one in world.made.pools
        if one.protocol is Protocol.UNISWAP_V2 and token in one.tokens
    )
    market = Market(pool.address, next(one for one in pool.tokens if one != token))
    async with (
        open_outbound(None) as way,
        open_pool([Access(name="local", http_url=world.world.http_url)], way) as node,
    ):
        prober = Prober(node=node, chain=chain, chain_id=CHAINS[chain].chain_id)
        verdict = await prober.verdict(token, market, now_s=int(time.time()), is_curated=True)

    assert verdict.standing is Standing.SAFE, verdict
