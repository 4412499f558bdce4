"""Pools of real factories on a real node are found, as they are there."""

from pathlib import Path

from engine.chains.discovery.factory_scan import FactoryScan
from tests.chains.discovery.on_node import on_node
from tests.chains.discovery.pretend_chain import cache_at
from tests.chains.local_world import LocalWorld


async def test_pools_of_real_factories_are_found(world: LocalWorld, tmp_path: Path) -> None:
    dexes = world.made.dexes
    cache = cache_at(tmp_path / "a", dexes)
    async with on_node(world.world.http_url) as chain:
        scan = FactoryScan(
            node=chain.node, reader=chain.reader, dexes=dexes, cache=cache, log_span=7
        )
        await scan.catch_up((await chain.head()).number)

    found = {pool.address: (pool.dex.name, pool.tokens, pool.fee_pips) for pool in cache.all()}
    assert found == {
        pool.address: (pool.dex, pool.tokens, pool.fee_pips) for pool in world.made.pools
    }
    assert (scan.refused, scan.missing) == ({}, {})
