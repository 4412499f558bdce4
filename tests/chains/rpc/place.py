"""One pretended node behind several proxies: providers of one chain, each with its own faults."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from engine.chains.rpc.addresses import Access
from engine.chains.rpc.links import LinkLimits
from engine.chains.rpc.pool import ProviderPool
from engine.chains.rpc.pool_limits import PoolLimits
from engine.chains.rpc.pulse import Pulse
from engine.chains.rpc.standing import Standing
from engine.connectors.outbound import open_outbound
from tests.chains.fault_proxy import FaultProxy, fault_proxy
from tests.chains.rpc.pretend_node import PretendNode, pretend_node

CHAIN_ID = 31_337
TOPIC = "0x" + "07" * 32
# A busy machine makes no provider slow.
LIMITS = PoolLimits(
    within_s=60.0,
    patience_s=30.0,
    patience_s_min=30.0,
    settle_blocks=4,
    poll_s=0.01,
    links=LinkLimits(answer_s=30.0, ping_s=10.0, head_silence_s=60.0),
)
IMPATIENT = replace(LIMITS, patience_s=0.05, patience_s_min=0.05)


@dataclass
class Clock:
    """A time that tests set."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Place:
    """A chain with its providers.

    Attributes:
        caught: what was told of liars.
    """

    node: PretendNode
    proxies: list[FaultProxy]
    pool: ProviderPool
    pulse: Pulse
    clock: Clock
    caught: list[tuple[str, str]] = field(default_factory=list)

    def standing(self, index: int) -> Standing:
        return next(one for one in self.pool.standings if one.provider.name == name_of(index))

    def first_is(self, index: int) -> None:
        """Let this provider be the quickest, so that it is asked first."""
        for one in self.pool.standings:
            one._pulse_s = 0.01
        self.standing(index)._pulse_s = 0.001

    def asked(self, index: int) -> int:
        return len(self.proxies[index].asked)


def name_of(index: int) -> str:
    return f"provider {index}"


def event(node: PretendNode, number: int, index: int) -> dict[str, Any]:
    return {
        "address": "0x" + "c0" * 20,
        "topics": [TOPIC],
        "data": f"0x{number:064x}",
        "blockNumber": hex(number),
        "blockHash": node.blocks[number]["hash"],
        "transactionHash": "0x" + "cc" * 32,
        "logIndex": hex(index),
        "removed": False,
    }


@asynccontextmanager
async def made_place(
    count: int,
    *,
    limits: PoolLimits = LIMITS,
    kinds: Sequence[str] = ("http", "socket"),
    blocks: int = 30,
    rates: Mapping[str, float] | None = None,
    is_beaten: bool = True,
) -> AsyncIterator[Place]:
    """Open so many providers for the block; the pulse beats when the test says so."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(pretend_node(chain_id=CHAIN_ID))
        node.methods["eth_call"] = lambda asked, _: asked["data"] + "00"
        for _ in range(blocks):
            node.mine()
        node.logs = [event(node, number, 3) for number in range(0, blocks, 2)]
        proxies = [await stack.enter_async_context(fault_proxy(node.url)) for _ in range(count)]
        way = await stack.enter_async_context(open_outbound(None))
        clock, caught = Clock(), list[tuple[str, str]]()
        pool = ProviderPool(
            CHAIN_ID,
            way,
            limits,
            rates=rates or {},
            tell=lambda name, why: caught.append((name, why)),
            now_s=clock,
        )
        await pool.use([access_of(index, proxy, kinds) for index, proxy in enumerate(proxies)])
        stack.push_async_callback(pool.use, [])
        place = Place(node, proxies, pool, Pulse(pool, block_ms=1_000), clock, caught)
        if is_beaten:
            await place.pulse.beat()
        yield place


def access_of(index: int, proxy: FaultProxy, kinds: Sequence[str]) -> Access:
    return Access(
        name=name_of(index),
        host=f"host{index}.example",
        http_url=proxy.url if "http" in kinds else None,
        socket_url=proxy.socket_url if "socket" in kinds else None,
    )
