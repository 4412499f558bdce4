"""Pools in lists of Curve's kind: each found once, read on from where it was left."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from engine.chains.discovery.choosing import ChoiceTerms
from engine.chains.discovery.discovery import open_discovery
from engine.chains.discovery.found import PoolRefusal
from engine.chains.discovery.list_scan import (
    GAMMA,
    GET_COINS,
    GET_POOL,
    IS_META,
    LISTED_MAX,
    NATIVE_COIN,
    POOL_COUNT,
    ListScan,
)
from engine.chains.discovery.pool_cache import PoolCache
from engine.chains.families.curve import GET_BALANCE, GET_COIN, GET_DY, Curve
from engine.chains.families.family_list import FAMILY_OF
from engine.chains.families.words import call_data, selector
from engine.chains.ports import BlockRef, Call, Log, NodeError, PoolNow, Refusal
from engine.domain.assets import AssetCode
from engine.domain.chains import CHAINS
from engine.domain.dexes import Dex
from engine.domain.pools import Pool, Protocol
from engine.pools.curve import quoted_out
from engine.pools.snapshot_rows import CurveRow
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.plan import START_PRICES_USD
from tests.chains.discovery.answering import answering_each
from tests.chains.discovery.on_node import on_node
from tests.chains.discovery.pretend_chain import V2, cache_at, token, word
from tests.chains.local_world import LocalWorld

NG = Dex(name="Curve", chain="ethereum", protocol=Protocol.CURVE, factory="0x" + "c1" * 20)
ALL = msgspec.structs.replace(NG, name="Curve, all registries", factory="0x" + "c2" * 20)
NO = word(0)
YES = word(1)


def at_block(number: int, branch: int = 0) -> BlockRef:
    return BlockRef(
        number=number,
        hash=f"0x{branch:032x}{number:032x}",
        parent_hash=f"0x{branch:032x}{number - 1:032x}",
        made_at_s=1_700_000_000 + number,
    )


def told(*coins: str) -> bytes:
    """A list of coins as the newer factories answer it."""
    return word(32) + word(len(coins)) + b"".join(map(word, coins))


def padded(*coins: str, length: int = 8) -> bytes:
    """A list of coins as older ones do."""
    return b"".join(map(word, coins)).ljust(32 * length, b"\0")


class Lists:
    """See `ports.Reader`: lists of pools, and what is said of each."""

    def __init__(self, *, calls_max: int = 10_000) -> None:
        self.calls_max, self.answers_left = calls_max, 1_000
        self.asked: list[Call] = []
        self.gammas: set[str] = set()
        self._pools: dict[str, list[tuple[str, bytes | None, bytes | None]]] = {}

    def say(
        self, dex: Dex, address: str, coins: bytes | None, *, is_meta: bytes | None = NO
    ) -> None:
        """Put a pool into a list."""
        self._pools.setdefault(dex.factory, []).append((address, coins, is_meta))

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        del at
        self.answers_left -= 1
        if self.answers_left < 0:
            raise NodeError(Refusal.AWAY, "gone")
        if len(calls) > self.calls_max:
            raise NodeError(Refusal.TOO_MANY, f"{len(calls)} calls")
        self.asked += calls
        return [self._answer(call) for call in calls]

    async def logs(
        self, first: int, last: int, *, topics: Sequence[bytes], addresses: Sequence[str] = ()
    ) -> list[Log]:
        raise NotImplementedError

    def _answer(self, call: Call) -> bytes | None:
        if call.data == GAMMA:
            return word(7) if call.to in self.gammas else None
        pools = self._pools.get(call.to)
        if pools is None:
            return None
        if call.data == POOL_COUNT:
            return word(len(pools))
        number = int.from_bytes(call.data[4:])
        if call.data[:4] == GET_POOL:
            return word(pools[number][0])
        coins, is_meta = {int(one, 16): rest for one, *rest in pools}[number]
        return coins if call.data[:4] == GET_COINS else is_meta


def scan_of(lists: Lists, cache: PoolCache, dexes: Sequence[Dex] = (NG, ALL)) -> ListScan:
    return ListScan(reader=lists, dexes=dexes, cache=cache)


def cache_of(folder: Path) -> PoolCache:
    return cache_at(folder / "a", (NG, ALL, V2))


def listed(count: int, *, lists: Lists | None = None) -> Lists:
    lists = lists or Lists()
    for number in range(1, count + 1):
        lists.say(NG, token(10_000 + number), told(token(number), token(number + 1)))
    return lists


@pytest.mark.parametrize("calls_max", [3, 10, 200, 10_000])
async def test_all_pools_of_a_list_are_found_whatever_is_answered_at_once(
    tmp_path: Path, calls_max: int
) -> None:
    cache = cache_of(tmp_path)
    lists = listed(300, lists=Lists(calls_max=calls_max))

    found = await scan_of(lists, cache).catch_up(at_block(9))

    pools = list(cache.all())
    assert found == cache.count() == len(pools) == 300
    assert {(one.address, one.tokens, one.serial, one.block, one.dex) for one in pools} == {
        (token(10_000 + number), (token(number), token(number + 1)), number, 9, NG)
        for number in range(1, 301)
    }


async def test_a_list_is_read_on_by_the_next_process_and_nothing_of_it_twice(
    tmp_path: Path,
) -> None:
    lists, cache = listed(100), cache_of(tmp_path)
    await scan_of(lists, cache).catch_up(at_block(9))
    lists.asked.clear()

    assert await scan_of(lists, cache).catch_up(at_block(10)) == 0
    assert lists.asked == [Call(dex.factory, POOL_COUNT) for dex in (NG, ALL)]
    lists.say(NG, token(77_777), told(token(5), token(4)))
    assert await scan_of(lists, cache).catch_up(at_block(11)) == 1

    read = [one for one in lists.asked if one.data[:4] == GET_POOL]
    assert read == [Call(NG.factory, call_data(GET_POOL, 100))]
    [newest] = cache.among([token(77_777)]).values()
    assert (newest.block, newest.serial) == (11, 101)
    assert newest.tokens == (token(5), token(4)), "in the pool's order, whichever that is"


async def test_what_was_read_before_a_node_went_away_is_kept(tmp_path: Path) -> None:
    cache, lists = cache_of(tmp_path), listed(100)
    lists.answers_left = 3
    with pytest.raises(NodeError):
        await scan_of(lists, cache).catch_up(at_block(9))
    kept = cache.count()
    assert 0 < kept < 100

    lists.answers_left = 1_000
    assert await scan_of(lists, cache).catch_up(at_block(10)) == 100 - kept


async def test_a_branch_that_is_left_takes_along_what_its_lists_told(tmp_path: Path) -> None:
    cache, lists = cache_of(tmp_path), listed(40)
    await scan_of(lists, cache).catch_up(at_block(9))
    lists.say(NG, token(50_000), told(token(1), token(2)))
    await scan_of(lists, cache).catch_up(at_block(10, branch=1))
    assert cache.count() == 41

    cache.go_back(9)
    assert cache.count() == 40
    lists._pools[NG.factory][-1] = (token(60_000), told(token(1), token(2)), NO)
    assert await scan_of(lists, cache).catch_up(at_block(10, branch=2)) == 1

    assert cache.among([token(50_000), token(60_000)]).keys() == {token(60_000)}


async def test_a_pool_in_two_lists_is_one(tmp_path: Path) -> None:
    cache, lists = cache_of(tmp_path), listed(5)
    for number in range(1, 6):
        lists.say(ALL, token(10_000 + number), padded(token(number), token(number + 1)))
    lists.say(ALL, token(20_000), padded(token(1), token(2), token(3), length=4))
    lists.say(ALL, token(20_000), padded(token(1), token(2), token(3), length=4))

    assert await scan_of(lists, cache).catch_up(at_block(9)) == 6

    assert {one.dex.name for one in cache.all()} == {"Curve", "Curve, all registries"}
    [old] = cache.among([token(20_000)]).values()
    assert old.tokens == (token(1), token(2), token(3))


@pytest.mark.parametrize(
    ("coins", "is_meta", "refusal"),
    [
        (told(token(1), token(2)), YES, PoolRefusal.KIND),
        (told(token(1), token(2)), None, PoolRefusal.KIND),
        (told(token(1), NATIVE_COIN), NO, PoolRefusal.KIND),
        (told(token(1)), NO, PoolRefusal.KIND),
        (told(*map(token, range(1, 6))), NO, PoolRefusal.KIND),
        (told(token(1), token(1)), NO, PoolRefusal.TOKENS),
        (told(token(1), token(9_000)), NO, PoolRefusal.TOKENS),
        (None, NO, PoolRefusal.MALFORMED),
        (b"", NO, PoolRefusal.MALFORMED),
        (told(token(1), token(2))[:-1], NO, PoolRefusal.MALFORMED),
        (word(32) + word(3) + word(1) + word(2) + word(3) + word(4), NO, PoolRefusal.MALFORMED),
        (padded(token(1), token(0), token(2)), NO, PoolRefusal.MALFORMED),
        (padded(token(1), token(2), length=5), NO, PoolRefusal.MALFORMED),
        (word(2**200) + word(1), NO, PoolRefusal.MALFORMED),
    ],
)
async def test_what_is_no_plain_stable_pool_is_counted_by_its_reason(
    tmp_path: Path, coins: bytes | None, is_meta: bytes | None, refusal: PoolRefusal
) -> None:
    cache, lists = cache_of(tmp_path), listed(2)
    lists.say(NG, token(9_000), coins, is_meta=is_meta)
    lists.say(NG, token(9_001), told(token(3), token(1)))
    scan = scan_of(lists, cache)

    assert await scan.catch_up(at_block(9)) == 3

    lists.say(NG, token(9_000), coins, is_meta=is_meta)
    assert await scan.catch_up(at_block(10)) == await scan.catch_up(at_block(11)) == 0
    assert scan.refused == cache.refused() == {refusal: 2}, "each place of a list counts once"
    assert not cache.among([token(9_000)])


async def test_a_pool_of_the_other_curve_or_at_no_place_is_refused(tmp_path: Path) -> None:
    cache, lists = cache_of(tmp_path), listed(1)
    for address in (token(9_000), token(0), NG.factory):
        lists.say(NG, address, told(token(1), token(2)))
    lists.gammas.add(token(9_000))
    scan = scan_of(lists, cache)

    assert await scan.catch_up(at_block(9)) == 1
    assert scan.refused == {PoolRefusal.KIND: 1, PoolRefusal.MALFORMED: 2}


async def test_a_list_of_absurd_length_is_not_believed(tmp_path: Path) -> None:
    cache, lists = cache_of(tmp_path), listed(2)
    answer = lists._answer
    lists._answer = (  # type: ignore[method-assign]
        lambda call: word(LISTED_MAX + 1) if call.data == POOL_COUNT else answer(call)
    )

    with pytest.raises(NodeError, match="has a list of 50001 pools"):
        await scan_of(lists, cache).catch_up(at_block(9))
    assert cache.count() == 0


async def test_dexs_that_announce_their_pools_are_not_asked_for_a_list(tmp_path: Path) -> None:
    lists = listed(2)

    assert await scan_of(lists, cache_of(tmp_path), (V2,)).catch_up(at_block(9)) == 0
    assert lists.asked == []


AMP, FEE_E10, FEE_RATIO = 400 * 100, 4_000_000, Decimal("0.0004")


async def test_a_pool_with_curve_s_interface_is_found_chosen_and_read_on_a_real_node(
    new_world: Callable[[], LocalWorld], tmp_path: Path
) -> None:
    world = new_world()
    hands = world.hands(0)
    coins = [world.token(symbol) for symbol in ("USDT", "USDC")]
    balances = [world.raw("USDT", 300_000), world.raw("USDC", 200_000)]
    pool = _deploy_pool(world, hands, balances)
    for symbol in ("USDT", "USDC"):
        world.transfer(symbol, pool, 300_000)
    says = {
        POOL_COUNT: word(1),
        call_data(GET_POOL, 0): word(pool),
        call_data(GET_COINS, int(pool, 16)): told(*(one.address for one in coins)),
        call_data(IS_META, int(pool, 16)): NO,
    }
    factory = answering_each(hands, says)
    hands.flush()
    row = msgspec.structs.replace(NG, chain=world.world.chain, factory=factory)

    async with on_node(world.world.http_url) as chain:
        at = await chain.head()
        with open_discovery(
            tmp_path,
            facts=CHAINS[world.world.chain],
            dexes=[*world.made.dexes, row],
            node=chain.node,
            reader=chain.reader,
            usd_of=START_PRICES_USD.get,
            why_not=lambda _found, _worth: "",
            followable=FAMILY_OF.keys(),
        ) as opened:
            await opened.look(at)
            choice = await opened.choose(at, ChoiceTerms(pool_usd_min=10_000.0))
            [chosen] = [one for one in choice.chosen if one.dex == row]
            [read] = await Curve().read([chosen.pool], chain.reader, at)
            assert opened.status().unsound == ()

    assert chosen.pool.address == pool
    assert chosen.pool.token_addresses == tuple(one.address for one in coins)
    assert chosen.worth_usd == pytest.approx(600_000, rel=0.02)
    assert isinstance(read, PoolNow), read
    assert read.row == CurveRow(
        balances_raw=tuple(map(str, balances)), amp=AMP, amp_precision=100, rates_e18=()
    )


def _deploy_pool(world: LocalWorld, hands: Hands, balances: Sequence[int]) -> str:
    """Deploy what answers as a StableSwap of Curve does, its quotes by the exact form."""
    coins = [world.token(symbol) for symbol in ("USDT", "USDC")]
    pool = Pool(
        chain=world.world.chain,
        protocol=Protocol.CURVE,
        address="0x" + "99" * 20,
        tokens=tuple((AssetCode(f"T{index}"), one.decimals) for index, one in enumerate(coins)),
        fee_ratio=FEE_RATIO,
        gas_units=1,
    )
    row = CurveRow(balances_raw=tuple(map(str, balances)), amp=AMP, amp_precision=100, rates_e18=())
    says = {
        call_data(selector("A()")): word(AMP // 100),
        call_data(selector("A_precise()")): word(AMP),
        call_data(selector("future_A_time()")): word(0),
        call_data(selector("fee()")): word(FEE_E10),
    }
    for index, (coin, balance) in enumerate(zip(coins, balances, strict=True)):
        says[call_data(GET_COIN, index)] = word(coin.address)
        says[call_data(GET_BALANCE, index)] = word(balance)
    for one, other in permutations(range(2)):
        for part in (7, 10_007):
            amount = balances[one] // part + 1
            out = quoted_out(row.state(pool), amount, token_in=one, token_out=other)
            says[call_data(GET_DY, one, other, amount)] = word(out)
    return answering_each(hands, says)
