"""States that were kept are trusted after a restart as far as the node bears them out."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from engine.chains.discovery.cache_file import change, open_cache
from engine.chains.discovery.restoring import Restored, trusted_again
from engine.chains.discovery.state_cache import StateCache
from engine.chains.families.family_list import families_of
from engine.chains.ports import BlockRef, NodeError, PoolNow
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow
from engine.pools.snapshots import PoolSnapshot
from tests.chains.discovery.on_node import OnNode, on_node
from tests.chains.local_world import LocalWorld


def pools_of(world: LocalWorld, *protocols: Protocol) -> list[Pool]:
    tokens = {token.address: token for token in world.made.tokens}
    return [
        Pool(
            chain="ethereum",
            protocol=pool.protocol,
            address=pool.address,
            tokens=tuple(
                (AssetCode(tokens[address].asset), tokens[address].decimals)
                for address in pool.tokens
            ),
            fee_ratio=Decimal(pool.fee_pips) / 1_000_000,
            gas_units=100_000,
            token_addresses=pool.tokens,
        )
        for pool in world.made.pools
        if pool.protocol in protocols
    ]


class Ground(NamedTuple):
    """A node, the pools of its world, and the file in which their states are kept."""

    world: LocalWorld
    chain: OnNode
    path: Path

    @property
    def pools(self) -> list[Pool]:
        return pools_of(self.world, Protocol.UNISWAP_V2, Protocol.UNISWAP_V3)

    async def read(self, pools: Sequence[Pool], at: BlockRef) -> list[PoolNow]:
        read: list[PoolNow] = []
        for protocol, family in families_of(self.world.made.dexes).items():
            some = [pool for pool in pools if pool.protocol is protocol]
            for one in await family.read(some, self.chain.reader, at):
                assert isinstance(one, PoolNow)
                read.append(one)
        return read

    async def keep(self, at: BlockRef) -> int:
        cache = open_cache(self.path, chain_id=1)
        snapshots = [
            PoolSnapshot(pool=now.pool, row=now.row) for now in await self.read(self.pools, at)
        ]
        kept = await StateCache(cache).keep(snapshots, at)
        cache.close()
        return kept

    async def restored(self, at: BlockRef | None = None, log_span: int = 100) -> Restored:
        cache = open_cache(self.path, chain_id=1)
        kept = await StateCache(cache).kept()
        cache.close()
        return await trusted_again(
            self.pools,
            kept,
            families=families_of(self.world.made.dexes),
            node=self.chain.node,
            reader=self.chain.reader,
            at=at or await self.chain.head(),
            log_span=log_span,
        )

    def concentrated(self) -> set[str]:
        return {pool.address for pool in self.pools if pool.protocol is Protocol.UNISWAP_V3}


@asynccontextmanager
async def ground(world: LocalWorld, folder: Path) -> AsyncIterator[Ground]:
    async with on_node(world.world.http_url) as chain:
        yield Ground(world, chain, folder / "states")


def addresses(restored: Restored) -> set[str]:
    return {now.pool.address for now in restored.trusted}


async def test_states_that_nothing_changed_stand_and_are_those_of_the_node(
    new_world: Callable[[], LocalWorld], tmp_path: Path
) -> None:
    world = new_world()
    async with ground(world, tmp_path) as at_work:
        assert await at_work.keep(await at_work.chain.head()) == 6
        world.mine(20)
        head = await at_work.chain.head()

        restored = await at_work.restored(head, log_span=3)

        again = await at_work.read([now.pool for now in restored.trusted], head)
        assert addresses(restored) == at_work.concentrated()
        assert {pool.protocol for pool in restored.to_read} == {Protocol.UNISWAP_V2}
        assert {now.pool.address: now for now in restored.trusted} == {
            now.pool.address: now for now in again
        }


@pytest.mark.parametrize("what", ["swap", "far position"])
async def test_a_pool_that_told_of_anything_since_is_read_again(
    new_world: Callable[[], LocalWorld], tmp_path: Path, what: str
) -> None:
    world = new_world()
    pool = world.pool("Uniswap V3", "USDC", "WETH", 500)
    async with ground(world, tmp_path) as at_work:
        await at_work.keep(await at_work.chain.head())
        if what == "far position":  # price, tick and liquidity stay
            [now] = await at_work.read(
                [one for one in at_work.pools if one.address == pool.address],
                await at_work.chain.head(),
            )
            assert isinstance(now.row, ConcentratedRow)
            low = now.row.tick // 10 * 10 - 4_000
            world.add(pool, (10**9, 10**9), (low, low + 1_000))
        else:
            world.swap(pool, "WETH", 1)
        world.mine(3)

        restored = await at_work.restored()

    assert addresses(restored) == at_work.concentrated() - {pool.address}
    assert pool.address in {one.address for one in restored.to_read}


async def test_states_of_a_branch_that_was_left_are_all_read_again(
    new_world: Callable[[], LocalWorld], tmp_path: Path
) -> None:
    world = new_world()
    async with ground(world, tmp_path) as at_work:
        world.mine(3)
        await at_work.keep(await at_work.chain.head())
        world.reorg(2)
        world.mine(5)

        restored = await at_work.restored()

    assert restored.trusted == []
    assert len(restored.to_read) == len(at_work.pools)
    assert "is another one now" in restored.why


async def test_states_from_too_long_ago_or_from_the_future_are_read_again(
    new_world: Callable[[], LocalWorld], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.chains.discovery.restoring.GAP_BLOCKS_MAX", 10)
    world = new_world()
    async with ground(world, tmp_path) as at_work:
        before = await at_work.chain.head()
        world.mine(11)
        head = await at_work.chain.head()
        await at_work.keep(before)
        assert "far from" in (await at_work.restored(head)).why
        await at_work.keep(head)
        assert "far from" in (await at_work.restored(before)).why


async def test_a_block_that_is_left_while_states_are_compared_trusts_none(
    new_world: Callable[[], LocalWorld], tmp_path: Path
) -> None:
    world = new_world()
    async with ground(world, tmp_path) as at_work:
        await at_work.keep(await at_work.chain.head())
        world.mine(3)
        left = await at_work.chain.head()
        world.reorg(1)
        with pytest.raises(NodeError):
            await at_work.restored(left)


def other_row(row: AnyRow, what: str) -> ConcentratedRow:
    assert isinstance(row, ConcentratedRow)
    if what == "price":
        return msgspec.structs.replace(row, sqrt_price_x96=str(int(row.sqrt_price_x96) + 1))
    if what == "tick":
        return msgspec.structs.replace(row, tick=row.tick + 1)
    return msgspec.structs.replace(row, liquidity=str(int(row.liquidity) - 1))


@pytest.mark.parametrize("what", ["price", "tick", "liquidity", "token", "protocol", "damage"])
async def test_a_kept_state_that_is_not_what_the_pool_says_does_not_stand(
    world: LocalWorld, tmp_path: Path, what: str
) -> None:
    async with ground(world, tmp_path) as at_work:
        head = await at_work.chain.head()
        await at_work.keep(head)
        cache = open_cache(at_work.path, chain_id=1)
        kept = await StateCache(cache).kept()
        assert kept is not None
        address = min(kept.pools)
        now = kept.pools[address]
        if what == "token":
            turned = {name: getattr(now.pool, name)[::-1] for name in ("tokens", "token_addresses")}
            now = PoolNow(pool=replace(now.pool, **turned), row=now.row)
        elif what == "protocol":
            now = PoolNow(pool=replace(now.pool, protocol=Protocol.SUSHISWAP_V3), row=now.row)
        elif what != "damage":
            now = PoolNow(pool=now.pool, row=other_row(now.row, what))
        others = [one for one in kept.pools.values() if one.pool.address != address]
        await StateCache(cache).keep(
            [PoolSnapshot(pool=one.pool, row=one.row) for one in (now, *others)], head
        )
        if what == "damage":
            with change(cache):
                cache.execute(
                    "UPDATE states SET state = ? WHERE address = ?",
                    (b"no state", bytes.fromhex(address[2:])),
                )
        cache.close()

        restored = await at_work.restored(head)

    assert addresses(restored) == at_work.concentrated() - {address}
    assert address in {pool.address for pool in restored.to_read}


async def test_without_kept_states_everything_is_read(world: LocalWorld, tmp_path: Path) -> None:
    async with ground(world, tmp_path) as at_work:
        restored = await at_work.restored()

    assert (restored.trusted, restored.to_read) == ([], at_work.pools)
