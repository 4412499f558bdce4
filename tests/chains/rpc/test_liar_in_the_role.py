"""The whole role with three providers of a real node, of which the quickest lies about events."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from engine.bus.notices import ProviderCaught
from engine.chains.rpc.reader import ChainReader
from tests.chains.fault_proxy import ALL, Answered, Delayed, fault_proxy
from tests.chains.following.node import differing
from tests.chains.following.role import announced, chains_role, until
from tests.chains.following.test_real_node import trade
from tests.chains.local_world import LocalWorld


async def test_events_that_one_provider_makes_up_move_no_pool_and_it_is_told(
    world: LocalWorld, tmp_path: Path
) -> None:
    paths = announced(tmp_path / "var", world)
    async with AsyncExitStack() as stack:
        proxies = [
            await stack.enter_async_context(fault_proxy(world.world.http_url)) for _ in range(3)
        ]
        said = msgspec.json.decode(paths.sandbox_announce.read_bytes())
        local = said["local_chains"][world.world.chain]
        local["http_urls"] = [one.url for one in proxies]
        local["ws_urls"] = [one.socket_url for one in proxies]
        paths.sandbox_announce.write_bytes(msgspec.json.encode(said))
        answers, kept = await stack.enter_async_context(chains_role(paths))
        one = answers.of["ethereum"]
        await until(lambda: len(one.machine.pools.of) > 10 and not one.machine.pools.unread_count)
        for honest in proxies[1:]:
            honest.on(ALL, Delayed(0.05))
        assert one.node is not None
        for standing in one.node.standings:
            standing._pulse_s = 0.001 if standing.provider.name == "local 1" else 0.05
        proxies[0].on("eth_getLogs", Answered(_one_more))

        await asyncio.to_thread(trade, world, random.Random(1), 6)
        head = int((await asyncio.to_thread(world.head))["number"], 16)
        await until(lambda: one.tip is not None and one.tip.number == head)

        assert proxies[0].spoilt
        assert one.tip is not None
        assert not await differing(one.machine, ChainReader(one.node), one.tip)
        await until(lambda: any(isinstance(told, ProviderCaught) for told in kept.notices))


def _one_more(logs: Any) -> Any:
    """Add one to the last number of each event: it fits every filter of the block."""
    return [{**log, "data": _plus_one(log["data"])} for log in logs]


def _plus_one(said: str) -> str:
    length = len(said) // 2 - 1
    changed = (int(said, 16) + 1) % 256**length if length else 0
    return "0x" + changed.to_bytes(length).hex()
