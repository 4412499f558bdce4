"""Pending transactions of a real node: heard, predicted, judged by the blocks they come into."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from engine.bus.notices import Notice
from engine.chains.families.family_list import families_of
from engine.chains.pending.waiting import Count
from engine.chains.pending.watch import PendingWatch, WatchLimits
from engine.chains.pending.whales import Whale, WhaleTerms
from engine.chains.ports import BlockRef, Node
from engine.domain.assets import AssetCode
from engine.domain.chains import CHAINS
from engine.domain.modes import Basis
from engine.domain.pools import Pool, Protocol
from engine.domain.units import NS_PER_S
from engine.pools.impact import impact_of_states
from engine.pools.snapshot_rows import PoolState
from engine.wiring.chain_pending import ChainPending, whale_notice
from tests.chains.conftest import start_local
from tests.chains.following.node import Followed, following
from tests.chains.following.test_real_node import access_to
from tests.chains.pending.deployed import ACCOUNTS, Deployed
from tests.chains.pending.random_swaps import Maker, Sent, as_transaction
from tests.chains.pending.samples import call
from tests.chains.pending.scripted_pending import Reserved
from tests.patience import PATIENCE_S

AT_NS = 1_750_000_000 * NS_PER_S


@pytest.fixture(scope="module")
def there() -> Iterator[Deployed]:
    world = start_local()
    try:
        yield Deployed(world)
    finally:
        world.close()


class Watching:
    """A chain that is followed and whose pending transactions are watched."""

    def __init__(
        self,
        there: Deployed,
        followed: Followed,
        watch: PendingWatch,
        whales: list[Whale],
        impacts: list[BlockRef],
    ) -> None:
        self.there, self.followed, self.watch, self.whales = there, followed, watch, whales
        self.impacts = impacts
        self.counts = watch.desk.counts

    async def settle(self) -> None:
        """Wait until the newest block was taken and looked at."""
        head = await asyncio.to_thread(self.there.world.head)
        await self.followed.until_at(head["hash"])
        await self.until(lambda: self.watch.looked_at == head["hash"])

    async def until_heard(self, count: int) -> None:
        await self.until(lambda: self.counts[Count.HEARD] >= count)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await asyncio.sleep(0.005)

    def held(self, pool: Pool) -> PoolState:
        held = self.followed.machine.pools.of[pool.address].held
        assert held is not None
        return held.state


@asynccontextmanager
async def watching(
    there: Deployed, terms: WhaleTerms | None = None, *, told: str = "bodies"
) -> AsyncIterator[Watching]:
    families = families_of(there.dexes)
    pools = [(pool, families[pool.protocol]) for pool in there.pools]
    async with following([access_to(there.world)], pools) as followed:
        node: Node = followed.node
        if told != "bodies":
            node = Reserved(node, names=told == "names")
        whales: list[Whale] = []
        impacts: list[BlockRef] = []

        def on_impact() -> None:
            tip = followed.machine.branch.tip
            assert tip is not None
            impacts.append(tip.ref)

        pending = ChainPending(
            followed.machine,
            facts=CHAINS["ethereum"],
            routers=there.rows,
            dexes=there.dexes,
            terms=terms or WhaleTerms(),
            on_whale=whales.append,
            on_impact=on_impact,
            now_ns=lambda: AT_NS,
            limits=WatchLimits(bodies_per_s=10_000),
        )
        task = asyncio.create_task(pending.run(node))
        await asyncio.sleep(0)
        assert pending.watch is not None
        watched = Watching(there, followed, pending.watch, whales, impacts)
        try:
            await watched.followed.until_at((await asyncio.to_thread(there.world.head))["hash"])
            yield watched
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.to_thread(there.world.automine, True)


def send(there: Deployed, rng: random.Random, count: int) -> int:
    """Send random swaps of several accounts; return how many."""
    makers = [Maker(there, there.world.hands(account).me, rng) for account in ACCOUNTS]
    for index in range(count):
        maker = makers[index % len(makers)]
        price = hex((500 - index) * 10**9)  # falling, see test_predictions.py
        there.world.rpc.ask(
            "eth_sendTransaction", as_transaction(maker.make(), maker.me, gasPrice=price)
        )
    return count


async def test_what_comes_into_a_block_is_as_it_is_predicted_just_before_it(
    there: Deployed,
) -> None:
    rng = random.Random(11)
    async with watching(there) as watched:
        there.world.automine(False)
        for block in range(1, 4):
            await asyncio.to_thread(send, there, rng, 12)
            await watched.until_heard(12 * block)
            await asyncio.to_thread(there.world.mine)
            await watched.settle()

        counts = watched.counts
        assert counts[Count.HEARD] == counts[Count.KEPT] == counts[Count.INCLUDED] == 36
        assert counts[Count.DIFFERS] == counts[Count.FAILED] == 0
        # one or two go beyond the ticks that are read of a pool
        assert counts[Count.EXACT] + counts[Count.UNKNOWN] == 36
        assert counts[Count.UNKNOWN] <= 2
        assert counts[Count.HELD] + counts[Count.OVERTAKEN] >= 18
        assert counts[Count.OVERTAKEN] > 0
        assert len(watched.watch.desk.waiting) == 0
        assert watched.watch.has_bodies


async def test_a_node_that_only_names_transactions_is_asked_for_them(there: Deployed) -> None:
    async with watching(there, told="names") as watched:
        there.world.automine(False)
        await asyncio.to_thread(send, there, random.Random(3), 8)
        await watched.until_heard(8)
        await asyncio.to_thread(there.world.mine)
        await watched.settle()

        assert watched.watch.has_bodies is False
        assert watched.counts[Count.EXACT] == watched.counts[Count.INCLUDED] == 8


def sell(there: Deployed, amount_raw: int) -> Sent:
    """Sell dollars for coins through V3's pool of 0.05 %."""
    signature = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    me = there.world.hands(1).me
    arguments = (there.usdc, there.weth, 500, me, amount_raw, 0, 0)
    return Sent(there.router_02, call(signature, arguments))


