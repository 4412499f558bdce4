"""A real node, and real contracts on it, through the pool: killed, spoilt, forked off."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from engine.chains.ports import BlockRef, Call, NodeError, Refusal, Topic
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.opening import limits_for, open_providers
from engine.chains.rpc.parsing import hex_bytes, parse_block
from engine.chains.rpc.pool import ProviderPool
from engine.chains.rpc.quorum import Agreeing
from engine.chains.rpc.reader import ChainReader
from engine.chains.rpc.settled import SettledReader
from engine.connectors.outbound import open_outbound
from tests.chains.fault_proxy import Answered, FaultProxy, fault_proxy
from tests.chains.local_world import LocalWorld
from tests.patience import PATIENCE_S

BLOCKS = 200
BALANCE_OF = bytes.fromhex("70a08231")
TRANSFER = keccak(b"Transfer(address,address,uint256)")


@asynccontextmanager
async def pool_at(
    world: LocalWorld, count: int = 1
) -> AsyncIterator[tuple[ProviderPool, list[FaultProxy]]]:
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(open_outbound(None))
        proxies = [
            await stack.enter_async_context(fault_proxy(world.world.http_url)) for _ in range(count)
        ]
        accesses = [
            Access(name=f"provider {number}", http_url=one.url, socket_url=one.socket_url)
            for number, one in enumerate(proxies)
        ]
        limits = replace(limits_for(12_000), pulse_s=0.1, patience_s=30.0, patience_s_min=30.0)
        chain_id = int(world.rpc.ask("eth_chainId"), 16)
        pool = await stack.enter_async_context(
            open_providers(accesses, way, chain_id=chain_id, block_ms=12_000, limits=limits)
        )
        yield pool, proxies


async def head_of(pool: ProviderPool) -> BlockRef:
    return parse_block(await pool.request("eth_getBlockByNumber", "latest", False))


def balances(world: LocalWorld, symbol: str, whose: Sequence[str]) -> list[Call]:
    token = world.token(symbol).address
    return [Call(token, BALANCE_OF + abi_encode(["address"], [one])) for one in whose]


async def test_balances_are_read_at_the_block_that_is_named_and_not_at_the_newest(
    world: LocalWorld,
) -> None:
    async with pool_at(world) as (pool, _):
        reader, at = ChainReader(pool), await head_of(pool)
        one, other = world.made.accounts[1:3]
        calls = balances(world, "USDC", [one, other])
        calls += [Call("0x" + "12" * 20, BALANCE_OF), Call(calls[0].to, b"\xde\xad\xbe\xef")]

        before = await reader.call(calls, at)
        world.transfer("USDC", other, 7)
        again = await reader.call(calls, at)
        after = await reader.call(calls, await head_of(pool))

        assert before == again
        assert before[2:] == [None, None]
        changes = [
            int.from_bytes(now or b"") - int.from_bytes(then or b"")
            for now, then in zip(after[:2], before[:2], strict=True)
        ]
        assert changes == [-world.raw("USDC", 7), world.raw("USDC", 7)]


async def test_what_is_read_at_the_newest_block_is_of_it_while_the_next_ones_are_made(
    world: LocalWorld,
) -> None:
    async with pool_at(world) as (pool, _):
        reader, other = SettledReader(ChainReader(pool), pool), world.made.accounts[2]
        calls = balances(world, "USDC", [other])
        is_over = asyncio.Event()
        read: dict[str, tuple[BlockRef, set[bytes | None]]] = {}

        async def ask() -> None:
            while not is_over.is_set():
                at = await head_of(pool)
                answers = await reader.call(calls, at)
                read.setdefault(at.hash, (at, set()))[1].update(answers)

        def make_blocks() -> None:
            for _ in range(BLOCKS):
                world.transfer("USDC", other, 1)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(6):
                tasks.create_task(ask())
            await asyncio.to_thread(make_blocks)
            is_over.set()
        await asyncio.to_thread(world.mine, 1)

        assert len(read) > BLOCKS / 4
        for at, answers in read.values():
            assert answers == set(await ChainReader(pool).call(calls, at))


async def test_events_of_a_span_are_those_that_receipts_have(world: LocalWorld) -> None:
    async with pool_at(world) as (pool, _):
        first = (await head_of(pool)).number + 1
        for whole in (1, 2, 3):
            world.transfer("USDC", world.made.accounts[2], whole)
        last = await head_of(pool)
        token = world.token("USDC").address

        logs = await ChainReader(pool).logs(
            first, last.number, topics=[TRANSFER], addresses=[token]
        )

        amounts = [int.from_bytes(log.data) for log in logs]
        assert amounts == [world.raw("USDC", whole) for whole in (1, 2, 3)]
        assert logs[-1].block_hash == last.hash
        with pytest.raises(NodeError):
            await ChainReader(pool).logs(first, last.number + 5, topics=[TRANSFER])


async def test_a_block_of_a_branch_that_is_no_more_is_read_as_unknown_or_as_it_was(
    world: LocalWorld,
) -> None:
    async with pool_at(world) as (pool, _):
        calls = balances(world, "USDC", world.made.accounts[1:3])
        world.transfer("USDC", world.made.accounts[2], 5)
        gone = await head_of(pool)
        before = await ChainReader(pool).call(calls, gone)
        world.reorg(1)

        try:
            read = await ChainReader(pool).call(calls, gone)
        except NodeError as error:
            assert error.refusal is Refusal.REFUSED  # noqa: PT017 - either of both is right
        else:
            assert read == before
        new = await head_of(pool)
        assert new.number == gone.number
        assert new.hash != gone.hash


async def test_states_are_right_though_one_of_three_providers_lies(world: LocalWorld) -> None:
    async with pool_at(world, 3) as (pool, proxies):
        at = await head_of(pool)
        calls = balances(world, "USDC", world.made.accounts[:4])
        truth = await ChainReader(pool).call(calls, at)
        proxies[0].on("eth_call", Answered(_one_more))
        pool.standings[0]._pulse_s = 0.0001

        read = await ChainReader(Agreeing(pool, 2)).call(calls, at)

        assert read == truth
        assert pool.health().providers[0].quarantines == 1


def _one_more(said: Any) -> Any:
    return hex_bytes((int(said, 16) + 1).to_bytes(len(said) // 2 - 1)) if said != "0x" else said


async def test_a_node_that_dies_ends_what_it_told_and_answers_no_more(
    new_world: Any,
) -> None:
    world: LocalWorld = new_world()
    async with pool_at(world) as (pool, _):
        async with aclosing(pool.subscribe(Topic.HEADS)) as heads:
            first = asyncio.ensure_future(anext(heads))
            while not first.done():
                await asyncio.to_thread(world.mine)
                await asyncio.wait({first}, timeout=0.2)
            world.node.kill()

            with pytest.raises(NodeError) as ended:
                async with asyncio.timeout(PATIENCE_S):
                    [head async for head in heads]
        with pytest.raises(NodeError) as refused:
            await pool.request("eth_blockNumber")

        assert ended.value.refusal is Refusal.AWAY
        assert refused.value.refusal is Refusal.AWAY
