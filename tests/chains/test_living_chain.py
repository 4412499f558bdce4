"""A local chain lives: pools follow the books, what comes is pending, blocks are undone."""

import json
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from engine.sandbox.world import life, running
from engine.sandbox.world.building import built
from engine.sandbox.world.crowd import WHALE_IMPACT
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.running import LivingChain
from engine.sandbox.world.states import standings
from tests.chains.conftest import need_packages

STRANGER = Account.from_key(f"0x{7:064x}")


class Lively:
    """A chain whose blocks are made when the test says so."""

    def __init__(self, chain: str = "base") -> None:
        need_packages()
        self.built = built(chain)
        self.chain = LivingChain(self.built, seed=5, speed=1.0)
        self.rpc = Rpc(self.chain.announced().http_urls[0])

    def step(self, times: int = 1) -> None:
        """Make blocks; another node may be there after one."""
        for _ in range(times):
            before = self.chain.node.pid
            self.chain.step()
            if self.chain.node.pid != before:
                self.rpc.close()

    def number(self) -> int:
        return int(self.rpc.ask("eth_blockNumber"), 16)

    def pending(self) -> list[dict[str, Any]]:
        by_account = self.rpc.ask("txpool_content")["pending"]
        return [one for by_nonce in by_account.values() for one in by_nonce.values()]

    def gaps(self, ether_usd: float) -> list[float]:
        """Return by how much of the price each pool of ether and dollars is beside the books."""
        made = self.built.made
        ether = {made.coin.address, made.contracts["wrapped"]}
        dollar = made.token("USDC")
        pools = [
            one for one in made.pools if dollar.address in one.tokens and ether & {*one.tokens}
        ]
        gaps = []
        for at in standings(self.rpc, made, pools):
            (coin,) = ether & {*at.pool.tokens}
            price = at.price(coin, dollar.address)
            gaps.append(abs(price * 10 ** (18 - dollar.decimals) / ether_usd - 1.0))
        return gaps

    def close(self) -> None:
        self.rpc.close()
        self.chain.close()


@pytest.fixture(scope="module")
def lively() -> Iterator[Lively]:
    one = Lively()
    yield one
    one.close()


