"""The sender and the sandbox's relay fit: it bids, lands at the top of a block, or not at all."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import msgspec
import pytest

from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate
from engine.sandbox.relay.auction import Auction
from engine.sandbox.relay.book import BundleBook
from engine.sandbox.relay.builder import Builder
from engine.sandbox.relay.bundles import Bundle
from engine.sandbox.relay.door import RelayDoor
from engine.sandbox.relay.rivals import Rivals
from engine.sandbox.world.swaps import Order
from engine.sending.desk import ChainDesk
from engine.sending.paths import PrivateWay
from engine.sending.policies import LOCAL_PRIVATE
from engine.sending.relay import Relay
from tests.chains.conftest import start_local
from tests.sandbox.relay.searcher import signed_swap
from tests.sending.sending_world import ARTIFACT, CHAIN, GWEI, SendingWorld

pytestmark = pytest.mark.slow

RIVAL = 7
PLACE = Decimal("0.005")
"""ETH that a plan bids for its place."""
LOOKS = 40


class SealedWorld(SendingWorld):
    """The same, where blocks are auctioned once `begin` was called."""

    def begin(self) -> None:
        self.world.automine(False)
        rpc = self.world.rpc
        self.book = BundleBook()
        self.builder = Builder(rpc, self.book)
        rivals = Rivals(rpc, self.world.made, self.book, seed=1)
        self.auction = Auction(rpc, self.builder, rivals)
        self.door = RelayDoor(self.book, chain_id=self.world.world.chain_id)
        self.door.node_url, self.door.judged = rpc.url, self.builder.judged

    def make(self, *, later_s: int = 1) -> None:
        now_s = int(self.world.head()["timestamp"], 16) + later_s
        self.base_fee(1)
        self.auction.make_block(GWEI, now_s=now_s)

    def bidding(
        self, *, seconds: float, place: Decimal = PLACE, dollar: str = "USDC"
    ) -> AtomicPlan:
        """A plan that is to pay for a place in front."""
        plan = self.plan(seconds=seconds, dollar=dollar)
        gas = msgspec.structs.replace(plan.gas, bid=place, amount=plan.gas.amount + place)
        return msgspec.structs.replace(plan, gas=gas)

    def two(self, *, seconds: float) -> tuple[AtomicPlan, AtomicPlan]:
        """Plans through pools that are none of each other's, handed over in this order."""
        self.gap()
        self.gap(60, dollar="USDT")
        first, second = (self.bidding(seconds=seconds, dollar=one) for one in ("USDC", "USDT"))
        self.begin()
        self.table.hand_over(self.handed(first))
        self.table.hand_over(self.handed(second, "USDT"))
        return first, second

    def outbid(self) -> str:
        """Let a rival close the gap at the pair, for more than anybody else pays."""
        rpc, account = self.world.rpc, self.world.made.accounts[RIVAL]
        usdc = self.world.token("USDC").address
        order = Order(self.pair, usdc, self.weth, self.world.raw("USDC", 80_000), 1, account)
        transaction = signed_swap(rpc, order, tip_gwei=20_000)
        self.book.put(Bundle(signer=account, transactions=(transaction,), block=self.book.head + 1))
        return transaction.hash

    def let_rivals_bid(self) -> None:
        """Let the rivals look until two bids of theirs wait."""
        made = self.world.made
        usd = {one.address: 2_685.5 if one.asset == "ETH" else 1.0 for one in made.tokens}
        usd |= {one.address: 61_838.0 for one in made.tokens if one.asset == "WBTC"}
        usd[made.coin.address] = 2_685.5
        before = len(self.book)
        for _ in range(LOOKS):
            self.auction.let_bid(usd)
            if len(self.book) > before + 1:
                break

    def close(self) -> None:
        self.door.close()
        super().close()


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[SealedWorld]:
    if not ARTIFACT.exists():
        pytest.skip("our contract is not compiled here")
    local = start_local(CHAIN, "--slots-in-an-epoch", "2", "--order", "fifo")
    made = SealedWorld(local, tmp_path)
    yield made
    made.close()
    local.close()


def private(desk: ChainDesk, world: SealedWorld, session: aiohttp.ClientSession) -> Relay:
    relay = Relay(world.door.url, b"\x07" * 32, session)
    desk.terms.policy = LOCAL_PRIVATE
    desk.way = PrivateWay(relay, desk.view)
    return relay


def test_a_route_is_bid_for_and_lands_on_top_with_the_gain_that_was_planned(
    sealed: SealedWorld,
) -> None:
    sealed.gap()
    plan = sealed.bidding(seconds=60)
    sealed.begin()

    async def work(desk: ChainDesk) -> None:
        async with aiohttp.ClientSession() as session:
            relay = private(desk, sealed, session)
            sealed.table.hand_over(sealed.handed(plan))
            await desk.step()
            raw = sealed.life(plan).attempts[0].raw
            tried = await relay.try_out([raw], block=sealed.book.head + 1)
            gas_limit = sealed.life(plan).attempts[0].bid.gas_limit
            place_wei = int(PLACE.scaleb(18)) // gas_limit * tried.gas_used
            assert (tried.why, tried.paid_wei) == ("", place_wei)
            assert sealed.world.rpc.ask("txpool_status")["pending"] == "0x0"
            for _ in range(3):
                await asyncio.to_thread(sealed.make)
                await desk.step()

    sealed.run(work)

    (news,) = sealed.news(plan)
    assert news.fate is Fate.SUCCEEDED
    block = next(one for one in sealed.builder.judged.values() if one)
    assert [(one.place, one.hashes) for one in block] == [(0, (news.hash,))]
    assert sealed.warnings == []


