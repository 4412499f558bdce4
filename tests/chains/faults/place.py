"""The whole role `chains` on a real node behind three proxies that spoil, and an engine's witness.

Waits of the role are a few times shorter than in the product, so that a campaign of hundreds of
faults takes minutes; what is done after them is the same.
"""

import asyncio
import gzip
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import msgspec

from engine.bus.chain_reports import ChainLine
from engine.chains.rpc import opening
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.health import ProviderState
from engine.chains.rpc.links import LinkLimits
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.pool_limits import PoolLimits
from engine.chains.rpc.reader import ChainReader
from engine.chains.rpc.standing import Standing
from engine.connectors.block_stream import BlockStream
from engine.connectors.outbound import open_outbound
from engine.sandbox.world.anvil import start_anvil
from engine.sandbox.world.building import NODE_OPTIONS
from engine.sandbox.world.rpc import Rpc
from engine.wiring import one_chain
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.chain_nodes import chains_of
from engine.wiring.one_chain import OneChain
from tests.chains.conftest import start_local
from tests.chains.fault_proxy import FaultProxy, fault_proxy
from tests.chains.faults.witness import Witness
from tests.chains.following.role import SETTINGS, KeptNotices, announced, chains_role
from tests.chains.following.test_real_node import trade
from tests.chains.local_world import LocalWorld
from tests.patience import PATIENCE_S

PROVIDERS = 3
SETTLED_S = 2.0
GO_ON_S = 0.2
TAKEN_BACK_MAX = 8
"""A node takes back none of the blocks that it began with: so many are made first."""
LIMITS = PoolLimits(
    lag_max=4,
    pulse_s=0.3,
    poll_s=0.2,
    links=LinkLimits(answer_s=1.5, open_s=1.5, ping_s=0.5, head_silence_s=1.5),
)


