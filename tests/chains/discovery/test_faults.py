"""A node that lies or fails while factories are read: nothing false is kept, all is found later."""

from pathlib import Path

import pytest

from engine.chains.discovery.factory_scan import FactoryScan
from engine.chains.ports import NodeError
from engine.domain.pools import Protocol
from tests.chains.discovery.on_node import on_node
from tests.chains.discovery.pretend_chain import cache_at
from tests.chains.fault_proxy import (
    Answered,
    Dropped,
    Failed,
    Fault,
    Said,
    Status,
    WrongId,
    absurd,
    fault_proxy,
    nothing,
    other_hash,
    other_logs,
)
from tests.chains.local_world import LocalWorld

FAULTS: dict[str, Fault] = {
    "wrong logs": Answered(other_logs),
    "no answer": Answered(nothing),
    "other hashes": Answered(other_hash),
    "absurd numbers": Answered(absurd),
    "no JSON": Said("{"),
    "too many": Failed(-32005, "query returned more than 10000 results"),
    "limited": Status(429, retry_after="0"),
    "dropped": Dropped(),
    "other id": WrongId(),
}
UNISWAP_V2 = Protocol.UNISWAP_V2
METHODS = ("eth_getLogs", "eth_getBlockByNumber")
TRIES = 12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FAULTS)
async def test_what_a_faulty_node_says_is_not_kept_and_all_is_found_when_it_is_well(
    world: LocalWorld, tmp_path: Path, name: str, method: str
) -> None:
    fault = FAULTS[name]
    real = {pool.balancer_id or pool.address for pool in world.made.pools}
    cache = cache_at(tmp_path / "a", world.made.dexes)
    async with fault_proxy(world.world.http_url, seed=3) as proxy, on_node(proxy.url) as chain:
        head = (await chain.head()).number
        proxy.on(method, fault, chance=0.4)
        failed = 0
        for _ in range(TRIES):
            scan = FactoryScan(
                node=chain.node,
                reader=chain.reader,
                dexes=world.made.dexes,
                cache=cache,
                log_span=5,
            )
            try:
                await scan.catch_up(head)
            except NodeError:
                failed += 1
            assert {pool.address for pool in cache.all()} <= real
        proxy.clear()
        async with on_node(proxy.url) as well:
            scan = FactoryScan(
                node=well.node,
                reader=well.reader,
                dexes=world.made.dexes,
                cache=cache,
                log_span=5,
            )
            await scan.catch_up(head)

    found = {pool.address for pool in cache.all()}
    if name == "wrong logs":  # one that is left out is seen where a factory counts
        real = {pool.address for pool in world.made.pools if pool.protocol is UNISWAP_V2}
    assert found >= real
