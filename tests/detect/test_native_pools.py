"""A chain whose coin no book trades has its gas costed by what its own pools give for the coin."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.detect.graph.native_pools import ASKED_MAX
from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.market.valuation import Valuation
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.reference.world import SECOND, Setup, World, make_instrument

POL, ETH, USDC = AssetCode("POL"), AssetCode("ETH"), AssetCode("USDC")
TOKENS = {POL: 18, ETH: 18, USDC: 6}


def pool(
    one: AssetCode, other: AssetCode, held: tuple[str, str], *, address: str, chain: str = "polygon"
) -> PoolSnapshot:
    """A constant product pool of two tokens, which holds so many of each."""
    what = Pool(
        chain=chain,
        protocol=Protocol.QUICKSWAP_V2,
        address=address,
        tokens=((one, TOKENS[one]), (other, TOKENS[other])),
        fee_ratio=Decimal("0.003"),
        gas_units=90_000,
    )
    raw = [
        int(Decimal(amount).scaleb(TOKENS[of]))
        for of, amount in zip((one, other), held, strict=True)
    ]
    return PoolSnapshot(pool=what, row=PairRow(reserve0_raw=str(raw[0]), reserve1_raw=str(raw[1])))


def world(*pools: PoolSnapshot) -> World:
    made = World(Setup(instruments=[make_instrument("a", "USDC-USD")], pools=pools))
    made.show(0, [("0.99", "5")], [("1.01", "5")])
    return made


DEEP = pool(POL, USDC, ("1000000", "400000"), address="0x1")


def test_a_coin_is_worth_the_middle_of_a_pools_two_ways_whatever_its_fee() -> None:
    ((other, rate),) = world(DEEP).graph.native_pools.rates(POL)

    assert other == USDC
    assert rate == pytest.approx(Decimal("0.4"), rel=Decimal("1e-4"))


def test_no_other_asset_and_no_coin_of_another_chain_is_valued_so() -> None:
    foreign = pool(POL, USDC, ("1", "9000"), address="0x2", chain="ethereum")
    graph = world(foreign, pool(ETH, USDC, ("5", "9000"), address="0x3")).graph

    assert graph.native_pools.rates(POL) == []
    assert graph.native_pools.rates(ETH) == []


def test_a_pool_that_is_stale_or_gone_says_nothing() -> None:
    made = world(DEEP, pool(USDC, POL, ("500", "1000"), address="0x4"))
    assert len(made.graph.native_pools.rates(POL)) == 2

    made.graph.change_pools({0: None})
    assert [rate for _, rate in made.graph.native_pools.rates(POL)] == [
        pytest.approx(Decimal("0.5"), rel=Decimal("1e-2"))
    ]
    made.graph.remove_pool(1)
    assert made.graph.native_pools.rates(POL) == []
    without = pool(ETH, USDC, ("5", "9000"), address="0x5")
    made.graph.add_pool(1, prepare_pool(without))
    assert made.graph.native_pools.rates(POL) == [], "its number is another pool's by now"


def test_so_many_pools_are_asked_and_the_first_ones() -> None:
    many = [pool(POL, USDC, ("1000", f"{400 + n}"), address=f"0x{n + 9}") for n in range(9)]
    graph = world(*many).graph

    rates = [rate for _, rate in graph.native_pools.rates(POL)]
    assert len(rates) == ASKED_MAX
    assert rates == sorted(rates)
    assert rates[-1] < Decimal("0.406")
    graph.change_pools({0: prepare_pool(replace(many[0], row=DEEP.row))})
    assert graph.native_pools.rates(POL)[0][1] == pytest.approx(Decimal("0.4"), rel=Decimal("1e-4"))


def test_with_books_that_value_what_stands_beside_it_the_coin_has_a_value_in_usd() -> None:
    made = world(DEEP)
    valuation = Valuation(made.board, age_ns_max=SECOND, beside=made.graph.native_pools.rates)

    assert valuation.usd_per(POL, made.now_ns) == pytest.approx(Decimal("0.4"), rel=Decimal("1e-4"))
    assert valuation.usd_per(POL, made.now_ns + 2 * SECOND) is None
