"""Finding thousands of pools at a local node, going on later, and trusting their states again.

`make discover-bench` prints the figures; they depend on the node as much as on us.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil

from benchmarks.many_pools import many_pools
from engine.chains.discovery.choosing import ChoiceTerms
from engine.chains.discovery.discovery import Discovery, open_discovery
from engine.chains.families.family_list import FAMILY_OF, families_of
from engine.chains.ports import BlockRef, Node, PoolNow, Reader
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound
from engine.domain.chains import CHAINS
from engine.domain.pools import Pool
from engine.pools.snapshots import PoolSnapshot
from engine.sandbox.world.building import Built
from engine.sandbox.world.plan import START_PRICES_USD

TERMS = ChoiceTerms(pool_usd_min=1_000.0, pools_max=10_000)


class Ground(NamedTuple):
    node: Node
    reader: Reader
    world: Built
    folder: Path

    async def head(self) -> BlockRef:
        return parse_block(await self.node.request("eth_getBlockByNumber", "latest", False))

    @contextmanager
    def discovery(self) -> Iterator[Discovery]:
        with open_discovery(
            self.folder,
            facts=CHAINS["ethereum"],
            dexes=self.world.made.dexes,
            node=self.node,
            reader=self.reader,
            usd_of=START_PRICES_USD.get,
            why_not=lambda _, __: "",
            followable=FAMILY_OF,
        ) as opened:
            yield opened

    async def read(self, pools: list[Pool], at: BlockRef) -> list[PoolNow]:
        read: list[PoolNow] = []
        for protocol, family in families_of(self.world.made.dexes).items():
            some = [pool for pool in pools if pool.protocol is protocol]
            for one in await family.read(some, self.reader, at):
                assert isinstance(one, PoolNow), one
                read.append(one)
        return read


class Figures(msgspec.Struct):
    pools: int = 0
    found_s: float = 0.0
    chosen_s: float = 0.0
    resumed_s: float = 0.0
    chosen_again_s: float = 0.0
    read_whole_s: float = 0.0
    kept_s: float = 0.0
    kept: int = 0
    restored: int = 0
    read_again: int = 0
    trusted_again_s: float = 0.0
    memory_mb: int = 0


class Clock:
    def __init__(self) -> None:
        self._at = time.perf_counter()

    def lap(self) -> float:
        before, self._at = self._at, time.perf_counter()
        return round(self._at - before, 2)


async def measured(ground: Ground) -> Figures:
    figures, clock = Figures(), Clock()
    with ground.discovery() as first:
        at = await ground.head()
        clock.lap()
        await first.look(at)
        figures.found_s = clock.lap()
        choice = await first.choose(at, TERMS)
        figures.chosen_s = clock.lap()
        figures.pools = len(choice.chosen)
        print("left out:", dict(choice.left_out), "refused:", first.status().refused)
        clock.lap()
        states = await ground.read([one.pool for one in choice.chosen], at)
        figures.read_whole_s = clock.lap()
        snapshots = (PoolSnapshot(pool=now.pool, row=now.row) for now in states)
        figures.kept = await first.keep(snapshots, at)
        figures.kept_s = clock.lap()
    clock.lap()
    with ground.discovery() as again:
        await again.look(at)
        figures.resumed_s = clock.lap()
        choice = await again.choose(at, TERMS)
        figures.chosen_again_s = clock.lap()
        restored = await again.trusted(
            [one.pool for one in choice.chosen], families_of(ground.world.made.dexes), at
        )
        read = await ground.read(restored.to_read, at)
        figures.trusted_again_s = clock.lap()
        figures.restored, figures.read_again = len(restored.trusted), len(read)
        before = {now.pool.address: now for now in states}
        after = {now.pool.address: now for now in [*restored.trusted, *read]}
        assert before == after, "states that are trusted again are not those of the node"
    figures.memory_mb = psutil.Process().memory_info().rss // 2**20
    return figures


@asynccontextmanager
async def at_work(count: int) -> AsyncIterator[Ground]:
    with many_pools(count) as (node, world), tempfile.TemporaryDirectory() as folder:
        access = Access(name="local", http_url=node.url)
        async with open_outbound(None) as way, open_pool([access], way) as pool:
            yield Ground(pool, ChainReader(pool), world, Path(folder))


async def run(count: int) -> None:
    async with at_work(count) as ground:
        print(msgspec.json.encode(await measured(ground)).decode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pools", type=int, default=5_000)
    asyncio.run(run(parser.parse_args().pools))
    sys.exit(0)
