"""The campaign that counts what is captured finds what is there, and names what became of it."""

from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import sqrt

import msgspec
import pytest

from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound
from engine.domain.assets import AssetCode
from engine.domain.opportunities import Hop, HopKind
from engine.domain.pools import Pool, Protocol
from engine.domain.told import Fate, TransactionNews
from engine.pools.constant_product import ConstantProductState
from engine.sandbox.world.rpc import Rpc
from tests.chains.conftest import start_local
from tests.scenarios.capture.accounts import (
    AROUND_NS,
    Account,
    Cause,
    Decided,
    cause_of,
    decided_of,
    pools_of,
    table,
)
from tests.scenarios.capture.brute_force import Chance, Cycles
from tests.scenarios.capture.witness import Episode, Witness

ETH, USDC, WBTC = (AssetCode(one) for one in ("ETH", "USDC", "WBTC"))
USD = {ETH: 2_000.0, USDC: 1.0, WBTC: 60_000.0}
FEE = 0.003
SECOND_NS = 10**9


def pool(address: str, one: tuple[AssetCode, int], other: tuple[AssetCode, int]) -> Pool:
    return Pool(
        chain="base",
        protocol=Protocol.UNISWAP_V2,
        address=address,
        tokens=(one, other),
        fee_ratio=Decimal("0.003"),
        gas_units=100_000,
    )


def state(reserve0_raw: int, reserve1_raw: int) -> ConstantProductState:
    return ConstantProductState.of(
        reserve0_raw=reserve0_raw, reserve1_raw=reserve1_raw, fee0=Fraction(3, 1_000)
    )


CHEAP = pool("0xcheap", (ETH, 18), (USDC, 6))
DEAR = pool("0xdear", (ETH, 18), (USDC, 6))
STATES = {
    "0xcheap": state(1_000 * 10**18, 2_000_000 * 10**6),
    "0xdear": state(1_000 * 10**18, 2_060_000 * 10**6),
}


def chance() -> Chance:
    (found,) = Cycles([CHEAP, DEAR]).chances(STATES, USD, gas_unit_usd=0.0)
    return found


def test_a_gap_between_two_pairs_is_found_at_its_best_size() -> None:
    found = chance()

    # Two products in a row are one: most is left where its slope is 1.
    x1, y1, x2, y2 = 1_000.0, 2_060_000.0, 2_000_000.0, 1_000.0
    g = 1 - FEE
    paid_eth = (sqrt(g * g * x1 * y1 * x2 * y2) - x1 * x2) / (g * (x2 + g * y1))
    assert [one.pool.address for one in found.swaps] == ["0xdear", "0xcheap"]
    assert found.paid_usd == pytest.approx(paid_eth * 2_000, rel=0.001)
    assert found.gain_usd > 0
    assert found.net_usd == found.gain_usd


def test_gas_is_taken_off_and_what_it_eats_is_no_chance() -> None:
    cycles = Cycles([CHEAP, DEAR])
    gain_usd = chance().gain_usd

    (half,) = cycles.chances(STATES, USD, gas_unit_usd=gain_usd / 400_000)
    assert half.net_usd == pytest.approx(gain_usd / 2)
    assert not cycles.chances(STATES, USD, gas_unit_usd=gain_usd / 199_000)


def test_a_gap_within_fees_is_none() -> None:
    states = STATES | {"0xdear": state(1_000 * 10**18, 2_010_000 * 10**6)}

    assert not Cycles([CHEAP, DEAR]).chances(states, USD, gas_unit_usd=0.0)


def test_a_cycle_of_three_is_found_and_of_two_that_share_a_pool_the_better_counts() -> None:
    across = pool("0xacross", (WBTC, 8), (ETH, 18))
    dollars = pool("0xdollars", (WBTC, 8), (USDC, 6))
    states = STATES | {
        "0xacross": state(100 * 10**8, 3_200 * 10**18),
        "0xdollars": state(100 * 10**8, 6_000_000 * 10**6),
    }

    found = Cycles([CHEAP, DEAR, across, dollars]).chances(states, USD, gas_unit_usd=0.0)

    assert {len(one.swaps) for one in found} == {3}
    assert found[0].addresses == {"0xacross", "0xdollars", "0xdear"}


def episode() -> Episode:
    return Episode(
        chain="base",
        best=chance(),
        first=5,
        last=6,
        from_ns=100 * SECOND_NS,
        to_ns=102 * SECOND_NS,
    )


def decided(outcome: str, *, at_s: float = 101) -> Decided:
    return Decided(
        opportunity_id="r-1",
        seen_at_ns=int(at_s * SECOND_NS),
        closed_at_ns=int(at_s * SECOND_NS),
        outcome=outcome,
        pools=pools_of(chance()),
        chain="base",
    )


def news(fate: Fate, why: str = "") -> dict[str, TransactionNews]:
    told = TransactionNews(client_order_id="r-1-p-t", version=1, fate=fate, why=why)
    return {"r-1": told}


