"""A provider that lies is found by what the others say, and trusted again only after a check."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from engine.chains.ports import NodeError, Refusal, Topic
from engine.chains.rpc.health import ProviderState
from engine.chains.rpc.log_lists import read_logs
from engine.chains.rpc.parsing import parse_log
from engine.chains.rpc.quorum import Agreeing
from engine.domain.recovery import PROVIDER_QUARANTINE
from tests.chains.fault_proxy import (
    ALL,
    Answered,
    Delayed,
    Dropped,
    Failed,
    Status,
    other_hash,
    other_logs,
)
from tests.chains.rpc.place import IMPATIENT, Place, made_place
from tests.patience import PATIENCE_S
from tests.recoveries import Since


async def beat(place: Place, count: int) -> None:
    for _ in range(count):
        await place.pulse.beat()


def state_of(place: Place, index: int) -> ProviderState:
    return place.pool.health().providers[index].state


async def test_who_gives_a_settled_block_another_hash_than_two_others_is_quarantined() -> None:
    async with made_place(3) as place:
        place.proxies[1].on("eth_getBlockByNumber", Answered(other_hash))
        since = Since(PROVIDER_QUARANTINE)

        await beat(place, 13)

        assert since.came_to == (1, 0, 0)
        assert [name for name, _ in place.caught] == ["provider 1"]
        assert "another hash than 2 others" in place.caught[0][1]
        assert state_of(place, 1) is ProviderState.QUARANTINED
        place.proxies[1].asked.clear()
        for number in range(5):
            told = await place.pool.request("eth_getBlockByNumber", hex(number), False)
            assert told == place.node.blocks[number]
        assert place.proxies[1].asked == []


async def test_one_that_differs_once_may_have_been_overtaken_by_a_reorganisation() -> None:
    async with made_place(3) as place:
        await beat(place, 5)
        place.proxies[1].on("eth_getBlockByNumber", Answered(other_hash), times=2)

        await beat(place, 13)

        assert place.caught == []


async def test_parole_ends_with_a_check_and_the_next_term_is_twice_as_long() -> None:
    async with made_place(3) as place:
        place.proxies[1].on("eth_getBlockByNumber", Answered(other_hash))
        await beat(place, 13)

        place.clock.now_s += 61
        await place.pulse.beat()
        terms = [place.pool.health().providers[1].state_s]
        assert state_of(place, 1) is ProviderState.QUARANTINED
        place.proxies[1].clear()
        place.clock.now_s += 119
        await place.pulse.beat()
        still = state_of(place, 1)
        place.clock.now_s += 2
        await place.pulse.beat()

        assert terms == [120.0]
        assert still is ProviderState.QUARANTINED
        assert state_of(place, 1) is ProviderState.GOOD
        assert len(place.caught) == 2


async def test_what_a_liar_tells_by_itself_ends() -> None:
    async with made_place(3) as place:
        place.first_is(1)
        async with aclosing(place.pool.subscribe(Topic.HEADS)) as heads:
            first = asyncio.ensure_future(anext(heads))
            async with asyncio.timeout(PATIENCE_S):
                while place.node.asked.count("eth_subscribe") != 1:
                    await asyncio.sleep(0.005)
            place.node.mine()
            await first
            place.pool.quarantine(place.standing(1), "it lied")
            place.node.mine()

            with pytest.raises(NodeError, match="it lied"):
                await anext(heads)


async def test_one_against_one_nobody_knows_and_nothing_is_asked_until_they_agree() -> None:
    async with made_place(2) as place:
        place.proxies[1].on("eth_getBlockByNumber", Answered(other_hash))
        await beat(place, 7)

        with pytest.raises(NodeError, match="do not agree on block 26") as refused:
            await place.pool.request("eth_blockNumber")
        place.proxies[1].clear()
        await place.pulse.beat()

        assert refused.value.refusal is Refusal.LIED
        assert place.caught == []
        assert await place.pool.request("eth_blockNumber") == "0x1e"


def far_ahead(block: Any) -> Any:
    return {**block, "number": hex(2**39)} if isinstance(block, dict) else block


async def test_an_absurd_head_of_one_makes_the_others_no_less_trusted() -> None:
    async with made_place(3) as place:
        place.proxies[1].on("eth_getBlockByNumber", Answered(far_ahead))

        await place.pulse.beat()

        assert [name for name, _ in place.caught] == ["provider 1"]
        assert await place.pool.request("eth_blockNumber") == "0x1e"
        assert place.pool.health().head == 30


async def test_an_absurd_head_of_one_of_two_stops_the_chain_until_it_is_gone() -> None:
    async with made_place(2) as place:
        place.proxies[1].on("eth_getBlockByNumber", Answered(far_ahead))
        await place.pulse.beat()

        with pytest.raises(NodeError, match="blocks apart"):
            await place.pool.request("eth_blockNumber")
        place.proxies[1].clear()
        await place.pulse.beat()

        assert await place.pool.request("eth_blockNumber") == "0x1e"


def call_at(place: Place, data: str = "0x1234") -> tuple[Any, ...]:
    at = {"blockHash": place.node.blocks[20]["hash"]}
    return "eth_call", {"to": "0x" + "11" * 20, "data": data}, at


@pytest.mark.parametrize("liar", [0, 1, 2])
async def test_what_decides_money_is_believed_of_two_and_the_third_is_quarantined(
    liar: int,
) -> None:
    async with made_place(3) as place:
        place.first_is(liar)
        place.proxies[liar].on("eth_call", Answered(lambda _: "0x666f"))

        told = await Agreeing(place.pool, 2).request(*call_at(place))

        assert told == "0x123400"
        assert [name for name, _ in place.caught] == [f"provider {liar}"]
        assert state_of(place, liar) is ProviderState.QUARANTINED


async def test_events_and_reverts_are_compared_by_what_they_mean() -> None:
    async with made_place(3) as place:
        place.first_is(0)
        node = Agreeing(place.pool, 2)
        asked = {"blockHash": place.node.blocks[20]["hash"], "topics": []}
        place.node.methods["eth_getLogs"] = lambda _: [place.node.logs[10]]
        place.proxies[0].on(
            "eth_getLogs", Answered(lambda logs: [{**logs[0], "extra": 1}]), times=1
        )
        place.proxies[0].on("eth_call", Failed(3, "execution reverted"), times=1)
        place.proxies[1].on("eth_call", Failed(-32000, "execution reverted: no"), times=1)

        logs = await node.request("eth_getLogs", asked)
        with pytest.raises(NodeError, match="reverted"):
            await node.request(*call_at(place))

        assert isinstance(logs, list)
        assert len(logs) == 1
        assert place.caught == []


async def test_wrong_events_are_not_believed() -> None:
    async with made_place(3) as place:
        place.first_is(0)
        asked = {"blockHash": place.node.blocks[20]["hash"], "topics": []}
        place.node.methods["eth_getLogs"] = lambda _: [place.node.logs[10]]
        place.proxies[0].on("eth_getLogs", Answered(other_logs))

        told = await Agreeing(place.pool, 2).request("eth_getLogs", asked)

        assert [*read_logs(told)] == [parse_log(place.node.logs[10])]
        assert [name for name, _ in place.caught] == ["provider 0"]


async def test_one_against_one_is_a_lie_of_somebody_and_neither_is_quarantined() -> None:
    async with made_place(2) as place:
        place.proxies[0].on("eth_call", Answered(lambda _: "0x666f"))

        with pytest.raises(NodeError, match="do not agree") as refused:
            await Agreeing(place.pool, 2).request(*call_at(place))

        assert refused.value.refusal is Refusal.LIED
        assert place.caught == []


async def test_one_provider_alone_is_believed_where_the_settings_name_no_other() -> None:
    async with made_place(1) as place:
        assert await Agreeing(place.pool, 2).request(*call_at(place)) == "0x123400"


async def test_one_answer_of_two_that_are_needed_is_none() -> None:
    async with made_place(2) as place:
        place.proxies[0].on("eth_call", Dropped())

        with pytest.raises(NodeError) as refused:
            await Agreeing(place.pool, 2).request(*call_at(place))

        assert refused.value.refusal is Refusal.AWAY


async def test_a_third_takes_the_place_of_one_that_fails_or_is_slow() -> None:
    for fault in (Dropped(), Delayed(30.0), Status(503), Failed(-32000, "header not found")):
        async with made_place(3, limits=IMPATIENT) as place:
            place.first_is(0)
            place.proxies[0].on("eth_call", fault)

            assert await Agreeing(place.pool, 2).request(*call_at(place)) == "0x123400"
            assert place.caught == []


async def test_a_block_that_none_knows_is_told_as_such_by_agreement_too() -> None:
    async with made_place(2) as place:
        node = Agreeing(place.pool, 2)

        assert await node.request("eth_getBlockByHash", "0x" + "12" * 32, False) is None


@pytest.mark.parametrize("seed", range(3))
async def test_no_answer_is_wrong_while_one_lies_and_all_fail_now_and_then(seed: int) -> None:
    async with made_place(3) as place:
        for proxy in place.proxies:
            proxy._random.seed(seed)
        lies = place.proxies[seed % 3]
        lies.on("eth_call", Answered(lambda _: "0x666f"), chance=0.5)
        lies.on("eth_getBlockByHash", Answered(other_hash), chance=0.5)
        for proxy in place.proxies:
            proxy.on(ALL, Dropped(), chance=0.1)
            proxy.on(ALL, Delayed(0.1), chance=0.1)
            proxy.on(ALL, Status(503), chance=0.05)
        node = Agreeing(place.pool, 2)
        right = refused = 0

        for turn in range(40):
            if turn % 10 == 0:
                await place.pulse.beat()
            place.clock.now_s += 1.0
            data, block = f"0x{turn:04x}", place.node.blocks[turn % 20]
            try:
                assert await node.request(*call_at(place, data)) == data + "00"
                assert await node.request("eth_getBlockByHash", block["hash"], False) == block
                right += 1
            except NodeError:
                refused += 1

        assert right
