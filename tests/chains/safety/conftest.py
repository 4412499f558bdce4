"""What tests of probes share: the nodes' port, and one probe of one token."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from engine.chains.ports import Node
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import open_pool
from engine.chains.safety.prober import Market, Prober
from engine.connectors.outbound import open_outbound
from engine.domain.token_safety import Verdict
from tests.chains.local_world import LocalWorld
from tests.chains.safety.listed import Listed

Probe = Callable[..., Awaitable[Verdict]]


@pytest.fixture
async def node(world: LocalWorld) -> AsyncIterator[Node]:
    async with (
        open_outbound(None) as way,
        open_pool([Access(name="local", http_url=world.world.http_url)], way) as pool,
    ):
        yield pool


@pytest.fixture
def probe(node: Node) -> Probe:
    prober = Prober(node=node, chain="ethereum", chain_id=1)

    async def run(listed: Listed, *, is_curated: bool = False) -> Verdict:
        market = Market(listed.pool, listed.counter)
        return await prober.verdict(
            listed.token, market, now_s=int(time.time()), is_curated=is_curated
        )

    return run