def the_pool(there: Deployed) -> Pool:
    return next(
        pool
        for pool in there.pools
        if pool.protocol is Protocol.UNISWAP_V3
        and pool.fee_ratio == Decimal("0.0005")
        and set(pool.token_addresses) == {there.usdc, there.weth}
    )


async def send_sale(there: Deployed, usd: int) -> None:
    sent = as_transaction(sell(there, usd * 10**6), there.world.hands(1).me)
    await asyncio.to_thread(there.world.rpc.ask, "eth_sendTransaction", sent)


def dearer(pool: Pool, before: PoolState, after: PoolState, asset: AssetCode) -> Fraction:
    """Return how much dearer an asset became in the other one, from the pool's two states."""
    change = impact_of_states(before, after).change_ratio
    return change if pool.token_index(asset) == 0 else 1 / (1 + change) - 1


TERMS = WhaleTerms(impact_ratio=Fraction(5, 1_000), worth_usd=Decimal(10**9))


@pytest.mark.parametrize("told", ["bodies", "nothing"])
async def test_a_whale_is_told_once_with_its_exact_impact(there: Deployed, told: str) -> None:
    pool = the_pool(there)
    async with watching(there, TERMS, told=told) as watched:
        there.world.automine(False)
        await send_sale(there, 3_000)
        await asyncio.to_thread(there.world.mine)
        await watched.settle()
        assert watched.whales == []
        assert watched.impacts == []

        before, tip = watched.held(pool), watched.followed.machine.branch.tip
        assert tip is not None
        await send_sale(there, 90_000)
        if told == "bodies":
            await watched.until(lambda: len(watched.whales) == 1)
            assert watched.held(pool) == before
            assert watched.impacts == [tip.ref]
        await asyncio.to_thread(there.world.mine)
        await watched.settle()

        (whale,) = watched.whales
        # As it is heard, and again before anybody is told of the block that it is in.
        assert watched.impacts == [tip.ref] * (2 if told == "bodies" else 1)
        assert whale.is_pending is (told == "bodies")
        assert whale.pool == pool
        assert whale.amount_in == 90_000
        assert whale.worth_usd == 90_000
        assert whale.impact_ratio >= Fraction(5, 1_000)
        after = watched.held(pool)
        assert whale.impact_ratio == dearer(pool, before, after, whale.asset_out)


async def test_a_swap_of_great_worth_is_a_whale_whatever_it_moves(there: Deployed) -> None:
    terms = WhaleTerms(impact_ratio=Fraction(1), worth_usd=Decimal(2_000))
    async with watching(there, terms) as watched:
        there.world.automine(False)
        for usd in (1_999, 2_000):
            await send_sale(there, usd)
        await watched.until_heard(2)
        await asyncio.to_thread(there.world.mine)
        await watched.settle()

        assert [whale.worth_usd for whale in watched.whales] == [2_000]


async def test_a_whale_becomes_a_notice_with_its_impact_rounded_towards_nothing(
    there: Deployed,
) -> None:
    async with watching(there, TERMS) as watched:
        there.world.automine(False)
        await send_sale(there, 90_000)
        await watched.until(lambda: len(watched.whales) == 1)
        await asyncio.to_thread(there.world.mine)
        await watched.settle()

    (whale,) = watched.whales
    notice = whale_notice(whale, at_ns=AT_NS, basis=Basis.SANDBOX)
    assert notice.venue == "uniswap_v3@ethereum"
    assert 0 <= whale.impact_ratio - Fraction(notice.impact_ratio) < Fraction(1, 10**6)
    assert notice.amount_in == 90_000
    assert notice.worth_usd == 90_000
    assert msgspec.json.decode(msgspec.json.encode(notice), type=Notice) == notice
