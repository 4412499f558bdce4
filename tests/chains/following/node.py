"""A follower on a real node: its pools, what it says, and what the node has at a block."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from engine.chains.families.family_list import families_of
from engine.chains.following.follower import Follower
from engine.chains.following.held import Held, are_same
from engine.chains.following.machine import Following, Rhythm
from engine.chains.ports import BlockRef, Family, PoolNow
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.links import LinkLimits
from engine.chains.rpc.pool import ProviderPool, open_pool
from engine.chains.rpc.reader import ChainReader
from engine.chains.rpc.settled import SettledReader
from engine.connectors.outbound import open_outbound
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool
from engine.domain.tokens import NATIVE_ADDRESS, NATIVE_DECIMALS, Token, asset_of
from engine.pools.blocks import ChainWord
from engine.sandbox.world.values import Made
from tests.patience import PATIENCE_S

QUICK = LinkLimits(answer_s=2.0, open_s=2.0, ping_s=1.0, head_silence_s=30.0)


def pools_of(made: Made, chain: str) -> list[tuple[Pool, Family]]:
    """The world's pools that a family can follow."""
    families = families_of(made.dexes)
    decimals = {one.address: (one.symbol, one.decimals) for one in made.tokens}
    decimals[NATIVE_ADDRESS] = ("", NATIVE_DECIMALS)

    def named(address: str) -> tuple[AssetCode, int]:
        symbol, own = decimals[address]
        return asset_of(Token(chain=chain, address=address, decimals=own), symbol=symbol), own

    return [
        (
            Pool(
                chain=chain,
                protocol=one.protocol,
                address=one.balancer_id or one.address,
                tokens=tuple(named(address) for address in one.tokens),
                fee_ratio=Decimal(one.fee_pips) / 1_000_000,
                gas_units=150_000,
                token_addresses=one.tokens,
            ),
            families[one.protocol],
        )
        for one in made.pools
        if one.protocol in families
    ]


class Followed:
    """A follower, and what it has told."""

    def __init__(self, follower: Follower, node: ProviderPool) -> None:
        self.follower = follower
        self.machine = follower.machine
        self.node = node
        self.words: list[ChainWord] = []
        self.changed = asyncio.Event()
        self.families: dict[str, Family] = {}

    def tell(self, word: ChainWord) -> None:
        self.words.append(word)
        self.changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_so():
                    self.changed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.5):
                            await self.changed.wait()
        except TimeoutError:
            raise AssertionError(self.state()) from None

    def state(self) -> str:
        """Say what it is about, for who waits in vain."""
        machine = self.machine
        tip, stale = machine.branch.tip, [o for o in machine.pools.of.values() if o.held is None]
        return (
            f"at {None if tip is None else tip.ref}, behind: {machine.is_behind},"
            f" asked: {machine._asked}, trouble: {self.follower.trouble},"
            f" stale: {[(str(one.pool), one.why, one.wait_until) for one in stale]}"
        )

    async def until_at(self, block_hash: str) -> None:
        """Wait until it is at this block, with all of its pools."""

        def is_there() -> bool:
            tip = self.machine.branch.tip
            is_at = tip is not None and tip.ref.hash == block_hash
            return is_at and not self.machine.pools.unread_count

        await self.until(is_there)

    async def differing(self) -> list[str]:
        """Compare every live pool with the node at the newest block."""
        tip = self.machine.branch.tip
        assert tip is not None
        return await differing(self.machine, ChainReader(self.node), tip.ref)


async def differing(machine: Following, reader: ChainReader, at: BlockRef) -> list[str]:
    """Return the live pools that are not as the node reads them at a block."""
    live = [one for one in machine.pools.of.values() if one.held is not None]
    found = []
    for family in {id(one.family): one.family for one in live}.values():
        own = [one for one in live if one.family is family]
        read = await family.read([one.pool for one in own], reader, at)
        for one, now in zip(own, read, strict=True):
            assert one.held is not None
            is_same = isinstance(now, PoolNow) and are_same(one.held, Held.of(now))
            found += [] if is_same else [f"{one.pool}: {now}, not {one.held}"]
    return found


@asynccontextmanager
async def following(
    accesses: Sequence[Access],
    pools: Sequence[tuple[Pool, Family]],
    *,
    chain: str = "ethereum",
    rhythm: Rhythm | None = None,
    limits: LinkLimits = QUICK,
    block_ms: int = 200,
) -> AsyncIterator[Followed]:
    """Follow a chain for the block."""
    async with open_outbound(None) as way, open_pool(accesses, way, limits) as node:
        machine = Following(chain, rhythm)

        def tell(word: ChainWord) -> None:
            followed.tell(word)

        reader = SettledReader(ChainReader(node), node)
        follower = Follower(machine, node, reader, tell=tell, block_ms=block_ms)
        followed = Followed(follower, node)
        follower.follow(pools)
        task = asyncio.create_task(follower.run())
        try:
            yield followed
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
