"""Questions and answers through a proxy that spoils them: each kind of trouble is told as such."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from engine.chains.ports import Json, NodeError, Refusal, Topic
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.links import LinkLimits
from engine.chains.rpc.opening import open_providers
from engine.chains.rpc.pool import ProviderPool
from engine.chains.rpc.pool_limits import PoolLimits
from engine.connectors.outbound import open_outbound
from tests.chains.fault_proxy import (
    ALL,
    Answered,
    Delayed,
    Dropped,
    Failed,
    Fault,
    FaultProxy,
    Hung,
    Lost,
    Said,
    Status,
    WrongId,
    fault_proxy,
)
from tests.chains.rpc.pretend_node import PretendNode, pretend_node
from tests.patience import PATIENCE_S

QUICK = LinkLimits(
    answer_s=1.5, open_s=1.5, ping_s=30.0, head_silence_s=2.0, answer_bytes_max=100_000
)
ANSWERED_IN_TIME = LinkLimits(answer_s=PATIENCE_S, answer_bytes_max=100_000)


@asynccontextmanager
async def way_in(
    kind: str, limits: LinkLimits
) -> AsyncIterator[tuple[ProviderPool, FaultProxy, PretendNode]]:
    async with (
        pretend_node() as node,
        fault_proxy(node.url) as proxy,
        open_outbound(None) as way,
    ):
        access = (
            Access(name="one", http_url=proxy.url)
            if kind == "http"
            else Access(name="one", socket_url=proxy.socket_url)
        )
        alone = PoolLimits(pulse_s=PATIENCE_S, within_s=PATIENCE_S, links=limits)
        async with open_providers(
            [access], way, chain_id=31_337, block_ms=1_000, limits=alone
        ) as pool:
            yield pool, proxy, node


both = pytest.mark.parametrize("kind", ["http", "socket"])


@both
async def test_an_answer_and_an_error_come_back_in_the_order_of_the_questions(kind: str) -> None:
    async with way_in(kind, ANSWERED_IN_TIME) as (pool, _, node):
        node.mine()

        answers = await pool.batch(
            [("eth_blockNumber", []), ("eth_nonsense", []), ("eth_chainId", [])]
        )

        assert [answers[0], answers[2]] == ["0x1", "0x7a69"]
        assert isinstance(answers[1], NodeError)
        assert answers[1].refusal is Refusal.REFUSED
        assert await pool.request("eth_blockNumber") == "0x1"
        assert await pool.batch([]) == []


@both
@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (Dropped(), Refusal.AWAY),
        (Hung(), Refusal.AWAY),
        (Delayed(60.0), Refusal.AWAY),
        (Status(503), Refusal.AWAY),
        (Said("{"), Refusal.LIED),
        (Said(""), Refusal.LIED),
        (Said("[]"), Refusal.LIED),
        (Said("[1]"), Refusal.LIED),
        (Said("null"), Refusal.LIED),
        (Said('{"id":"1","result":"0x1"}'), Refusal.LIED),
        (Said('{"id":1.0,"result":"0x1"}'), Refusal.LIED),
        (Said('{"id":true,"result":"0x1"}'), Refusal.LIED),
        (Said("[" * 90_000), Refusal.LIED),
        (Said('"' + "x" * 200_000 + '"'), Refusal.TOO_MANY),
        (WrongId(), Refusal.LIED),
        (Failed(429, "slow down"), Refusal.LIMITED),
        (Failed(-32005, "daily request count exceeded, request rate limited"), Refusal.LIMITED),
        (Failed(-32000, "header not found"), Refusal.REFUSED),
    ],
)
async def test_each_fault_is_told_as_what_it_is_and_the_next_question_is_answered(
    kind: str, fault: Fault, refusal: Refusal
) -> None:
    async with way_in(kind, QUICK) as (pool, proxy, _):
        proxy.on("eth_chainId", fault, times=1)

        with pytest.raises(NodeError) as refused:
            await pool.request("eth_chainId")

        assert refused.value.refusal is refusal
        assert sum(pool.standings[0].provider.troubles.values()) == 1
        assert await _insist(pool) == "0x7a69"


async def _insist(pool: ProviderPool) -> object:
    """Ask again; the bound of such a short deadline may be reached by a busy machine."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await pool.request("eth_chainId")
            except NodeError as error:
                if error.refusal not in (Refusal.AWAY, Refusal.LIMITED):
                    raise
                await asyncio.sleep(0.05)


async def test_a_late_answer_is_never_taken_for_that_of_the_next_question() -> None:
    async with way_in("socket", QUICK) as (pool, proxy, _):
        proxy.on("eth_blockNumber", Delayed(2.0), times=1)

        with pytest.raises(NodeError):
            await pool.request("eth_blockNumber")

        assert await _insist(pool) == "0x7a69"


