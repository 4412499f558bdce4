"""Blocks are made of what pays most, of nothing that fails, and of nothing that is not for them."""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_hash.auto import keccak

from engine.sandbox.relay.auction import Auction
from engine.sandbox.relay.book import BundleBook
from engine.sandbox.relay.builder import Builder
from engine.sandbox.relay.door import RelayDoor
from engine.sandbox.relay.rivals import Rivals
from engine.sandbox.relay.trial import BUILDER
from tests.chains.conftest import start_local
from tests.chains.local_world import LocalWorld
from tests.sandbox.relay.searcher import GWEI, Searcher

pytestmark = pytest.mark.slow

OTHER = "0x" + "12" * 20
BASE_FEE_WEI = 3 * GWEI


class Bidding:
    """A chain whose blocks are auctioned when a test says so."""

    def __init__(self, world: LocalWorld) -> None:
        self.world, self.rpc = world, world.rpc
        self.book = BundleBook()
        self.builder = Builder(self.rpc, self.book)
        self.rivals = Rivals(self.rpc, world.made, self.book, seed=3)
        self.auction = Auction(self.rpc, self.builder, self.rivals)
        self.door = RelayDoor(self.book, chain_id=world.world.chain_id)
        self.door.node_url, self.door.judged = self.rpc.url, self.builder.judged
        self.numbers = 0

    @property
    def next(self) -> int:
        return int(self.rpc.ask("eth_blockNumber"), 16) + 1

    def searcher(self, ether: int = 10) -> Searcher:
        """Return somebody new with money."""
        self.numbers += 1
        made = Searcher(self.numbers)
        self.rpc.ask("anvil_setBalance", made.address, hex(ether * 10**18))
        return made

    def bid(self, who: Searcher, *raws: str, block: int | None = None, **more: Any) -> str:
        """Bid; return the hash of the first transaction."""
        given = {"txs": list(raws), "blockNumber": hex(block or self.next), **more}
        answer = who.ask(self.door.url, "eth_sendBundle", given)
        assert answer["result"]["bundleHash"].startswith("0x"), answer
        return str(parse_hash(raws[0]))

    def make(self, *, now_s: int | None = None) -> list[str]:
        """Make a block; return the hashes that are in it, in order."""
        self.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE_WEI))
        _, fell = self.auction.make_block(BASE_FEE_WEI, now_s=now_s)
        assert fell == 0
        return [str(one) for one in self.world.head()["transactions"]]

    def why_not(self, hash_: str) -> str:
        return next(one.why for one in self.builder.judged[self.next - 1] if hash_ in one.hashes)

    def count(self, who: Searcher) -> int:
        return int(self.rpc.ask("eth_getTransactionCount", who.address, "latest"), 16)

    @property
    def failing(self) -> str:
        """What takes no call that it does not know."""
        return self.world.made.contracts["v3_quoter"]

    def close(self) -> None:
        self.door.close()


def parse_hash(raw: str) -> str:
    return "0x" + keccak(bytes.fromhex(raw[2:])).hex()


@pytest.fixture(scope="module")
def world() -> Iterator[LocalWorld]:
    local = start_local("ethereum", "--no-mining", "--order", "fifo")
    yield local
    local.close()


@pytest.fixture
def bidding(world: LocalWorld) -> Iterator[Bidding]:
    world.rpc.ask("anvil_dropAllTransactions")
    kept = world.snapshot()
    made = Bidding(world)
    yield made
    made.close()
    world.revert(kept)


def test_what_pays_more_goes_first_whoever_came_first(bidding: Bidding) -> None:
    low, high, middle = (bidding.searcher() for _ in range(3))
    wanted = [
        bidding.bid(who, who.signed(OTHER, tip_gwei=tip))
        for who, tip in ((low, 1), (high, 9), (middle, 4))
    ]

    assert bidding.make() == [wanted[1], wanted[2], wanted[0]]


