"""Events of factories become pools: each once, of the branch that stands."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from engine.chains.discovery.factory_scan import FactoryScan, ScanProgress
from engine.chains.discovery.found import PoolRefusal
from engine.chains.ports import Log, NodeError, Refusal
from engine.domain.dexes import Dex
from tests.chains.discovery.pretend_chain import (
    V2,
    V3,
    V4,
    PretendChain,
    cache_at,
    pair,
    pair_at,
    pools_in,
    scan_of,
    tier,
    token,
    v4,
)


def busy_chain(*, span_max: int = 1_000, logs_max: int = 1_000) -> PretendChain:
    """Tell of a pair in each of 60 blocks, and of tiers and ids in some of them."""
    chain = PretendChain(span_max=span_max, logs_max=logs_max)
    for number in range(1, 61):
        logs = [pair(number, 1_000 + number, serial=number)]
        if number % 7 == 0:
            logs += [tier(number, 2_000, fee_pips=500), tier(number, 2_000, fee_pips=3_000)]
        if number % 20 == 0:
            logs.append(v4(0, number))
        chain.mine(*logs)
    return chain


ALL_OF_BUSY = 60 + 2 * 8 + 3


@pytest.mark.parametrize(
    ("span_max", "logs_max"), [(1, 1_000), (3, 1_000), (1_000, 4), (17, 9), (1_000, 1_000)]
)
async def test_all_pools_are_found_whatever_the_provider_gives_at_once(
    tmp_path: Path, span_max: int, logs_max: int
) -> None:
    chain, cache = busy_chain(span_max=span_max, logs_max=logs_max), cache_at(tmp_path / "a")

    found = await scan_of(chain, cache).catch_up(chain.head)

    assert found == cache.count() == ALL_OF_BUSY
    assert len(pools_in(cache)) == ALL_OF_BUSY


async def test_spans_grow_where_the_provider_gives_more(tmp_path: Path) -> None:
    chain = PretendChain(span_max=100_000)
    for _ in range(3_000):
        chain.mine()

    await scan_of(chain, cache_at(tmp_path / "a"), log_span=1).catch_up(chain.head)

    assert len(chain.asked) < 20


async def test_each_block_is_asked_for_once(tmp_path: Path) -> None:
    chain, cache = busy_chain(span_max=7), cache_at(tmp_path / "a")
    await scan_of(chain, cache).catch_up(20)
    await scan_of(chain, cache).catch_up(40)
    await scan_of(chain, cache).catch_up(40)
    await scan_of(chain, cache).catch_up(60)

    blocks = [block for first, last in chain.asked for block in range(first, last + 1)]
    assert blocks == list(range(61))


async def test_what_was_found_is_known_to_the_next_process(tmp_path: Path) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    await scan_of(chain, cache).catch_up(40)

    again = cache_at(tmp_path / "a")

    assert pools_in(again) == pools_in(cache)
    await scan_of(chain, again).catch_up(60)
    assert again.count() == ALL_OF_BUSY


async def test_a_dex_that_comes_later_is_read_from_its_first_block(tmp_path: Path) -> None:
    chain = busy_chain()
    await scan_of(chain, cache_at(tmp_path / "a", [V2]), [V2]).catch_up(60)
    assert cache_at(tmp_path / "a").count() == 60

    found = await scan_of(chain, cache_at(tmp_path / "a")).catch_up(60)

    assert found == ALL_OF_BUSY - 60


async def test_pools_of_a_branch_that_was_left_are_forgotten(tmp_path: Path) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    scan = scan_of(chain, cache, log_span=4)
    await scan.catch_up(60)

    chain.reorg(10, "other")
    chain.mine(pair(51, 1_051, serial=51))
    await scan.catch_up(61)

    assert {block for _, block in pools_in(cache)} == {*range(1, 51), 61}


async def test_a_chain_that_is_another_one_from_its_first_block_on_is_read_anew(
    tmp_path: Path,
) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    await scan_of(chain, cache).catch_up(60)
    chain.reorg(61, "other")
    chain.mine(pair(1, 2, serial=1))

    await scan_of(chain, cache).catch_up(61)

    assert {block for _, block in pools_in(cache)} == {61}


async def test_nothing_is_forgotten_because_a_node_is_behind(tmp_path: Path) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    await scan_of(chain, cache, log_span=4).catch_up(60)
    behind = busy_chain()
    behind._told = chain._told[:30]

    await scan_of(behind, cache).catch_up(29)

    assert cache.count() == ALL_OF_BUSY


async def test_a_span_whose_branch_is_left_while_it_is_read_does_not_count(tmp_path: Path) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    chain.reorgs_while_reading = 2

    await scan_of(chain, cache, log_span=100).catch_up(60)

    assert {block for _, block in pools_in(cache)} == set(range(1, 60))


async def test_a_branch_that_is_left_between_two_spans_takes_its_pools_with_it(
    tmp_path: Path,
) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")

    def leave(progress: ScanProgress) -> None:
        if progress.block == 29:
            chain.reorg(50, "other")

    await FactoryScan(
        node=chain, reader=chain, dexes=[V2, V3, V4], cache=cache, log_span=10, told=leave
    ).catch_up(60)

    assert {block for _, block in pools_in(cache)} == set(range(1, 11))


async def test_a_node_whose_blocks_are_others_each_time_is_given_up(tmp_path: Path) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    chain.reorgs_while_reading = 1_000

    with pytest.raises(NodeError) as raised:
        await scan_of(chain, cache, log_span=100).catch_up(60)

    assert raised.value.refusal is Refusal.LIED
    assert cache.count() == 0


async def test_a_block_that_is_too_much_by_itself_is_no_endless_loop(tmp_path: Path) -> None:
    chain, cache = busy_chain(logs_max=2), cache_at(tmp_path / "a")

    with pytest.raises(NodeError) as raised:
        await scan_of(chain, cache).catch_up(60)

    assert raised.value.refusal is Refusal.TOO_MANY
    assert {block for _, block in pools_in(cache)} == set(range(1, 7))


async def test_pools_that_a_provider_leaves_out_are_asked_again_and_then_counted(
    tmp_path: Path,
) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    chain.hidden = {pair(number, 1_000 + number, serial=number).data for number in (5, 6, 30)}
    scan = scan_of(chain, cache, log_span=16)

    await scan.catch_up(60)

    assert scan.missing == {"Pairs": 3}
    assert cache.count() == ALL_OF_BUSY - 3


async def test_newest_pools_that_a_provider_left_out_are_found_by_the_factorys_count(
    tmp_path: Path,
) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    chain.hidden = {pair(number, 1_000 + number, serial=number).data for number in (59, 60)}
    await scan_of(chain, cache).catch_up(60)
    assert cache.count() == ALL_OF_BUSY - 2
    chain.hidden = set()
    chain.counts = {V2.factory: 60}
    scan = scan_of(chain, cache)

    await scan.catch_up(60)

    assert (cache.count(), scan.missing) == (ALL_OF_BUSY, {})


async def test_a_factory_that_says_more_than_it_ever_told_is_no_endless_loop(
    tmp_path: Path,
) -> None:
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    chain.counts = {V2.factory: 70}
    scan = scan_of(chain, cache)

    await scan.catch_up(60)

    assert (cache.count(), scan.missing) == (ALL_OF_BUSY, {"Pairs": 10})


async def test_nonsense_that_a_node_tells_for_once_costs_no_pool(tmp_path: Path) -> None:
    class Once(PretendChain):
        is_sound = False

        async def logs(
            self,
            first: int,
            last: int,
            *,
            topics: Sequence[bytes],
            addresses: Sequence[str] = (),
        ) -> list[Log]:
            logs = await super().logs(first, last, topics=topics, addresses=addresses)
            was_sound, self.is_sound = self.is_sound, True
            if was_sound:
                return logs
            return [msgspec.structs.replace(log, data=b"\x11" * 32) for log in logs]

    chain, cache = Once(), cache_at(tmp_path / "a")
    chain.mine(tier(1, 2, fee_pips=500), tier(1, 2, fee_pips=3_000))
    scan = scan_of(chain, cache)

    await scan.catch_up(1)

    assert (cache.count(), scan.refused) == (2, {})


async def test_an_answer_that_was_cut_is_whole_in_shorter_spans(tmp_path: Path) -> None:
    class Cutting(PretendChain):
        async def logs(
            self,
            first: int,
            last: int,
            *,
            topics: Sequence[bytes],
            addresses: Sequence[str] = (),
        ) -> list[Log]:
            return (await super().logs(first, last, topics=topics, addresses=addresses))[:4]

    chain, cache = Cutting(), cache_at(tmp_path / "a")
    for number in range(1, 41):
        chain.mine(pair(number, 1_000 + number, serial=number))
    scan = scan_of(chain, cache, log_span=12)

    await scan.catch_up(40)

    assert (cache.count(), scan.missing) == (40, {})


async def test_a_first_block_that_is_too_late_is_no_loss(tmp_path: Path) -> None:
    late = msgspec.structs.replace(V2, first_block=30)
    chain, cache = busy_chain(), cache_at(tmp_path / "a", [late])
    scan = scan_of(chain, cache, [late])

    await scan.catch_up(60)

    assert (cache.count(), scan.missing) == (60, {})


HOSTILE = [
    (PoolRefusal.ELSEWHERE, pair_at(token(0xBAD), 1, 2, serial=1)),
    (PoolRefusal.ELSEWHERE, v4(1, 2, pool_id="0x" + "77" * 32)),
    (PoolRefusal.TOKENS, pair(2, 1, serial=1)),
    (PoolRefusal.TOKENS, pair(2, 2, serial=1)),
    (PoolRefusal.TOKENS, pair(0, 2, serial=1)),
    (PoolRefusal.TOKENS, pair_at(token(2), 1, 2, serial=1)),
    (PoolRefusal.TOKENS, pair_at(V2.factory, 1, 2, serial=1)),
    (PoolRefusal.TOKENS, pair_at(token(0), 1, 2, serial=1)),
    (PoolRefusal.MALFORMED, tier(1, 2, fee_pips=1_000_000)),
    (PoolRefusal.MALFORMED, tier(1, 2, fee_pips=500, spacing=0)),
    (PoolRefusal.MALFORMED, tier(1, 2, fee_pips=500, spacing=-60)),
    (PoolRefusal.MALFORMED, tier(1, 2, fee_pips=500, spacing=2**23)),
    (PoolRefusal.HOOKS, v4(1, 2, hooks=0x80)),
    (PoolRefusal.HOOKS, v4(1, 2, fee_pips=0x800000)),
    (PoolRefusal.MALFORMED, v4(1, 2, fee_pips=2**24)),
]


@pytest.mark.parametrize(("refusal", "log"), HOSTILE)
async def test_what_no_pool_can_be_is_refused_by_name_and_counted(
    tmp_path: Path, refusal: PoolRefusal, log: Log
) -> None:
    chain, cache = PretendChain(), cache_at(tmp_path / "a")
    good = pair(8, 9, serial=2)
    chain.mine(log, good)
    scan = scan_of(chain, cache)

    await scan.catch_up(1)

    assert scan.refused == cache.refused() == {refusal: 1}
    assert cache.count() == 1


@pytest.mark.parametrize("cut", ["topics", "data", "long data", "words", "dirty address"])
async def test_an_event_of_another_shape_is_refused_by_name(tmp_path: Path, cut: str) -> None:
    chain, cache = PretendChain(), cache_at(tmp_path / "a")
    log = pair(1, 2, serial=1)
    chain.mine(
        {
            "topics": msgspec.structs.replace(log, topics=log.topics[:2]),
            "data": msgspec.structs.replace(log, data=b""),
            "long data": msgspec.structs.replace(log, data=log.data + bytes(32)),
            "words": msgspec.structs.replace(log, data=log.data[:-1]),
            "dirty address": msgspec.structs.replace(
                log, topics=(log.topics[0], b"\xff" * 32, log.topics[2])
            ),
        }[cut]
    )
    scan = scan_of(chain, cache)

    await scan.catch_up(1)

    assert (scan.refused, cache.count()) == ({PoolRefusal.MALFORMED: 1}, 0)


async def test_a_pool_that_is_told_twice_counts_once_and_as_it_was_first(tmp_path: Path) -> None:
    underived = Dex(name="Any", chain="ethereum", protocol=V2.protocol, factory="0x" + "aa" * 20)
    chain, cache = PretendChain(), cache_at(tmp_path / "a", [underived])
    first = pair_at(token(0xFEED), 1, 2, serial=1, dex=underived)
    chain.mine(first, first, pair_at(token(0xFEED), 1, 3, serial=2, dex=underived))
    chain.mine(first, pair_at(token(0xFEED), 1, 4, serial=3, dex=underived))
    scan = scan_of(chain, cache, [underived], log_span=1)

    await scan.catch_up(2)

    assert [pool.tokens for pool in cache.all()] == [(token(1), token(2))]
    assert scan.refused == {PoolRefusal.TWICE: 2}


async def test_no_more_pools_are_kept_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.chains.discovery.pool_cache.POOLS_MAX", 50)
    chain, cache = busy_chain(), cache_at(tmp_path / "a")
    scan = scan_of(chain, cache)
    await scan.catch_up(60)
    assert (cache.count(), scan.refused) == (50, {PoolRefusal.FULL: ALL_OF_BUSY - 50})

    worthless = next(iter(cache.all()))
    cache.set_worth({worthless.address: 0.0})
    chain.mine(pair(61, 1_061, serial=61))
    await scan.catch_up(61)

    assert cache.count() == 50
    assert {block for _, block in pools_in(cache)} >= {61}
    assert worthless.address not in {address for address, _ in pools_in(cache)}


async def test_progress_is_told_after_each_span(tmp_path: Path) -> None:
    chain, cache, told = busy_chain(), cache_at(tmp_path / "a"), list[ScanProgress]()
    scan = FactoryScan(
        node=chain, reader=chain, dexes=[V2, V3, V4], cache=cache, log_span=20, told=told.append
    )

    await scan.catch_up(60)

    assert told[0].block < told[-1].block == told[-1].last == 60
    assert told[-1].pools == ALL_OF_BUSY


async def test_blocks_kept_by_hash_are_bounded_and_reach_back_to_the_first(tmp_path: Path) -> None:
    chain, cache = PretendChain(), cache_at(tmp_path / "a")
    for number in range(1, 701):
        chain.mine()
        if number > 300:
            await scan_of(chain, cache).catch_up(number)

    ends = [number for number, _ in cache.ends()]
    assert len(ends) <= 201
    assert ends[:50] == list(range(700, 650, -1))
    assert ends[-1] == 0
