"""Follows the pools of one local chain by its own reading, and notes what each block offered."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from engine.chains.discovery.making import GAS_UNITS
from engine.chains.ports import BlockRef, Log, NodeError, ReadAgain, Unreadable
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.reader import ChainReader
from engine.domain.assets import AssetCode
from engine.domain.chains import CHAINS
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.moves import moved
from engine.pools.snapshot_rows import AnyRow, PoolState
from engine.sandbox.world.building import built
from engine.sandbox.world.plan import CHAIN_PLANS
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sandbox.world.values import World
from engine.tools.verify_local import ground_of
from engine.tools.verify_pools import Ground
from tests.scenarios.capture.brute_force import Chance, Cycles

USD: Final = {
    AssetCode(asset): float(price) for asset, price in CHAIN_PLANS["base"].prices_usd.items()
}
"""At the start; whether a cycle gains does not hang on it, only what its gain is worth."""


@dataclass(slots=True, kw_only=True)
class Episode:
    """A chance that was there for some blocks in a row.

    Attributes:
        best: as it was worth most.
        first, last: the blocks that offered it.
        from_ns, to_ns: wall clock at which they were seen.
    """

    chain: str
    best: Chance
    first: int
    last: int
    from_ns: int
    to_ns: int


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a witness found.

    Attributes:
        episodes: that have ended, and at the end all.
        blocks: looked at; `missed` of those that came too fast.
        anew: so often all pools were read again.
    """

    episodes: list[Episode] = field(default_factory=list)
    blocks: int = 0
    missed: int = 0
    anew: int = 0


class Witness:
    """Watches one chain."""

    def __init__(self, chain: str, http_url: str, reader: ChainReader) -> None:
        self.seen: Final = Seen()
        self.chain = chain
        self._http_url = http_url
        self._reader = reader
        self._ground = _ground(chain, http_url, reader)
        self._cycles = Cycles(self._ground.pools)
        self._topics = sorted(
            topic for family in self._ground.families.values() for topic in family.topics
        )
        self._rows: dict[str, AnyRow] = {}
        self._states: dict[str, PoolState] = {}
        self._pools: dict[str, Pool] = {one.address: one for one in self._ground.pools}
        self._open: dict[frozenset[str], Episode] = {}

    async def watch(self, *, look_s: float) -> None:
        """Look at each block until cancelled."""
        before: BlockRef | None = None
        with Rpc(self._http_url) as rpc:
            while True:
                with suppress(NodeError, NodeSaidNoError, OSError):
                    before = await self.look(rpc, before)
                await asyncio.sleep(look_s)

    async def look(self, rpc: Rpc, before: BlockRef | None) -> BlockRef:
        """Look at the newest block, if it is another one; return it.

        Raises:
            NodeError: it does not say; the next look reads everything anew if need be.
        """
        header = await asyncio.to_thread(rpc.ask, "eth_getBlockByNumber", "latest", False)
        head = parse_block(header)
        if before is not None and head.hash == before.hash:
            return before
        at_ns = time.time_ns()
        if before is None or not await self._follow(rpc, before, head):
            await self._read_all(head)
        tip_wei = int(CHAIN_PLANS[self.chain].tip_gwei * 10**9)
        gas_wei = int(header["baseFeePerGas"], 16) + tip_wei
        unit_usd = gas_wei / 10**18 * USD[CHAINS[self.chain].native]
        found = await asyncio.to_thread(
            self._cycles.chances, dict(self._states), USD, gas_unit_usd=unit_usd
        )
        self.seen.blocks += 1
        self.seen.missed += 0 if before is None else max(head.number - before.number - 1, 0)
        self._note(found, head.number, at_ns)
        return head

    async def _follow(self, rpc: Rpc, before: BlockRef, head: BlockRef) -> bool:
        """Take over what blocks did; returns whether that is all, and of the same branch."""
        stands = await asyncio.to_thread(rpc.ask, "eth_getBlockByNumber", hex(before.number), False)
        if head.number <= before.number or stands["hash"] != before.hash:
            return False
        logs = await self._reader.logs(before.number + 1, head.number, topics=self._topics)
        return all(self._take(log) for log in logs)

    def _take(self, log: Log) -> bool:
        for family in self._ground.families.values():
            if log.topics[0] not in family.topics:
                continue
            pool = self._pools.get(family.address_of(log))
            state = None if pool is None else self._states.get(pool.address)
            if pool is None or state is None or self._ground.families[pool.protocol] is not family:
                continue
            try:
                change = family.change_of(pool, log)
                if isinstance(change, ReadAgain):
                    return False
                if isinstance(change, PoolMoved):
                    row, now = moved(pool, self._rows[pool.address], state, change.move)
                    self._rows[pool.address], self._states[pool.address] = row, now
            except BadValueError:
                return False
        return True

    async def _read_all(self, at: BlockRef) -> None:
        self.seen.anew += 1
        rows: dict[str, AnyRow] = {}
        states: dict[str, PoolState] = {}
        for protocol, family in self._ground.families.items():
            own = [pool for pool in self._ground.pools if pool.protocol is protocol]
            for now in await family.read(own, self._reader, at):
                if not isinstance(now, Unreadable):
                    rows[now.pool.address] = now.row
                    states[now.pool.address] = now.row.state(now.pool)
        self._rows, self._states = rows, states

    def _note(self, found: list[Chance], number: int, at_ns: int) -> None:
        now = {one.addresses: one for one in found}
        for addresses in [one for one in self._open if one not in now]:
            self.seen.episodes.append(self._open.pop(addresses))
        for addresses, chance in now.items():
            episode = self._open.get(addresses)
            if episode is None:
                self._open[addresses] = Episode(
                    chain=self.chain,
                    best=chance,
                    first=number,
                    last=number,
                    from_ns=at_ns,
                    to_ns=at_ns,
                )
                continue
            episode.last, episode.to_ns = number, at_ns
            if chance.net_usd > episode.best.net_usd:
                episode.best = chance

    def close(self) -> None:
        """End what is still open."""
        self.seen.episodes += self._open.values()
        self._open.clear()


def _ground(chain: str, http_url: str, reader: ChainReader) -> Ground:
    one = built(chain)
    world = World(
        chain=chain, chain_id=one.plan.chain_id, http_url=http_url, ws_url="", made=one.made
    )
    ground = ground_of(world, reader)
    pools = [replace(pool, gas_units=GAS_UNITS[pool.protocol]) for pool in ground.pools]
    return replace(ground, pools=pools)