async def test_a_redirect_is_not_followed_for_it_would_take_the_key_along() -> None:
    async with way_in("http", ANSWERED_IN_TIME) as (pool, proxy, _):
        proxy.on(ALL, Status(307))

        with pytest.raises(NodeError) as refused:
            await pool.request("eth_chainId")

        assert refused.value.refusal is Refusal.AWAY


@pytest.mark.parametrize(
    "text",
    [
        "query returned more than 10000 results",
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
        "eth_getLogs is limited to a 10,000 range",
        "exceed maximum block range: 50000",
        "block range is too wide",
        "ranges over 10000 blocks are not supported on freetier",
        "query timeout exceeded",
        "limit exceeded",
    ],
)
async def test_a_span_that_is_too_large_is_told_as_such(text: str) -> None:
    async with way_in("http", ANSWERED_IN_TIME) as (pool, proxy, _):
        proxy.on("eth_getLogs", Failed(-32000, text))

        with pytest.raises(NodeError) as refused:
            await pool.request("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x1"})

        assert refused.value.refusal is Refusal.TOO_MANY


async def test_heads_are_told_as_they_are_made() -> None:
    async with (
        way_in("socket", ANSWERED_IN_TIME) as (pool, proxy, node),
        aclosing(pool.subscribe(Topic.HEADS)) as heads,
    ):
        first = asyncio.ensure_future(anext(heads))
        await _until(lambda: proxy.asked.count("eth_subscribe") == 1)
        made = [await _mine_until_told(node, first), node.mine()]

        assert [await first, await anext(heads)] == made


async def _mine_until_told(node: PretendNode, told: "asyncio.Future[Json]") -> object:
    await _until(lambda: len(node._told) == 1)
    return node.mine()


@pytest.mark.parametrize("way_to_break", ["cut", "freeze", "lost", "bad"])
async def test_a_subscription_ends_with_an_error_when_it_breaks_or_falls_silent(
    way_to_break: str,
) -> None:
    limits = replace(QUICK, ping_s=0.5) if way_to_break == "freeze" else QUICK
    async with (
        way_in("socket", limits) as (pool, proxy, node),
        aclosing(pool.subscribe(Topic.HEADS)) as heads,
    ):
        first = asyncio.ensure_future(anext(heads))
        await _until(lambda: len(node._told) == 1)
        node.mine()
        await first

        match way_to_break:
            case "cut":
                proxy.cut()
            case "freeze":
                proxy.freeze()
            case "lost":
                proxy.on("newHeads", Lost())
            case _:
                proxy.on("newHeads", Said('{"params":7}'))
        node.mine()

        with pytest.raises(NodeError) as ended:
            async with asyncio.timeout(PATIENCE_S):
                await anext(heads)
        is_lie = way_to_break == "bad"
        assert ended.value.refusal is (Refusal.LIED if is_lie else Refusal.AWAY)


async def test_events_may_stay_away_while_pongs_come_but_not_on_a_half_open_socket() -> None:
    limits = LinkLimits(answer_s=PATIENCE_S, ping_s=0.1, head_silence_s=0.01)
    async with (
        way_in("socket", limits) as (pool, proxy, node),
        aclosing(pool.subscribe(Topic.LOGS, {})) as logs,
    ):
        first = asyncio.ensure_future(anext(logs))
        await _until(lambda: len(node._told) == 1)
        node.mine()
        await first
        proxy.freeze()

        with pytest.raises(NodeError):
            async with asyncio.timeout(PATIENCE_S):
                await anext(logs)


async def test_a_refused_subscription_is_told() -> None:
    async with way_in("socket", ANSWERED_IN_TIME) as (pool, proxy, _):
        proxy.on("eth_subscribe", Failed(-32601, "notifications not supported"))

        with pytest.raises(NodeError) as refused:
            await anext(pool.subscribe(Topic.PENDING))

        assert refused.value.refusal is Refusal.REFUSED


async def _until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not fact():
            await asyncio.sleep(0.005)


async def test_an_answer_is_changed_by_the_proxy_only_where_its_script_says_so() -> None:
    async with way_in("http", ANSWERED_IN_TIME) as (pool, proxy, _):
        proxy.on("eth_chainId", Answered(lambda _: "0x1"), times=2)

        told = [await pool.request("eth_chainId") for _ in range(3)]

        assert told == ["0x1", "0x1", "0x7a69"]


@pytest.mark.parametrize("kind", ["http", "socket"])
async def test_what_is_asked_of_a_provider_is_counted_with_its_bytes(kind: str) -> None:
    async with way_in(kind, ANSWERED_IN_TIME) as (pool, _, _):
        meter = pool.standings[0].provider.meter
        before = (meter.requests, meter.units, meter.sent_bytes, meter.received_bytes)
        await pool.request("eth_chainId")
        now = (meter.requests, meter.units, meter.sent_bytes, meter.received_bytes)

        assert now[0] >= before[0] + 1
        assert now[1] >= before[1] + 1
        assert now[2] > before[2]
        assert now[3] > before[3]
        open_ones = meter.connections

    assert meter.connections < open_ones if kind == "socket" else open_ones == meter.connections