def test_a_transfer_to_the_builder_counts_as_a_tip_does(bidding: Bidding) -> None:
    tips, pays = bidding.searcher(), bidding.searcher()
    tipping = bidding.bid(tips, tips.signed(OTHER, tip_gwei=5))
    paying = bidding.bid(pays, pays.signed(BUILDER, tip_gwei=0, value=10**15))

    assert bidding.make() == [paying, tipping]
    assert (
        int(bidding.rpc.ask("eth_getBalance", BUILDER, "latest"), 16) == 10**15 + 5 * GWEI * 21_000
    )


def test_a_bundle_of_which_one_fails_is_not_there_at_all(bidding: Bidding) -> None:
    who, other = bidding.searcher(), bidding.searcher()
    fails = who.signed(bidding.failing, nonce=1, data="0x12345678", tip_gwei=50)
    first = bidding.bid(who, who.signed(OTHER, tip_gwei=50), fails)
    good = bidding.bid(other, other.signed(OTHER))

    assert bidding.make() == [good]
    assert bidding.count(who) == 0
    assert "reverted" in bidding.why_not(first)


def test_what_may_fail_does_so_in_the_block(bidding: Bidding) -> None:
    who = bidding.searcher()
    fails = who.signed(bidding.failing, data="0x12345678")
    bidding.bid(who, fails, revertingTxHashes=[parse_hash(fails)])
    bidding.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE_WEI))

    assert bidding.auction.make_block(BASE_FEE_WEI) == (1, 1)


def test_of_two_bids_with_one_nonce_only_the_dearer_is_there(bidding: Bidding) -> None:
    who, name = bidding.searcher(), bidding.searcher()
    cheap = bidding.bid(name, who.signed(OTHER, tip_gwei=1))
    dear = bidding.bid(who, who.signed(OTHER, tip_gwei=2))

    assert bidding.make() == [dear]
    assert "behind what pays more" in bidding.why_not(cheap)


def test_a_bid_is_in_its_own_block_or_in_none(bidding: Bidding) -> None:
    who, late = bidding.searcher(), bidding.searcher()
    wanted = bidding.bid(who, who.signed(OTHER), block=bidding.next + 1)
    bidding.bid(late, late.signed(bidding.failing, data="0x12345678"))

    assert bidding.make() == []
    assert bidding.make() == [wanted]
    assert bidding.make() == []
    assert len(bidding.book) == 0


@pytest.mark.parametrize(("bounds", "count"), [((0, 0), 1), ((1, 9), 0), ((-9, -1), 0)])
def test_a_bid_is_in_no_block_outside_its_time(
    bidding: Bidding, bounds: tuple[int, int], count: int
) -> None:
    who = bidding.searcher()
    now_s = int(bidding.world.head()["timestamp"], 16) + 100
    low, high = (now_s + one for one in bounds)
    wanted = bidding.bid(who, who.signed(OTHER), minTimestamp=low, maxTimestamp=high)

    assert bidding.make(now_s=now_s) == [wanted][:count]
    assert int(bidding.world.head()["timestamp"], 16) == now_s


def test_the_same_name_again_replaces_and_nobody_else_can_take_it_back(bidding: Bidding) -> None:
    who, other = bidding.searcher(), bidding.searcher()
    gone: dict[str, Any] = {"replacementUuid": "bid"}
    bidding.bid(who, who.signed(OTHER, tip_gwei=9), **gone)
    bidding.bid(other, other.signed(OTHER, tip_gwei=9), **gone)
    newer = bidding.bid(who, who.signed(OTHER, tip_gwei=1), **gone)

    assert Searcher(99).ask(bidding.door.url, "eth_cancelBundle", gone)["error"]
    assert other.ask(bidding.door.url, "eth_cancelBundle", gone)["result"] is True
    assert bidding.make() == [newer]