@pytest.fixture
def keeps_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no block be undone: one that was holds nothing any more."""
    monkeypatch.setattr(life, "REORGANISATION_CHANCE", 0.0)


def send_privately(lively: Lively, raw: str, method: str = "eth_sendRawTransaction") -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 9, "method": method, "params": [raw]}).encode()
    with urllib.request.urlopen(lively.chain.announced().private_url, body) as answer:  # noqa: S310 - ours
        return json.loads(answer.read())


def signed(lively: Lively, nonce: int = 0) -> str:
    lively.rpc.ask("anvil_setBalance", STRANGER.address, hex(10**20))
    made = STRANGER.sign_transaction(
        {
            "to": to_checksum_address(lively.built.made.accounts[9]),
            "value": 12345,
            "gas": 21_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
            "nonce": nonce,
            "chainId": lively.built.plan.chain_id,
        }
    )
    return "0x" + bytes(made.raw_transaction).hex()


def test_pools_go_where_the_books_go(lively: Lively) -> None:
    for ether_usd in (2_900.0, 2_500.0):
        lively.chain.take({"ETH": ether_usd})
        lively.step(60)
        # A large trade at all pools at once may have left them beside the books for a while.
        for _ in range(200):
            if median(lively.gaps(ether_usd)) < 0.01:
                break
            lively.step()
        else:
            raise AssertionError("they did not come back")


def test_every_transaction_of_the_crowd_succeeds_and_some_are_large(lively: Lively) -> None:
    lively.step(60)
    receipts = [
        receipt
        for number in range(lively.number() - 50, lively.number() + 1)
        for receipt in lively.rpc.ask("eth_getBlockReceipts", hex(number))
    ]
    assert len(receipts) > 20
    assert {one["status"] for one in receipts} == {"0x1"}
    assert lively.chain.counts.whales > 0


def test_no_pool_is_further_from_the_books_than_a_large_swap_leaves_it(lively: Lively) -> None:
    lively.chain.take({"ETH": 2_500.0})
    lively.step(60)
    furthest = 0.0
    for _ in range(100):
        lively.step()
        furthest = max(furthest, *lively.gaps(2_500.0))
    assert 0.003 < furthest < 2 * WHALE_IMPACT[1]


def base_fees(lively: Lively, count: int) -> list[int]:
    """Return those of the newest blocks, the oldest first."""
    newest = lively.number()
    return [
        int(lively.rpc.ask("eth_getBlockByNumber", hex(number), False)["baseFeePerGas"], 16)
        for number in range(newest - count + 1, newest + 1)
    ]


def test_a_base_fee_goes_no_further_in_a_block_than_an_eighth(lively: Lively) -> None:
    lively.step(20)
    fees = base_fees(lively, 19)

    assert len({*fees}) > 3
    assert all(
        before - before // 8 <= fee <= before + before // 8 for before, fee in pairwise(fees)
    )


def test_it_goes_no_further_where_blocks_are_undone(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "REORGANISATION_CHANCE", 1.0)
    before = lively.chain.counts.reorganisations
    began = lively.number()  # a node that began anew before has fees of its own
    lively.step(12)

    assert lively.chain.counts.reorganisations == before + 12
    fees = base_fees(lively, lively.number() - began)
    assert len(fees) > 3
    assert all(
        before - before // 8 <= fee <= before + before // 8 for before, fee in pairwise(fees)
    )


@pytest.mark.usefixtures("keeps_blocks")
def test_what_the_next_block_holds_is_pending_before_it(lively: Lively) -> None:
    for _ in range(20):
        lively.step()
        coming = {one["hash"] for one in lively.pending()}
        if coming:
            break
    assert coming
    assert all(lively.rpc.ask("eth_getTransactionReceipt", one) is None for one in coming)
    lively.step()
    for one in coming:
        assert lively.rpc.ask("eth_getTransactionReceipt", one)["status"] == "0x1"


@pytest.mark.usefixtures("keeps_blocks")
def test_what_comes_the_private_way_is_seen_by_nobody_before_its_block(lively: Lively) -> None:
    raw = signed(lively)
    sent = send_privately(lively, raw)["result"]
    assert lively.rpc.ask("eth_getTransactionByHash", sent) is None
    assert sent not in {one["hash"] for one in lively.pending()}
    lively.step()
    assert lively.rpc.ask("eth_getTransactionReceipt", sent)["status"] == "0x1"


@pytest.mark.parametrize(
    ("raw", "method"),
    [("0xzz", "eth_sendRawTransaction"), ("0x", "eth_sendRawTransaction"), ("0x00", "eth_call")],
)
def test_the_private_way_refuses_what_is_no_transaction(
    lively: Lively, raw: str, method: str
) -> None:
    assert "message" in send_privately(lively, raw, method)["error"]
    lively.step()


def test_an_unsound_private_transaction_harms_no_block(lively: Lively) -> None:
    assert "result" in send_privately(lively, "0x02deadbeef")
    before = lively.number()
    lively.step()
    assert lively.number() == before + 1


def test_blocks_are_undone_now_and_then_and_life_goes_on(lively: Lively) -> None:
    parents: dict[int, str] = {}
    for _ in range(400):
        lively.step()
        head = lively.rpc.ask("eth_getBlockByNumber", "latest", False)
        number = int(head["number"], 16)
        is_undone = parents.get(number - 1, head["parentHash"]) != head["parentHash"]
        parents[number] = head["hash"]
        if is_undone:
            break
    assert is_undone
    assert lively.chain.counts.reorganisations > 0
    refused = lively.chain.counts.refused
    lively.step(5)
    assert lively.chain.counts.refused == refused


def test_a_node_that_is_killed_comes_back_at_its_place(lively: Lively) -> None:
    url = lively.chain.announced().http_urls
    lively.chain.node.kill()
    lively.step()
    lively.step()
    assert lively.chain.announced().http_urls == url
    assert lively.number() > 0


def test_a_node_that_grew_too_large_begins_anew(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "NODE_BYTES_MAX", 1)
    monkeypatch.setattr(running, "LOOK_BLOCKS", 1)
    before = lively.chain.node.pid
    lively.step()
    assert lively.chain.node.pid != before
    assert lively.chain.counts.blocks == 0


def test_ethereum_alone_has_a_relay_and_rivals_who_bid_there(lively: Lively) -> None:
    one = Lively("ethereum")
    try:
        one.step(30)
        counts = one.chain.counts

        assert one.chain.announced().relay_url
        assert lively.chain.announced().relay_url == ""
        assert counts.bids_landed > 0
        assert counts.bids_broken == 0
        assert counts.refused == 0
    finally:
        one.close()
