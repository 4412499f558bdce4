"""A run that hears a chain of a real node is recorded, and replays to the same decisions."""

import asyncio
import contextlib
import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from engine.bus.memory import MemoryCaller
from engine.core.inputs.block import BLOCK
from engine.core.inputs.pool_added import POOL_ADDED
from engine.operate.clock import SteadyClock
from engine.operate.recording import EntryKind, read_entries
from engine.requests.request_list import requests_of
from engine.settings.schema import ChainsSettings, Settings
from engine.storage.ledger import open_ledger
from engine.tools.replaying import replay
from engine.wiring.chains_role import open_chains
from engine.wiring.engine_role import open_engine
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.markets import market_note
from engine.wiring.paths import Paths
from engine.wiring.sandbox_role import open_markets
from tests.chains.following.role import local_chain, until
from tests.chains.following.test_real_node import trade
from tests.chains.local_world import LocalWorld
from tests.storage.model import prepared

pytestmark = pytest.mark.slow


def add_world(paths: Paths, world: LocalWorld) -> None:
    """Have the sandbox's announcement name this world in the place of its made-up chain."""
    said = msgspec.json.decode(paths.sandbox_announce.read_bytes())
    said["local_chains"] = {world.world.chain: local_chain(world)}
    paths.sandbox_announce.write_bytes(msgspec.json.encode(said))


async def test_a_run_with_a_real_chain_replays_byte_for_byte(
    world: LocalWorld, tmp_path: Path
) -> None:
    data_dir = tmp_path / "var"
    settings = msgspec.structs.replace(Settings(), chains=ChainsSettings(pool_usd_min=0))
    paths = prepared(data_dir)
    clock = SteadyClock()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(open_markets(settings, paths))
        add_world(paths, world)
        own = ledger_settings(settings, paths, note=market_note(settings, paths))
        ledger = MemoryCaller(
            requests_of("ledger"),
            await stack.enter_async_context(open_ledger(own, clock=clock.now_ns)),
        )
        chains = await stack.enter_async_context(
            open_chains(settings, paths, ledger, clock=clock.now_ns)
        )
        engine = await stack.enter_async_context(open_engine(settings, paths, ledger, clock=clock))
        moving = engine.core.moving_pools
        one = chains.of["ethereum"]
        await until(lambda: len(one.machine.pools.of) > 10 and not one.machine.pools.unread_count)
        await until(lambda: sum(moving.known_counts.values()) == len(one.machine.pools.of))
        await asyncio.to_thread(world.mine, 8)
        await asyncio.to_thread(trade, world, random.Random(3), 8)
        await asyncio.to_thread(world.reorg, 3)
        await asyncio.to_thread(trade, world, random.Random(4), 4)
        head = int((await asyncio.to_thread(world.head))["number"], 16)
        await until(lambda: moving.head_of("ethereum") == head)
        run = paths.recording(engine.core.header.run_id)

    lines: list[bytes] = []
    result = replay(run, lines=lines)

    kinds = Counter(entry.kind for entry in read_entries(run))
    assert kinds[BLOCK.number] > 8
    assert kinds[POOL_ADDED.number] > 10
    assert result.is_complete
    assert result.first_difference is None
    assert lines == [e.payload for e in read_entries(run) if e.kind == EntryKind.DECIDED]