@pytest.mark.parametrize(
    ("decision", "told", "cause"),
    [
        (decided("planned"), news(Fate.SUCCEEDED), Cause.CAPTURED),
        (decided("planned"), news(Fate.REVERTED), Cause.OUTBID),
        (decided("planned"), news(Fate.CANCELLED, "cancelled: outbid in block 7"), Cause.OUTBID),
        (decided("planned"), news(Fate.CANCELLED), Cause.SENT_LATE),
        (decided("planned"), news(Fate.NEVER, "gas costs 5 wei"), Cause.GAS),
        (decided("planned"), news(Fate.NEVER, "its time was over 3 ms ago"), Cause.LATE),
        (decided("planned"), news(Fate.NEVER, "it reverts: ProfitTooLow"), Cause.MOVED),
        (decided("gas_too_dear"), {}, Cause.GAS),
        (decided("liquidity_taken"), {}, Cause.OWN),
        (decided("order_rate_limit"), {}, Cause.LIMIT),
        (decided("likely_taken"), {}, Cause.LIKELY_TAKEN),
        (decided("chat_blind"), {}, Cause.UNNAMED),
        (decided("planned"), {}, Cause.UNNAMED),
        (decided("planned", at_s=110), news(Fate.SUCCEEDED), Cause.UNNAMED),
    ],
)
def test_a_chance_is_what_came_of_the_decision_about_its_pools_in_its_time(
    decision: Decided, told: dict[str, TransactionNews], cause: Cause
) -> None:
    assert cause_of(episode(), [decision], told, live_from_ns=0) is cause


def test_a_chance_before_the_mode_was_live_counts_for_nothing() -> None:
    account = Account(chain="base")
    account.add(cause_of(episode(), [], {}, live_from_ns=101 * SECOND_NS), 5.0)

    assert account.total == 0
    assert AROUND_NS < 2 * SECOND_NS


def test_what_is_below_the_least_edge_is_lost_to_that_limit_without_a_decision() -> None:
    low = chance()._replace(gain_usd=chance().paid_usd * 14e-4)

    assert cause_of(replace(episode(), best=low), [], {}, live_from_ns=0) is Cause.EDGE


def test_a_row_of_the_ledger_is_read_and_one_with_a_book_is_none_of_these() -> None:
    def hop(kind: HopKind, source: AssetCode, target: AssetCode) -> Hop:
        return Hop(
            kind=kind,
            venue=CHEAP.venue,
            place="ETH-USDC 0.3 %",
            row=1,
            source=source,
            target=target,
            amount_in=1.0,
            amount_out=1.0,
            frame_seq=1,
            chain="base",
        )

    both = [hop(HopKind.POOL, USDC, ETH), hop(HopKind.POOL, ETH, USDC)]
    row = ("r-1", 5, None, "planned", msgspec.json.encode(both).decode())
    found = decided_of(row)

    assert found is not None
    assert found.pools == pools_of(chance())
    mixed = [hop(HopKind.BOOK, USDC, ETH), both[1]]
    assert decided_of((*row[:4], msgspec.json.encode(mixed).decode())) is None


def test_the_table_has_each_cause_that_there_was_and_the_share_that_has_a_name() -> None:
    account = Account(chain="base")
    for cause in (Cause.CAPTURED, Cause.CAPTURED, Cause.GAS, Cause.UNNAMED):
        account.add(cause, 10.0)

    assert account.named_ratio == Decimal("0.75")
    assert "| captured | 2 (20 $) |" in table([account])
    assert "75.0 % of 4" in table([account])
    assert str(Cause.OUTBID) not in table([account])


@pytest.mark.slow
async def test_a_witness_notes_a_chance_for_the_blocks_that_offer_it_and_no_longer() -> None:
    local = start_local("base")
    async with AsyncExitStack() as stack:
        stack.callback(local.close)
        way = await stack.enter_async_context(open_outbound(None))
        node = await stack.enter_async_context(
            open_pool([Access(name="witness", http_url=local.node.url)], way)
        )
        rpc = stack.enter_context(Rpc(local.node.url))
        witness = Witness("base", local.node.url, ChainReader(node))
        pair = local.pool("Uniswap V2", "WETH", "USDC")
        head = await witness.look(rpc, None)
        quiet = len(witness.seen.episodes)
        local.swap(pair, "WETH", 30)
        head = await witness.look(rpc, head)
        local.transfer("USDC", local.made.accounts[5], 1)
        head = await witness.look(rpc, head)
        local.swap(pair, "USDC", 30 * 2_685.5)
        await witness.look(rpc, head)

    found = [one for one in witness.seen.episodes if pair.address in one.best.addresses]
    assert quiet == 0
    assert [one.last - one.first for one in found] == [1]
    assert found[0].best.net_usd > 10
    assert (witness.seen.blocks, witness.seen.anew) == (4, 1)