def test_what_waits_in_public_comes_behind_bids_and_none_of_it_is_lost(bidding: Bidding) -> None:
    who, public, both = (bidding.searcher() for _ in range(3))
    raws = [public.signed(OTHER, nonce=nonce, tip_gwei=20) for nonce in (0, 1)]
    waiting = [bidding.rpc.ask("eth_sendRawTransaction", raw) for raw in raws]
    bidding.rpc.ask("eth_sendRawTransaction", both.signed(OTHER, tip_gwei=30))
    bids = [
        bidding.bid(who, who.signed(OTHER, tip_gwei=2)),
        bidding.bid(both, both.signed(OTHER, tip_gwei=1)),
    ]

    assert bidding.make() == [*bids, *waiting]


@pytest.mark.parametrize("more", [{"maxFeePerGas": 2 * GWEI}, {"nonce": 1}, {"value": 10**21}])
def test_what_could_be_in_no_block_keeps_nobody_out(bidding: Bidding, more: dict[str, int]) -> None:
    who, other = bidding.searcher(), bidding.searcher()
    bad = bidding.bid(who, who.signed(OTHER, tip_gwei=1, **more))
    good = bidding.bid(other, other.signed(OTHER))

    assert bidding.make() == [good]
    assert bidding.why_not(bad)


def test_what_the_node_refuses_after_its_trial_keeps_nobody_out(bidding: Bidding) -> None:
    who, other, public = (bidding.searcher() for _ in range(3))
    # A trial is of what the bytes mean; the node wants them as they have to be written, too.
    bad = bidding.bid(who, who.signed_oddly(OTHER))
    good = bidding.bid(other, other.signed(OTHER))
    waiting = bidding.rpc.ask("eth_sendRawTransaction", public.signed(OTHER))

    assert bidding.make() == [good, waiting]
    assert "the node does not take it" in bidding.why_not(bad)


def test_a_trial_tells_what_the_block_pays_and_leaves_no_trace(bidding: Bidding) -> None:
    who = bidding.searcher()
    raw = who.signed(BUILDER, tip_gwei=2, value=777)
    before = bidding.world.head()["hash"]
    given = {"txs": [raw], "blockNumber": hex(bidding.next), "stateBlockNumber": "latest"}

    said = who.ask(bidding.door.url, "eth_callBundle", given)["result"]

    assert said["coinbaseDiff"] == str(777 + 2 * GWEI * 21_000)
    assert said["ethSentToCoinbase"] == "777"
    assert said["totalGasUsed"] == 21_000
    assert bidding.world.head()["hash"] == before
    assert bidding.rpc.ask("txpool_status")["pending"] == "0x0"
    bidding.bid(who, raw)
    bidding.make()
    assert int(bidding.rpc.ask("eth_getBalance", BUILDER, "latest"), 16) == 777 + 2 * GWEI * 21_000


def test_a_trial_of_what_fails_says_which_and_of_what_cannot_be_why(bidding: Bidding) -> None:
    who = bidding.searcher()
    given = {"blockNumber": hex(bidding.next), "stateBlockNumber": "latest"}
    fails = who.signed(bidding.failing, data="0x12345678")

    said = who.ask(bidding.door.url, "eth_callBundle", given | {"txs": [fails]})
    gapped = who.ask(
        bidding.door.url, "eth_callBundle", given | {"txs": [who.signed(OTHER, nonce=3)]}
    )

    assert "reverted" in said["result"]["results"][0]["revert"]
    assert "has nonce 3, the next is 0" in gapped["error"]["message"]


def test_after_the_block_anybody_is_told_who_was_in_front(bidding: Bidding) -> None:
    low, high = bidding.searcher(), bidding.searcher()
    bidding.bid(low, low.signed(OTHER, tip_gwei=1))
    bidding.bid(high, high.signed(OTHER, tip_gwei=2))
    number = hex(bidding.next)
    assert "error" in low.ask(bidding.door.url, "sandbox_bundlesOfBlock", number)
    bidding.make()

    told = low.ask(bidding.door.url, "sandbox_bundlesOfBlock", number)["result"]

    assert [(one["signer"], one["place"]) for one in told] == [(high.name, 0), (low.name, 1)]
    assert told[0]["paid_wei"] == 2 * GWEI * 21_000