@dataclass
class Place:
    """All that a fault is put into.

    Attributes:
        world: the node and what is done on it.
        other: a node that has gone another way since, if one was started.
        proxies: between the role and the node, one for each provider.
        wanted: so many pools there are.
        gone: blocks that the node has taken back, by hash.
        keys: how often each provider got another key.
        doing: which fault is tried, for who waits in vain.
    """

    world: LocalWorld
    proxies: list[FaultProxy]
    one: OneChain
    answers: ChainAnswers
    notices: KeptNotices
    witness: Witness
    truth: ChainReader
    rng: random.Random
    folder: Path
    other: LocalWorld | None = None
    wanted: int = 0
    gone: frozenset[str] = frozenset()
    keys: int = 0
    doing: str = "begins"

    # What happens on the chain.

    async def trade(self, count: int) -> None:
        """Have pools move, a block for each trade."""
        await asyncio.to_thread(trade, self.world, self.rng, count)

    async def reorganise(self, depth: int) -> None:
        """Have the node put empty blocks in the place of its newest ones."""
        self.gone |= frozenset([await self._hash(back) for back in range(depth)])
        await asyncio.to_thread(self.world.reorg, depth)
        await asyncio.to_thread(self.world.mine)

    async def kill_node(self) -> Callable[[], Awaitable[None]]:
        """End the node as a crash does; return what starts it again with all that it had."""
        self.gone |= {await self._hash(0)}  # a node that was started again keeps no older states
        dump = await asyncio.to_thread(self.world.rpc.ask, "anvil_dumpState")
        state = self.folder / "state.json"
        state.write_bytes(gzip.decompress(bytes.fromhex(dump[2:])))
        port, chain_id = self.world.node.port, self.world.world.chain_id
        await asyncio.to_thread(self.world.node.kill)

        async def start_again() -> None:
            self.world.rpc.close()
            self.world.node = await asyncio.to_thread(
                lambda: start_anvil(chain_id=chain_id, state=state, port=port, options=NODE_OPTIONS)
            )
            self.world.rpc = Rpc(self.world.node.url)
            await asyncio.to_thread(self.world.mine, TAKEN_BACK_MAX)

        return start_again

    async def other_branch(self, blocks: int) -> str:
        """Return where a node is that has gone another way for more blocks than ours."""
        if self.other is None:
            self.other = await asyncio.to_thread(start_local)
        ours = int((await asyncio.to_thread(self.world.head))["number"], 16)
        theirs = int((await asyncio.to_thread(self.other.head))["number"], 16)
        await asyncio.to_thread(self.other.mine, max(ours - theirs, 0) + blocks)
        return self.other.node.url

    async def _hash(self, back: int) -> str:
        head = int((await asyncio.to_thread(self.world.head))["number"], 16)
        block = await asyncio.to_thread(
            self.world.rpc.ask, "eth_getBlockByNumber", hex(head - back), False
        )
        return str(block["hash"])

    # What the role makes of it.

    async def renew_keys(self) -> None:
        """Give each provider another key: what was known of the old ones is known no more."""
        self.keys += 1
        await self.one.use([self.access(proxy) for proxy in self.proxies])
        await self.until(lambda: all(one.is_trusted for one in self.standings))

    def access(self, proxy: FaultProxy) -> Access:
        """Return how a provider is asked with the newest key."""
        return Access(
            name=f"local {self.proxies.index(proxy) + 1} key {self.keys}",
            host="127.0.0.1",
            http_url=f"{proxy.url}/{self.keys}",
            socket_url=f"{proxy.socket_url}/{self.keys}",
        )

    @property
    def standings(self) -> list[Standing]:
        assert self.one.node is not None
        return self.one.node.standings

    def prefer(self, victim: FaultProxy) -> None:
        """Have this provider asked before all others, as the quickest one is, and heard."""
        for proxy, standing in zip(self.proxies, self.standings, strict=True):
            standing._pulse_s = 0.001 if proxy is victim else 0.05
            if proxy is not victim:
                proxy.cut()

    def line(self) -> ChainLine:
        """Return what `/chains` says."""
        return self.answers.chains().chains[0]

    def counted(self) -> Counter[str]:
        """Return all that was counted so far, by its name."""
        counted = Counter(self.line().counts)
        for one in self.standings:
            counted.update({str(kind): count for kind, count in one.provider.troubles.items()})
        return counted

    def why_not(self) -> str:
        """Return what the role says of why it is not where the node is, or of a provider."""
        line = self.line()
        said = [line.trouble, *line.stale]
        said += [
            f"{one.name} {one.state}: {one.why}"
            for one in line.providers
            if one.state != ProviderState.GOOD
        ]
        return "; ".join(one for one in said if one)

    async def go_on(self) -> None:
        """Let the chain go on for a moment."""
        await self.trade(1)
        await asyncio.sleep(GO_ON_S)

    async def head(self) -> str:
        """Return the hash of the node's newest block."""
        return str((await asyncio.to_thread(self.world.head))["hash"])

    async def until(
        self,
        is_so: Callable[[], bool],
        *,
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Wait until something is so; tells what the role says if it never is."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_so():
                    await (asyncio.sleep(0.01) if meanwhile is None else meanwhile())
        except TimeoutError:
            raise AssertionError(self._in_vain()) from None

    async def until_equal(self) -> list[str]:
        """Wait until all pools are live at the node's newest block; return all that was wrong.

        A pool that could not be read is tried again at a later block: there are more of them.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await self._settles():
                    await asyncio.to_thread(self.world.mine)
        except TimeoutError:
            raise AssertionError(self._in_vain()) from None
        wrong = await self.witness.differing(self.truth, self.gone)
        live, held = self.witness.believed(), self.one.machine.pools.of
        wrong += [f"the engine lacks {one}" for one in held if one not in live]
        self.gone = frozenset()
        return wrong

    async def _settles(self) -> bool:
        head = await self.head()
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_S):
                while not self._is_at(head):
                    await asyncio.sleep(0.01)
                return True
        return False

    def _in_vain(self) -> str:
        """Say what it is about, for who waits in vain."""
        tip = self.one.tip
        return (
            f"{self.doing}: in vain at {None if tip is None else tip.number}; {self.why_not()};"
            f" {len(self.one.machine.pools.of)} of {self.wanted} pools;"
            f" engine at {self.witness.newest} with {len(self.witness.believed())};"
            f" {dict(self.counted())}"
        )

    def _is_at(self, head: str) -> bool:
        pools = self.one.machine.pools
        is_whole = len(pools.of) >= max(self.wanted, 1) and not pools.unread_count
        has_all = is_whole and self.witness.believed().keys() >= pools.of.keys()
        return has_all and self.witness.newest == head


@asynccontextmanager
async def place(folder: Path, rng: random.Random) -> AsyncIterator[Place]:
    """Start it all for the block."""
    async with AsyncExitStack() as stack:
        stack.enter_context(patch.object(opening, "limits_for", lambda _: LIMITS))
        stack.enter_context(patch.object(one_chain, "LOCAL_LOOK_S", 0.5))
        stack.enter_context(patch.object(one_chain, "STALLED_S_MIN", 2.0))
        world = await asyncio.to_thread(start_local)
        stack.callback(world.close)
        proxies = [
            await stack.enter_async_context(fault_proxy(world.world.http_url, seed=seed))
            for seed in range(PROVIDERS)
        ]
        paths = announced(folder / "var", world)
        said = msgspec.json.decode(paths.sandbox_announce.read_bytes())
        local = said["local_chains"][world.world.chain]
        local["http_urls"] = [one.url for one in proxies]
        local["ws_urls"] = [one.socket_url for one in proxies]
        paths.sandbox_announce.write_bytes(msgspec.json.encode(said))
        answers, notices = await stack.enter_async_context(chains_role(paths))
        witness = Witness(world.made.dexes)
        source = chains_of(SETTINGS, paths)[world.world.chain]
        stream = BlockStream(
            source.url, witness, proxy=None, jitter=lambda: 0.0, socket_path=source.socket_path
        )
        hearing = await stack.enter_async_context(asyncio.TaskGroup())
        stack.callback(hearing.create_task(stream.run()).cancel)
        way = await stack.enter_async_context(open_outbound(None))
        direct = Access(name="truth", http_url=world.world.http_url)
        truth = await stack.enter_async_context(open_pool([direct], way))
        made = Place(
            world=world,
            proxies=proxies,
            one=answers.of[world.world.chain],
            answers=answers,
            notices=notices,
            witness=witness,
            truth=ChainReader(truth),
            rng=rng,
            folder=folder,
        )
        stack.callback(lambda: made.other.close() if made.other is not None else None)
        await made.until(lambda: made.one.choice is not None)
        assert made.one.choice is not None
        made.wanted = len(made.one.choice.chosen)
        yield made
