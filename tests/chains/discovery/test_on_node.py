"""Pools of real factories on a real node: found as they are there, chosen, and trusted again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.chains.discovery.choosing import Choice, ChoiceTerms
from engine.chains.discovery.discovery import Discovery, open_discovery
from engine.chains.discovery.found import FoundPool, PoolRefusal
from engine.chains.discovery.row_checks import checked_rows, with_first_blocks
from engine.chains.families.family_list import FAMILY_OF, families_of
from engine.chains.ports import BlockRef, PoolNow
from engine.domain.assets import AssetCode
from engine.domain.chains import CHAINS
from engine.domain.pools import Protocol
from engine.sandbox.world.plan import START_PRICES_USD
from engine.sandbox.world.values import WorldPool
from tests.chains.discovery.answering import answering, number, string
from tests.chains.discovery.on_node import OnNode, on_node
from tests.chains.local_world import LocalWorld

WETH = CHAINS["ethereum"].wrapped_native
TERMS = ChoiceTerms(pool_usd_min=10_000.0)


def all_are_safe(_: FoundPool, __: float) -> str:
    return ""


@contextmanager
def discovery(
    world: LocalWorld,
    chain: OnNode,
    folder: Path,
    *,
    why_not: Callable[[FoundPool, float], str] = all_are_safe,
    without: frozenset[Protocol] = frozenset(),
    usd_of: Callable[[AssetCode], Decimal | None] = START_PRICES_USD.get,
) -> Iterator[Discovery]:
    with open_discovery(
        folder,
        facts=CHAINS[world.world.chain],
        dexes=world.made.dexes,
        node=chain.node,
        reader=chain.reader,
        usd_of=usd_of,
        why_not=why_not,
        followable=FAMILY_OF.keys() - without,
    ) as opened:
        yield opened


async def chosen(opened: Discovery, at: BlockRef, terms: ChoiceTerms = TERMS) -> Choice:
    await opened.look(at)
    return await opened.choose(at, terms)


def address_of(pool: WorldPool) -> str:
    return pool.balancer_id or pool.address


async def test_every_pool_of_a_real_world_is_found_and_chosen(
    world: LocalWorld, tmp_path: Path
) -> None:
    async with on_node(world.world.http_url) as chain:
        at = await chain.head()
        with discovery(world, chain, tmp_path) as opened:
            choice = await chosen(opened, at)
            status = opened.status()
            read = [
                one
                for protocol, family in families_of(world.made.dexes).items()
                for one in await family.read(
                    [pool.pool for pool in choice.chosen if pool.pool.protocol is protocol],
                    chain.reader,
                    at,
                )
            ]

    found = {one.pool.address: (one.dex.name, one.pool.protocol) for one in choice.chosen}
    assert found == {address_of(pool): (pool.dex, pool.protocol) for pool in world.made.pools}
    tokens = {one.pool.address: set(one.pool.token_addresses) for one in choice.chosen}
    assert tokens == {address_of(pool): set(pool.tokens) for pool in world.made.pools}
    assert choice.left_out == status.refused == status.missing == {}
    assert status.unsound == ()
    assert {one.pool.address for one in read if isinstance(one, PoolNow)} == found.keys()


@pytest.mark.parametrize("name", ["bnb", "polygon", "base"])
async def test_pools_are_chosen_on_each_chain_where_nobody_says_a_price(
    new_world: Callable[[str], LocalWorld], tmp_path: Path, name: str
) -> None:
    world = new_world(name)
    async with on_node(world.world.http_url) as chain:
        with discovery(world, chain, tmp_path, usd_of=lambda _: None) as opened:
            choice = await chosen(opened, await chain.head())

    assert {one.pool.address for one in choice.chosen} == {
        address_of(pool) for pool in world.made.pools
    }


async def test_the_richest_are_chosen_and_what_is_left_out_is_counted(
    world: LocalWorld, tmp_path: Path
) -> None:
    async with on_node(world.world.http_url) as chain:
        at = await chain.head()
        with discovery(world, chain, tmp_path) as opened:
            everything = await chosen(opened, at)
            worths = [one.worth_usd for one in everything.chosen]
            some = await opened.choose(at, ChoiceTerms(pool_usd_min=10_000.0, pools_max=5))
            rich = await opened.choose(at, ChoiceTerms(pool_usd_min=worths[3], pools_max=50))
            last = everything.chosen[-1].pool.address
            weights = {last: 1e9, everything.chosen[0].pool.address: 1e-9, "0x" + "e" * 40: 9.0}
            weighed = await opened.choose(
                at, ChoiceTerms(pool_usd_min=10_000.0, pools_max=5, weights=weights)
            )
            few = await opened.choose(
                at, ChoiceTerms(pool_usd_min=worths[3], pools_max=50, weights=weights)
            )

    assert worths == sorted(worths, reverse=True)
    assert [one.pool for one in some.chosen] == [one.pool for one in everything.chosen[:5]]
    assert some.left_out == {PoolRefusal.BEYOND: len(worths) - 5}
    assert len(rich.chosen) == sum(worth >= worths[3] for worth in worths)
    first = [last, *(one.pool.address for one in everything.chosen[1:5])]
    assert [one.pool.address for one in weighed.chosen] == first
    assert weighed.left_out == some.left_out
    assert len(few.chosen) == len(rich.chosen)  # no weight makes up for what is not in a pool
    assert rich.left_out == {PoolRefusal.POOR: len(worths) - len(rich.chosen)}


async def test_pools_of_tokens_that_are_not_safe_or_of_other_makes_are_left_out(
    world: LocalWorld, tmp_path: Path
) -> None:
    dai = world.token("DAI").address
    with_dai = sum(
        dai in pool.tokens for pool in world.made.pools if pool.protocol is not Protocol.UNISWAP_V4
    )
    v4 = sum(pool.protocol is Protocol.UNISWAP_V4 for pool in world.made.pools)
    async with on_node(world.world.http_url) as chain:
        at = await chain.head()
        with discovery(
            world,
            chain,
            tmp_path,
            why_not=lambda found, _: "it takes a tax" if dai in found.tokens else "",
            without=frozenset([Protocol.UNISWAP_V4]),
        ) as opened:
            choice = await chosen(opened, at)

    assert choice.left_out == {PoolRefusal.UNSAFE: with_dai, PoolRefusal.NO_FORM: v4}
    assert len(choice.unsafe) == with_dai
    assert {one.why for one in choice.unsafe} == {"it takes a tax"}
    assert all("DAI" in one.symbols for one in choice.unsafe)
    worths = [one.worth_usd for one in choice.unsafe]
    assert worths == sorted(worths, reverse=True)


async def test_pairs_of_strange_tokens_are_chosen_by_what_stands_against_them(
    new_world: Callable[[], LocalWorld], tmp_path: Path
) -> None:
    world = new_world()
    hands, factory = world.hands(0), world.made.contracts["v2_factory"]
    weth = world.token("WETH").address

    def strange(balance: int, decimals: int = 18) -> str:
        return answering(
            hands,
            {
                "symbol()": string(b"X"),
                "decimals()": number(decimals),
                "balanceOf(address)": number(balance),
            },
        )

    fair, rich, lying, odd = strange(10**21), strange(10**24), strange(2**255), strange(1, 255)
    for one, other in [(fair, weth), (fair, rich), (lying, weth), (odd, weth), (rich, lying)]:
        hands.send(factory, "createPair(address,address)", one, other)
    hands.flush()
    pairs = {
        name: hands.read(factory, "getPair(address,address)", ("address",), *tokens).lower()
        for name, tokens in {
            "fair": (fair, weth),
            "learnt": (fair, rich),
            "lying": (lying, weth),
            "odd": (odd, weth),
        }.items()
    }
    for name in ("fair", "lying", "odd"):
        world.transfer("WETH", pairs[name], 10)

    async with on_node(world.world.http_url) as chain:
        with discovery(world, chain, tmp_path) as opened:
            choice = await chosen(opened, await chain.head())

    worth = {one.pool.address: one.worth_usd for one in choice.chosen}
    ten_eth = 10 * float(START_PRICES_USD["ETH"])
    assert worth[pairs["fair"]] == pytest.approx(ten_eth)
    assert worth[pairs["lying"]] == pytest.approx(ten_eth)
    assert worth[pairs["learnt"]] == pytest.approx(ten_eth)
    assert pairs["odd"] not in worth
    assert choice.left_out == {PoolRefusal.TOKEN: 1, PoolRefusal.UNKNOWN: 1}


async def test_a_pool_that_was_made_later_is_found_by_the_next_look(
    new_world: Callable[[], LocalWorld], tmp_path: Path
) -> None:
    world = new_world()
    async with on_node(world.world.http_url) as chain:
        with discovery(world, chain, tmp_path) as opened:
            before = await chosen(opened, await chain.head())
            hands = world.hands()
            tokens = sorted(world.token(one).address for one in ("WBTC", "DAI"))
            hands.send(world.made.contracts["v2_factory"], "createPair(address,address)", *tokens)
            hands.flush()
            assert await opened.look(await chain.head()) == 1
            pair = hands.read(
                world.made.contracts["v2_factory"],
                "getPair(address,address)",
                ("address",),
                *tokens,
            )
            world.transfer("DAI", pair, 20_000)
            after = await opened.choose(await chain.head(), TERMS)

    new = {one.pool.address for one in after.chosen} - {one.pool.address for one in before.chosen}
    assert new == {pair.lower()}


async def test_what_is_in_a_pool_is_looked_at_again_in_time(
    new_world: Callable[[], LocalWorld], tmp_path: Path
) -> None:
    world = new_world()
    pool = world.pool("Uniswap V2", "USDC", "WETH")

    async def worth(chain: OnNode, usd_min: float = TERMS.pool_usd_min) -> float:
        with discovery(world, chain, tmp_path) as opened:
            terms = ChoiceTerms(pool_usd_min=usd_min)
            choice = await chosen(opened, await chain.head(), terms)
        return sum(one.worth_usd for one in choice.chosen if one.pool.address == pool.address)

    async with on_node(world.world.http_url) as chain:
        before = await worth(chain)
        world.transfer("USDC", pool.address, 1_000)
        assert await worth(chain) == pytest.approx(before)
        world.rpc.ask("evm_increaseTime", 3_700)
        world.mine()
        assert await worth(chain) == pytest.approx(before + 1_000)


async def test_a_young_pool_that_was_empty_is_looked_at_each_time(
    new_world: Callable[[], LocalWorld], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world()
    hands, factory = world.hands(), world.made.contracts["v2_factory"]
    tokens = sorted(world.token(one).address for one in ("WBTC", "DAI"))
    hands.send(factory, "createPair(address,address)", *tokens)
    hands.flush()
    pair = hands.read(factory, "getPair(address,address)", ("address",), *tokens).lower()

    async def is_chosen(chain: OnNode) -> bool:
        with discovery(world, chain, tmp_path) as opened:
            choice = await chosen(opened, await chain.head())
        return pair in {one.pool.address for one in choice.chosen}

    async with on_node(world.world.http_url) as chain:
        assert not await is_chosen(chain)
        world.transfer("DAI", pair, 20_000)
        with monkeypatch.context() as older:
            older.setattr("engine.chains.discovery.choosing.YOUNG_BLOCKS", 0)
            assert not await is_chosen(chain)
        assert await is_chosen(chain)


async def test_a_first_block_before_which_the_factory_stood_is_not_believed(
    world: LocalWorld,
) -> None:
    world.mine(3)
    async with on_node(world.world.http_url) as chain:
        at = await chain.head()
        dexes = [msgspec.structs.replace(one, first_block=at.number) for one in world.made.dexes]
        early = [msgspec.structs.replace(one, first_block=1) for one in world.made.dexes]

        assert await with_first_blocks(dexes, chain.node) == [*world.made.dexes]
        assert await with_first_blocks(early, chain.node) == early


async def test_a_row_that_no_contract_bears_out_is_not_believed(world: LocalWorld) -> None:
    weth = world.token("WETH").address
    wrong = [msgspec.structs.replace(dex, factory=weth) for dex in world.made.dexes]
    none = [msgspec.structs.replace(dex, factory="0x" + "12" * 20) for dex in world.made.dexes]
    async with on_node(world.world.http_url) as chain:
        at = await chain.head()
        sound = await checked_rows(world.made.dexes, chain.reader, at, wrapped=WETH)
        unsound = await checked_rows([*wrong, *none], chain.reader, at, wrapped=WETH)

    assert [row.why_not for row in sound] == [""] * len(world.made.dexes)
    assert all("no contract at" in row.why_not for row in unsound)
