"""Several providers as one node: one that is dead, slow, behind or mad costs no wrong answer."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from engine.chains.ports import NodeError, Refusal, Topic
from engine.chains.rpc.health import ProviderState
from tests.chains.fault_proxy import (
    ALL,
    Answered,
    Delayed,
    Dropped,
    Failed,
    Fault,
    Hung,
    Said,
    Status,
    WrongId,
    absurd,
    nothing,
    other_chain,
    other_hash,
)
from tests.chains.rpc.place import IMPATIENT, LIMITS, Place, access_of, made_place
from tests.patience import PATIENCE_S


async def ask_all(place: Place) -> list[Any]:
    """Ask for something of each sort, and return the answers."""
    pool, hash_of_3 = place.pool, place.node.blocks[3]["hash"]
    return [
        await pool.request("eth_getBlockByNumber", "0x3", False),
        await pool.request("eth_getBlockByHash", hash_of_3, False),
        await pool.request("eth_call", {"to": "0x00", "data": "0x1234"}, {"blockHash": hash_of_3}),
        await pool.request("eth_getLogs", {"fromBlock": "0x2", "toBlock": "0x8"}),
        *await pool.batch([("eth_blockNumber", []), ("eth_getBlockByNumber", ["0x5", False])]),
    ]


FAULTS: list[tuple[str, Fault]] = [
    (ALL, Dropped()),
    (ALL, Hung()),
    (ALL, Delayed(60.0)),
    (ALL, Said("{")),
    (ALL, Said("[]")),
    (ALL, Said("[" + "0," * 5_000_000 + "0]")),
    (ALL, WrongId()),
    (ALL, Status(500)),
    (ALL, Status(403)),
    (ALL, Status(402)),
    (ALL, Status(429, retry_after="3")),
    (ALL, Failed(-32005, "rate limit exceeded")),
    (ALL, Failed(-32601, "the method does not exist")),
    (ALL, Answered(nothing)),
    (ALL, Answered(lambda _: 7)),
    ("eth_getBlockByNumber", Answered(absurd)),
    ("eth_getBlockByNumber", Answered(lambda _: {})),
    ("eth_getBlockByHash", Answered(other_hash)),
    ("eth_blockNumber", Answered(absurd)),
    ("eth_call", Answered(lambda _: [])),
    ("eth_call", Answered(lambda _: "0x123")),
    ("eth_getLogs", Answered(lambda _: {})),
    ("eth_getLogs", Answered(lambda logs: [*logs, *logs])),
    ("eth_getLogs", Answered(lambda logs: [{**logs[0], "blockNumber": "0x9"}])),
]


@pytest.mark.parametrize(("method", "fault"), FAULTS)
async def test_answers_are_right_whatever_one_of_three_providers_does(
    method: str, fault: Fault
) -> None:
    async with made_place(3, limits=IMPATIENT) as place:
        truth = await ask_all(place)
        place.proxies[0].on(method, fault)
        for _ in range(3):
            place.first_is(0)

            async with asyncio.timeout(PATIENCE_S):
                told = await ask_all(place)

            assert told == truth
        assert place.proxies[0].spoilt


async def test_a_slow_provider_is_outrun_by_the_next_and_loses_its_rank() -> None:
    async with made_place(2, limits=IMPATIENT) as place:
        place.first_is(0)
        place.proxies[0].on("eth_chainId", Delayed(60.0))

        async with asyncio.timeout(25.0):  # its answers end after 30 s
            told = [await place.pool.request("eth_chainId") for _ in range(30)]

        assert told == ["0x7a69"] * 30
        assert place.pool.health().hedges_won >= 1
        assert place.asked(1) > 20


async def test_slowness_of_all_does_not_double_what_they_are_asked() -> None:
    async with made_place(2, limits=IMPATIENT) as place:
        for proxy in place.proxies:
            proxy.asked.clear()
            proxy.on("eth_chainId", Delayed(0.2))

        await asyncio.gather(*(place.pool.request("eth_chainId") for _ in range(60)))

        asked = place.asked(0) + place.asked(1)
        assert 60 < asked <= 60 + 10 + 6


async def test_what_changes_something_is_never_sent_twice() -> None:
    async with made_place(3) as place:
        for proxy in place.proxies:
            proxy.asked.clear()
            proxy.on(ALL, Dropped())

        with pytest.raises(NodeError):
            await place.pool.request("eth_sendRawTransaction", "0x00")

        assert sum(place.asked(index) for index in range(3)) == 1


async def test_no_wait_is_longer_than_its_bound() -> None:
    short = replace(LIMITS, within_s=0.3)
    async with made_place(3, limits=short) as place:
        for proxy in place.proxies:
            proxy.on(ALL, Hung())

        async with asyncio.timeout(10.0):
            with pytest.raises(NodeError) as refused:
                await place.pool.request("eth_chainId")

        assert refused.value.refusal is Refusal.AWAY


async def test_a_provider_of_another_chain_is_refused_and_asked_nothing_else() -> None:
    async with made_place(2, is_beaten=False) as place:
        place.proxies[0].on("eth_chainId", Answered(other_chain))
        await place.pulse.beat()
        place.proxies[0].asked.clear()

        for _ in range(5):
            assert await place.pool.request("eth_getBlockByNumber", "0x3", False)

        assert place.proxies[0].asked == []
        assert place.caught == [("provider 0", "it is of chain 61, not 31337")]
        health = place.pool.health().providers[0]
        assert (health.state, health.troubles["wrong_chain"]) == (ProviderState.QUARANTINED, 1)


async def test_with_none_but_providers_of_another_chain_there_is_no_answer() -> None:
    async with made_place(1, is_beaten=False) as place:
        place.proxies[0].on("eth_chainId", Answered(other_chain))
        await place.pulse.beat()

        with pytest.raises(NodeError, match="it is of chain 61, not 31337") as refused:
            await place.pool.request("eth_blockNumber")

        assert refused.value.refusal is Refusal.LIED


async def test_a_provider_that_was_away_at_start_joins_when_it_is_back() -> None:
    async with made_place(1, is_beaten=False) as place:
        place.proxies[0].on(ALL, Status(503))
        await place.pulse.beat()
        with pytest.raises(NodeError) as refused:
            await place.pool.request("eth_blockNumber")
        place.proxies[0].clear()

        await place.pulse.beat()

        assert refused.value.refusal is Refusal.AWAY
        assert await place.pool.request("eth_blockNumber") == "0x1e"


async def test_who_is_behind_is_not_asked_about_new_blocks_but_about_old_ones() -> None:
    async with made_place(2) as place:
        place.proxies[0].hold_head(20)
        await place.pulse.beat()
        place.first_is(0)
        place.proxies[0].asked.clear()

        assert await place.pool.request("eth_blockNumber") == "0x1e"
        newest = await place.pool.request("eth_getBlockByNumber", "latest", False)
        assert newest == place.node.blocks[-1]
        assert await place.pool.request("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x1e"})
        assert place.proxies[0].asked == []
        assert await place.pool.request("eth_getBlockByNumber", "0x3", False)
        assert place.proxies[0].asked == ["eth_getBlockByNumber"]
        health = place.pool.health().providers[0]
        assert (health.state, health.lag_blocks) == (ProviderState.BEHIND, 10)


async def test_null_is_believed_of_all_and_not_of_one() -> None:
    async with made_place(2) as place:
        place.first_is(0)
        place.proxies[0].on("eth_getBlockByNumber", Answered(nothing))

        assert await place.pool.request("eth_getBlockByNumber", "0x3", False)
        assert await place.pool.request("eth_getBlockByNumber", "0x99", False) is None


async def test_a_wait_that_is_asked_for_is_kept_and_the_other_key_is_used() -> None:
    async with made_place(2, kinds=["http"]) as place:
        place.first_is(0)
        place.proxies[0].on("eth_chainId", Status(429, retry_after="7"), times=1)
        assert await place.pool.request("eth_chainId") == "0x7a69"
        place.proxies[0].asked.clear()

        place.clock.now_s += 6.9
        await place.pool.request("eth_chainId")
        before = place.asked(0)
        place.clock.now_s += 0.2
        await place.pool.request("eth_chainId")

        assert (before, place.asked(0)) == (0, 1)


async def test_no_key_is_asked_for_more_than_its_units_and_the_next_one_takes_over() -> None:
    rates = {"host0.example": 10.0, "host1.example": 10.0}
    async with made_place(2, rates=rates) as place:
        place.clock.now_s += 100
        for proxy in place.proxies:
            proxy.asked.clear()

        refusals = set()

        async def ask() -> bool:
            try:
                await place.pool.request("eth_chainId")
            except NodeError as error:
                refusals.add(error.refusal)
                return False
            return True

        at_once = [await ask() for _ in range(25)]
        place.clock.now_s += 0.5
        later = [await ask() for _ in range(12)]

        assert (sum(at_once), sum(later)) == (20, 10)
        assert refusals == {Refusal.LIMITED}
        assert [place.asked(0), place.asked(1)] == [15, 15]
        state = place.pool.health().providers[0]
        assert (state.state, state.budget_used_ratio) == (ProviderState.LIMITED, 1.0)


async def test_an_error_that_all_would_give_is_no_reason_to_ask_all() -> None:
    async with made_place(3) as place:
        place.first_is(0)
        for proxy in place.proxies:
            proxy.asked.clear()
            proxy.on("eth_call", Failed(3, "execution reverted"))

        with pytest.raises(NodeError):
            await place.pool.request("eth_call", {"to": "0x00", "data": "0x"}, "latest")

        assert [place.asked(index) for index in range(3)] == [1, 0, 0]


async def test_a_subscription_that_breaks_begins_anew_at_another_provider() -> None:
    async with made_place(2) as place:
        place.first_is(0)
        told = []
        for index in range(2):
            async with aclosing(place.pool.subscribe(Topic.HEADS)) as heads:
                first = asyncio.ensure_future(anext(heads))
                await _until_told(place, index + 1)
                place.node.mine()
                told.append(await first)
                if index == 0:
                    place.proxies[0].cut()
                    with pytest.raises(NodeError):
                        await anext(heads)

        assert told == place.node.blocks[-2:]
        assert [proxy.asked.count("eth_subscribe") for proxy in place.proxies] == [1, 1]


async def test_a_subscription_at_a_provider_that_falls_behind_ends() -> None:
    async with made_place(2) as place:
        place.first_is(0)
        async with aclosing(place.pool.subscribe(Topic.HEADS)) as heads:
            first = asyncio.ensure_future(anext(heads))
            await _until_told(place)
            place.node.mine()
            await first
            for _ in range(5):
                place.node.mine()
            place.proxies[0].hold_head(31)
            await place.pulse.beat()
            place.proxies[0].clear()
            place.node.mine()

            with pytest.raises(NodeError, match="blocks behind"):
                [word async for word in heads]


async def _until_told(place: Place, count: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while place.node.asked.count("eth_subscribe") != count:
            await asyncio.sleep(0.005)


async def test_heads_are_polled_where_no_provider_has_subscriptions() -> None:
    async with made_place(1, kinds=["http"]) as place:
        async with aclosing(place.pool.subscribe(Topic.HEADS)) as heads:
            first = await anext(heads)
            place.node.mine()
            second = await anext(heads)

        assert [first, second] == place.node.blocks[-2:]


async def test_keys_are_replaced_while_questions_go_on() -> None:
    async with made_place(3) as place:
        old = access_of(0, place.proxies[0], ["http", "socket"])
        kept = place.standing(1)
        new = access_of(2, place.proxies[2], ["http", "socket"])
        await place.pool.use([old, kept.provider.access])
        place.first_is(0)
        place.proxies[0].on("eth_chainId", Delayed(0.3))
        under_way = asyncio.ensure_future(place.pool.request("eth_chainId"))
        await asyncio.sleep(0)
        answered = kept.answered

        await place.pool.use([kept.provider.access, new])

        assert await under_way == "0x7a69"
        assert place.standing(1) is kept
        assert kept.answered >= answered
        place.proxies[0].asked.clear()
        await place.pulse.beat()
        for _ in range(10):
            await place.pool.request("eth_blockNumber")
        assert place.proxies[0].asked == []
        assert [one.provider.name for one in place.pool.standings] == ["provider 1", "provider 2"]


async def test_a_key_is_replaced_by_none_that_opens_nothing() -> None:
    async with made_place(3) as place:
        old, wrong, new = (access_of(n, place.proxies[n], ["http", "socket"]) for n in range(3))
        await place.pool.use([old])
        place.proxies[1].on("eth_chainId", Answered(other_chain))
        for proxy in place.proxies:
            proxy.asked.clear()

        await place.pool.use([wrong])
        await place.pulse.beat()
        assert await place.pool.request("eth_blockNumber") == "0x1e"
        assert [one.name for one in place.pool.health().providers] == ["provider 1"]
        assert place.asked(1) == 2, "it was asked what it is, and nothing else"

        await place.pool.use([new])
        assert place.asked(2) == 0
        await place.pulse.beat()
        assert [one.provider.name for one in place.pool.standings] == ["provider 2"]
        place.proxies[0].asked.clear()
        assert await place.pool.request("eth_blockNumber") == "0x1e"
        assert place.asked(0) == 0


async def test_an_answer_that_is_waited_for_with_a_key_that_was_replaced_comes() -> None:
    async with made_place(2, kinds=["socket"]) as place:
        place.first_is(0)
        place.proxies[0].on("eth_chainId", Delayed(0.2))
        was_asked, before = place.standing(0), place.asked(1)
        under_way = asyncio.ensure_future(place.pool.request("eth_chainId"))
        async with asyncio.timeout(PATIENCE_S):
            while "eth_chainId" not in place.proxies[0].asked[-1:]:
                await asyncio.sleep(0.005)

        await place.pool.use([place.standing(1).provider.access])

        assert await under_way == "0x7a69"
        assert was_asked.provider.troubles.total() == 0
        assert place.asked(1) == before


async def test_a_subscription_with_a_key_that_was_replaced_ends() -> None:
    async with made_place(2) as place:
        place.first_is(0)
        async with aclosing(place.pool.subscribe(Topic.HEADS)) as heads:
            first = asyncio.ensure_future(anext(heads))
            await _until_told(place)
            place.node.mine()
            await first

            await place.pool.use([place.standing(1).provider.access])

            with pytest.raises(NodeError):
                async with asyncio.timeout(PATIENCE_S):
                    await anext(heads)


async def test_each_trouble_is_counted_by_its_kind() -> None:
    async with made_place(1) as place:
        for fault in (Dropped(), Said("{"), WrongId(), Status(503)):
            place.proxies[0].on("eth_chainId", fault, times=1)
            with pytest.raises(NodeError):
                await place.pool.request("eth_chainId")

        troubles = place.pool.health().providers[0].troubles
        assert troubles["disconnected"] + troubles["bad_json"] == 2
        assert (troubles["wrong_id"], troubles["http_status"]) == (1, 1)


async def test_a_provider_that_knows_no_newest_block_harms_no_other() -> None:
    async with made_place(2, is_beaten=False) as place:
        place.proxies[0].on("eth_getBlockByNumber", Answered(nothing))

        for _ in range(8):
            await place.pulse.beat()

        assert await place.pool.request("eth_blockNumber") == "0x1e"
        assert place.pool.health().providers[0].state is ProviderState.UNCHECKED


async def test_a_block_that_is_still_being_made_has_no_hash_and_is_no_head() -> None:
    async with made_place(1) as place:
        unmade = {**place.node.blocks[-1], "number": "0x1f", "hash": None}
        place.proxies[0].on("eth_getBlockByNumber", Answered(lambda _: unmade), times=1)

        told = await place.pool.request("eth_getBlockByNumber", "pending", False)

        assert told == unmade
        assert place.pool.health().providers[0].head == 30
