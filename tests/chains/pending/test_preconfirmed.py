"""What a sequencer confirms ahead of its block: hints that are told and prepare, never booked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from engine.chains.discovery.tables.ethereum import DEXES
from engine.chains.following.counts import Count as FollowingCount
from engine.chains.pending.waiting import Count
from engine.chains.pending.whales import Whale, WhaleTerms
from engine.chains.ports import NodeError, Topic
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.health import ProviderState
from engine.chains.rpc.troubles import Trouble
from engine.domain.chains import CHAINS
from engine.pools.constant_product import ConstantProductState
from engine.wiring.chain_pending import ChainPending
from tests.chains.following.node import Followed, following
from tests.chains.real_blocks.node import RealNode, Reserves, reserves_after, reserves_before
from tests.chains.real_blocks.recorded import RealBlock, load
from tests.chains.real_blocks.test_real_blocks import pairs_of
from tests.chains.rpc.pretend_node import PretendNode, pretend_node
from tests.patience import PATIENCE_S

BLOCK = next(one for one in load() if one.number == 10921991)
FACTS = replace(CHAINS["ethereum"], confirms_ahead=True)
Json = dict[str, Any]


class Hinted:
    """A chain that is followed up to the block before a recorded one."""

    def __init__(self, followed: Followed, node: RealNode, served: list[PretendNode]) -> None:
        self.followed, self.node, self.served = followed, node, served
        self.whales: list[Whale] = []
        self.impacts = 0
        self.pending = ChainPending(
            followed.machine,
            facts=FACTS,
            routers=(),
            dexes=DEXES,
            terms=WhaleTerms(told_max=1_000),
            on_whale=self.whales.append,
            on_impact=self.on_impact,
            now_ns=lambda: 1,
        )
        self.counts = self.pending.desk.counts

    def on_impact(self) -> None:
        self.impacts += 1

    def held(self) -> Reserves:
        held = {}
        for one in self.followed.machine.pools.live():
            assert isinstance(one.state, ConstantProductState)
            held[one.pool.address] = (one.state.reserve0_raw, one.state.reserve1_raw)
        return held

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await asyncio.sleep(0.005)

    async def confirm(self, *logs: Json, known: int = 0) -> None:
        """Have events told ahead, as a node does: the block has no hash yet.

        Args:
            logs: the events.
            known: so many of them were told before.
        """
        before = sum(self.counts[kind] for kind in HEARD)
        told = [log | {"blockHash": None} for log in logs]
        await self.until(lambda: any(one.confirm_ahead() for one in self.served))
        for one in self.served:
            one.confirm_ahead(*told)
        new = len(logs) - known
        await self.until(lambda: sum(self.counts[kind] for kind in HEARD) >= before + new)

    async def go_on(self) -> None:
        for one in self.served:
            one.tell(self.node.after)
        await self.followed.until_at(self.node.after["hash"])
        watch = self.pending.watch
        assert watch is not None
        await self.until(lambda: watch.looked_at == self.node.after["hash"])


HEARD = (Count.AHEAD, Count.AHEAD_ELSEWHERE, Count.LIES)


@asynccontextmanager
async def hinted(
    block: RealBlock = BLOCK, *, have: tuple[bool, ...] = (True,)
) -> AsyncIterator[Hinted]:
    """Follow the block before; each provider says whether it tells what is confirmed ahead."""
    async with AsyncExitStack() as stack:
        served = [await stack.enter_async_context(pretend_node(chain_id=1)) for _ in have]
        nodes = [RealNode(one, block) for one in served]
        for one, has_flashblocks in zip(served, have, strict=True):
            one.has_flashblocks = has_flashblocks
        accesses = [
            Access(name=f"node {number}", http_url=one.url, socket_url=one.socket_url)
            for number, one in enumerate(served)
        ]
        followed = await stack.enter_async_context(following(accesses, pairs_of(block)))
        chain = Hinted(followed, nodes[0], served)
        running = asyncio.create_task(chain.pending.run(followed.node))
        try:
            await followed.until_at(nodes[0].before["hash"])
            yield chain
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def syncs(node: RealNode) -> list[Json]:
    """Return the events that say what pairs hold: those that count."""
    return [log for log in node.events if log["topics"][0] == node.events[0]["topics"][0]]


async def test_a_large_swap_is_told_ahead_of_its_block_once_and_nothing_is_booked() -> None:
    async with hinted() as one:
        words = len(one.followed.words)
        await one.confirm(*syncs(one.node))

        assert one.counts[Count.AHEAD] == len(syncs(one.node)) > 30
        early = list(one.whales)
        assert len(early) > 3
        assert all(whale.is_pending for whale in early)
        assert one.impacts >= len(early)
        assert one.held() == reserves_before(BLOCK.acts)
        assert len(one.followed.words) == words

        await one.go_on()

        assert one.held() == reserves_after(BLOCK)
        assert one.counts[Count.AHEAD_KEPT] == one.counts[Count.AHEAD]
        assert one.counts[Count.AHEAD_DROPPED] == 0
        told = [whale.tx_hash for whale in one.whales]
        assert len(set(told)) == len(told)
        assert {whale.tx_hash for whale in early} <= set(told)


async def test_hints_say_the_very_swaps_that_their_block_then_has() -> None:
    async with hinted() as ahead:
        await ahead.confirm(*syncs(ahead.node))
    async with hinted() as without:
        await without.go_on()

    swaps = Counter(log["transactionHash"] for log in syncs(without.node))
    of_hints, of_block = (
        {whale.tx_hash: whale for whale in one.whales if swaps[whale.tx_hash] == 1}
        for one in (ahead, without)
    )
    assert of_hints.keys() == of_block.keys()
    assert len(of_hints) > 3
    for tx_hash, whale in of_hints.items():
        # dollars are those of the pools as they are when it is told
        in_block = replace(of_block[tx_hash], worth_usd=whale.worth_usd)
        assert replace(whale, is_pending=False) == in_block
    assert not any(one.is_pending for one in without.whales)


async def test_what_was_confirmed_ahead_and_then_dropped_leaves_no_trace() -> None:
    async with hinted() as one:
        first = syncs(one.node)[0]
        doubled = [2 * int(first["data"][2 + 64 * at : 66 + 64 * at], 16) for at in range(2)]
        data = "0x" + "".join(f"{number:064x}" for number in (doubled[0], doubled[1] // 3))
        await one.confirm(first | {"data": data, "transactionHash": "0x" + "ab" * 32})
        assert one.counts[Count.AHEAD] == 1

        await one.go_on()

        assert one.counts[Count.AHEAD_DROPPED] == 1
        assert one.counts[Count.AHEAD_KEPT] == 0
        assert one.held() == reserves_after(BLOCK)
        machine = one.followed.machine
        assert not await one.followed.differing()
        tip = machine.branch.tip
        assert tip is not None
        one.pending.hints.block(tip.ref, [])  # as after a reorganisation
        assert one.counts[Count.AHEAD_DROPPED] == 1
        assert not machine.counts[FollowingCount.LIES] + machine.counts[FollowingCount.BAD_EVENTS]


async def test_what_is_told_again_with_each_part_of_a_block_counts_once() -> None:
    async with hinted() as one:
        logs = syncs(one.node)
        await one.confirm(*logs[:5])
        await one.confirm(*logs[:5], *logs[5:10], known=5)
        assert one.counts[Count.AHEAD] == 10


async def test_hints_of_other_blocks_and_what_is_no_event_are_counted_and_not_believed() -> None:
    async with hinted() as one:
        log = syncs(one.node)[0]
        await one.confirm(log | {"blockNumber": hex(BLOCK.number - 1)})
        await one.confirm(log | {"blockNumber": hex(BLOCK.number + 1)})
        await one.confirm(log | {"data": "0xzz"})
        await one.confirm(log | {"removed": True})

        assert one.counts[Count.AHEAD_ELSEWHERE] == 2
        assert one.counts[Count.LIES] == 2
        assert one.counts[Count.AHEAD] == 0
        assert not one.whales


async def test_a_provider_that_tells_nothing_ahead_is_sound_and_another_one_is_asked() -> None:
    async with hinted(have=(False, True)) as one:
        await one.confirm(*syncs(one.node)[:3])
        assert one.counts[Count.AHEAD] == 3
        states = {of.name: of.state for of in one.followed.node.health().providers}
        assert set(states.values()) == {ProviderState.GOOD}


async def test_a_subscription_that_is_refused_lets_no_provider_rest() -> None:
    async with hinted(have=(False,)) as one:
        told = one.followed.node.subscribe(Topic.PRECONFIRMED, {"topics": [[]]})
        with pytest.raises(NodeError, match="unknown subscription"):
            await anext(told)
        (provider,) = one.followed.node.health().providers
    assert provider.state is ProviderState.GOOD
    assert provider.troubles[Trouble.REFUSED] >= 1


async def test_where_no_provider_tells_anything_ahead_blocks_come_as_ever() -> None:
    async with hinted(have=(False,)) as one:
        await one.go_on()
        assert one.held() == reserves_after(BLOCK)
        assert one.counts[Count.AHEAD] == 0
        (provider,) = one.followed.node.health().providers
        assert provider.state is ProviderState.GOOD
