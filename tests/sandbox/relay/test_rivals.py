"""Rivals take gaps of the local chain by bids, each by its habit, and only where it gains."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.domain.pools import Protocol
from engine.sandbox.relay.bundles import Bundle
from engine.sandbox.relay.gaps import best_gap
from engine.sandbox.relay.rivals import COUNT, PAIRS_A_BLOCK, POOLS_A_PAIR, Rivals
from engine.sandbox.world.states import standings
from engine.sandbox.world.swaps import Order
from engine.sandbox.world.values import WorldPool
from tests.chains.conftest import start_local
from tests.chains.local_world import LocalWorld
from tests.sandbox.relay.searcher import signed_swap
from tests.sandbox.relay.test_blocks_of_bids import BASE_FEE_WEI, Bidding

pytestmark = pytest.mark.slow

USD = 2_685.5


@pytest.fixture
def bidding() -> Iterator[Bidding]:
    local = start_local("ethereum", "--no-mining", "--order", "fifo")
    made = Bidding(local)
    yield made
    made.close()
    local.close()


def worths(world: LocalWorld) -> dict[str, float]:
    """Return dollars by address, as the world was seeded."""
    prices = {"ETH": USD, "WBTC": 61_838.0}
    return {
        one.address: prices.get(one.asset, 1.0) for one in (*world.made.tokens, world.made.coin)
    }


def open_gap(world: LocalWorld, whole: float = 40) -> WorldPool:
    """Make ETH cheap at one pair, in the next block."""
    pool = world.pool("Uniswap V2", "WETH", "USDC")
    trader = world.trader(1)
    trader.swap(pool, world.token("WETH").address, world.raw("WETH", whole))
    trader.hands.fees = {"maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": "0x1"}
    trader.hands.post()
    world.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE_WEI))
    world.mine()
    return pool


def width(world: LocalWorld) -> int:
    """Return what the widest gap between ETH and dollars is worth, in units of a dollar."""
    both = {world.token("WETH").address, world.token("USDC").address}
    pools = [one for one in world.made.pools if set(one.tokens) == both]
    gap = best_gap(standings(world.rpc, world.made, pools), world.token("USDC").address)
    return 0 if gap is None else gap.gain_raw


def test_a_gap_is_bid_for_and_is_closed_by_the_highest_bid(bidding: Bidding) -> None:
    world = bidding.world
    open_gap(world)
    before = width(world)
    for _ in range(30):
        bidding.rivals.bid(worths(world))
        bidding.make()

    judged = [one for block in bidding.builder.judged.values() for one in block]
    landed = [one for one in judged if one.place >= 0]
    assert before > 0
    assert width(world) < before / 2
    assert landed
    for block in bidding.builder.judged.values():
        paid = [one.paid_wei for one in block if one.place >= 0]
        assert paid == sorted(paid, reverse=True)


def test_a_rival_whose_bid_lands_has_gained_more_than_it_paid(bidding: Bidding) -> None:
    world, usd = bidding.world, worths(bidding.world)
    open_gap(world)
    names = {one.address: one.decimals for one in (*world.made.tokens, world.made.coin)}

    def wealth(account: str) -> float:
        tokens = sum(
            world.hands(9).read(one.address, "balanceOf(address)", ("uint256",), account)
            * usd[one.address]
            / 10 ** names[one.address]
            for one in world.made.tokens
        )
        coins = int(world.rpc.ask("eth_getBalance", account, "latest"), 16) - 10**29
        return float(tokens) + coins / 10**18 * USD

    landed = False
    for _ in range(30):
        before = {one.account: wealth(one.account) for one in bidding.rivals.habits}
        bidding.rivals.bid(usd)
        bidding.make()
        for one in bidding.builder.judged[bidding.next - 1]:
            if one.place >= 0 and one.paid_wei > 10**15:
                landed = True
                assert wealth(one.signer) > before[one.signer]
    assert landed


def test_a_rival_is_in_no_block_where_it_would_not_get_back_what_it_bid(bidding: Bidding) -> None:
    world = bidding.world
    target = world.pool("Uniswap V3", "WETH", "USDC", 500)
    made = replace(world.made, pools=(open_gap(world), target))
    rivals = Rivals(bidding.rpc, made, bidding.book, seed=3)
    while not rivals.bids:
        rivals.bid(worths(world))
    # Somebody who pays more sells where the rivals want to sell, and leaves the first pool alone.
    weth = world.token("WETH").address
    usdc = world.token("USDC").address
    account = world.made.accounts[2]
    order = Order(target, weth, usdc, world.raw("WETH", 200), 1, account)
    swap = signed_swap(bidding.rpc, order, tip_gwei=50_000)
    bidding.book.put(Bundle(signer=account, transactions=(swap,), block=bidding.next))

    assert bidding.make() == [swap.hash]


def test_the_same_seed_has_the_same_habits_and_another_one_others(bidding: Bidding) -> None:
    made, rpc, book = bidding.world.made, bidding.rpc, bidding.book

    habits = [Rivals(rpc, made, book, seed=seed).habits for seed in (3, 3, 4)]

    assert habits[0] == habits[1] != habits[2]
    assert len(habits[0]) == COUNT


def test_where_there_is_no_gap_nobody_bids(bidding: Bidding) -> None:
    for _ in range(20):
        bidding.rivals.bid(worths(bidding.world))

    assert bidding.rivals.bids == 0


def test_a_rival_reads_a_few_pools_a_block_however_many_there_are(
    bidding: Bidding, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    ask_all = bidding.rpc.ask_all

    def counted(calls: list[tuple[str, list[object]]]) -> list[object]:
        asked.append(len(calls))
        return ask_all(calls)

    monkeypatch.setattr(bidding.rpc, "ask_all", counted)
    made = bidding.world.made
    many = Rivals(bidding.rpc, replace(made, pools=made.pools * 5), bidding.book, seed=3)
    many.bid(worths(bidding.world))

    assert 0 < sum(asked) <= COUNT * PAIRS_A_BLOCK * POOLS_A_PAIR * 2  # two reads each at most


def test_of_rivals_who_bid_for_one_gap_one_has_it_and_it_costs_the_others_nothing(
    bidding: Bidding,
) -> None:
    world = bidding.world
    pools = (open_gap(world), world.pool("Uniswap V3", "WETH", "USDC", 500))
    made = replace(world.made, pools=pools)
    rivals = Rivals(bidding.rpc, made, bidding.book, seed=3)
    while len(bidding.book) < COUNT:
        bidding.book.take(0)
        rivals.bid(worths(world))

    bidding.make()

    judged = bidding.builder.judged[bidding.next - 1]
    best = max(judged, key=lambda one: one.paid_wei)
    assert [one for one in judged if one.place >= 0] == [best]
    for one in judged:
        count = int(bidding.rpc.ask("eth_getTransactionCount", one.signer, "latest"), 16)
        before = int(
            bidding.rpc.ask("eth_getTransactionCount", one.signer, hex(bidding.next - 2)), 16
        )
        assert count - before == (2 if one is best else 0)


def test_a_gap_is_as_wide_as_the_contracts_give(bidding: Bidding) -> None:
    world = bidding.world
    open_gap(world)
    pools = [
        one
        for one in world.made.pools
        if one.protocol is Protocol.UNISWAP_V2
        and {world.token("WETH").address, world.token("USDC").address} == set(one.tokens)
    ]
    token = world.token("USDC").address

    gap = best_gap(standings(world.rpc, world.made, pools), token)

    assert gap is not None
    amounts = []
    for pool, path, amount in (
        (gap.first, [gap.token, gap.between], gap.in_raw),
        (gap.second, [gap.between, gap.token], gap.middle_raw),
    ):
        amounts.append(
            world.hands(9).read(
                pool.router, "getAmountsOut(uint256,address[])", ("uint256[]",), amount, path
            )[-1]
        )
    assert amounts[0] >= gap.middle_raw
    assert amounts[1] - gap.in_raw == pytest.approx(gap.gain_raw, rel=1e-3)