def test_among_rivals_who_look_at_the_same_gap_the_dearest_bid_is_first_and_theirs_fall_behind(
    sealed: SealedWorld,
) -> None:
    sealed.gap()
    sealed.world.rpc.ask("anvil_setBalance", sealed.wallet, hex(10**19))
    plan = sealed.bidding(seconds=60, place=Decimal(2))  # more than the gap is worth to anybody
    sealed.begin()

    async def work(desk: ChainDesk) -> None:
        async with aiohttp.ClientSession() as session:
            private(desk, sealed, session)
            sealed.table.hand_over(sealed.handed(plan))
            await desk.step()
            await asyncio.to_thread(sealed.let_rivals_bid)
            for _ in range(3):
                await asyncio.to_thread(sealed.make)
                await desk.step()

    sealed.run(work)

    (news,) = sealed.news(plan)
    judged = next(one for one in sealed.builder.judged.values() if one)
    rivals = {habit.account.lower() for habit in sealed.auction.rivals.habits}
    theirs = [one for one in judged if one.signer.lower() in rivals]
    ours = next(one for one in judged if news.hash in one.hashes)
    assert news.fate is Fate.SUCCEEDED
    assert theirs, "nobody bid beside us"
    assert ours.place == 0
    assert all(one.paid_wei < ours.paid_wei for one in theirs)
    assert any("behind what pays more" in one.why for one in theirs), theirs


def test_a_route_that_is_outbid_is_in_no_block_costs_nothing_and_ends_by_a_cancel(
    sealed: SealedWorld,
) -> None:
    sealed.gap()
    plan = sealed.bidding(seconds=30)
    sealed.begin()
    block = 0

    async def work(desk: ChainDesk) -> None:
        async with aiohttp.ClientSession() as session:
            private(desk, sealed, session)
            sealed.table.hand_over(sealed.handed(plan))
            await desk.step()
            rival = sealed.outbid()
            await asyncio.to_thread(sealed.make)
            first, second = sealed.builder.judged[sealed.book.head]
            ours = {one.place: one for one in (first, second)}
            assert ours[0].hashes == (rival,)
            assert "behind what pays more" in ours[-1].why
            nonlocal block
            block = sealed.book.head
            for later_s in (1, 60, 1, 1, 1):
                await desk.step()
                await asyncio.to_thread(sealed.make, later_s=later_s)
            await desk.step()

    sealed.run(work)

    (news,) = sealed.news(plan)
    assert news.fate is Fate.CANCELLED
    assert news.receipt is not None
    rival = sealed.world.made.accounts[RIVAL]
    assert f"outbid in block {block} by {rival}, who paid" in news.receipt.why
    assert sealed.executions() == 0
    assert sealed.count() == 1
    assert len(sealed.book) == 0


def test_two_plans_for_one_block_land_in_it_one_behind_the_other(sealed: SealedWorld) -> None:
    plans = sealed.two(seconds=60)

    async def work(desk: ChainDesk) -> None:
        async with aiohttp.ClientSession() as session:
            private(desk, sealed, session)
            await desk.step()
            for _ in range(3):
                await asyncio.to_thread(sealed.make)
                await desk.step()

    sealed.run(work)

    news = [sealed.news(plan)[-1] for plan in plans]
    assert [one.fate for one in news] == [Fate.SUCCEEDED, Fate.SUCCEEDED]
    blocks = {one.receipt.block for one in news if one.receipt is not None}
    assert len(blocks) == 1, "a bundle of the second alone would have been in no block"
    assert sealed.executions() == 2


def test_what_is_outbid_makes_way_at_once_for_what_waits_behind_it(sealed: SealedWorld) -> None:
    first, second = sealed.two(seconds=600)

    async def work(desk: ChainDesk) -> int:
        async with aiohttp.ClientSession() as session:
            private(desk, sealed, session)
            await desk.step()
            sealed.outbid()
            await asyncio.to_thread(sealed.make)
            outbid_in = sealed.book.head
            for _ in range(4):
                await desk.step()
                await asyncio.to_thread(sealed.make)
            await desk.step()
            return outbid_in

    outbid_in = sealed.run(work)

    (gone,), (came,) = sealed.news(first), sealed.news(second)
    assert (gone.fate, came.fate) == (Fate.CANCELLED, Fate.SUCCEEDED)
    assert came.receipt is not None
    assert came.receipt.block == outbid_in + 1, "its time is not over for ten minutes"
    assert sealed.executions() == 1


def test_what_nobody_waits_behind_goes_on_bidding_till_its_time_is_over(
    sealed: SealedWorld,
) -> None:
    sealed.gap()
    plan = sealed.bidding(seconds=600)
    sealed.begin()
    sealed.table.hand_over(sealed.handed(plan))

    async def work(desk: ChainDesk) -> None:
        async with aiohttp.ClientSession() as session:
            private(desk, sealed, session)
            await desk.step()
            sealed.outbid()
            for _ in range(3):
                await asyncio.to_thread(sealed.make)
                await desk.step()

    sealed.run(work)

    assert sealed.news(plan) == []
    assert not any(one.is_cancel for one in sealed.life(plan).attempts)
