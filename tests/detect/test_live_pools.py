"""Pools in the live graph: routes through books and pools, costed with gas and flash fees."""

import math
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge
from engine.domain.errors import BadValueError
from engine.domain.opportunities import HopKind, Reason
from engine.domain.pools import Pool, Protocol
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.quote.route import ConfirmedRoute
from engine.sandbox.lineup import load_start_prices
from engine.sandbox.pools import load_pools
from tests.reference.world import Setup, World, make_instrument

ETH, USDT = AssetCode("ETH"), AssetCode("USDT")
GAS_UNITS = 90_000


def pair_of(
    eth: float, usdt: float, *, address: str = "0xpair", fee: str = "0.003"
) -> PoolSnapshot:
    """A constant product pool of ETH and USDT."""
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=address,
        tokens=((ETH, 18), (USDT, 6)),
        fee_ratio=Decimal(fee),
        gas_units=GAS_UNITS,
    )
    row = PairRow(reserve0_raw=str(int(eth * 10**18)), reserve1_raw=str(int(usdt * 10**6)))
    return PoolSnapshot(pool=pool, row=row)


def make_world(*pools: PoolSnapshot, gas_price_gwei: str = "0", flash_fee_bps: str = "0") -> World:
    return World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDT"), make_instrument("a", "ETH-USD")],
            pools=pools,
            gas_price_gwei=gas_price_gwei,
            flash_fee_bps=flash_fee_bps,
        )
    )


def value(world: World) -> None:
    """Let ETH cost 2,000 USD and USDT as much as a dollar."""
    world.show(1, [("1999", "5")], [("2001", "5")])
    world.show(0, [("1999", "5")], [("2001", "5")])
    world.wait(1_100)
    world.tick()


def test_a_book_against_a_pool_is_a_route_net_of_gas_and_transfer() -> None:
    world = make_world(pair_of(1_000, 2_000_000), gas_price_gwei="10")
    value(world)
    assert world.journal.found == []

    world.show(0, [("2050", "5"), ("2049", "500")], [("2051", "5")])

    seen = next(one for one in world.journal.found if len(one.hops) == 2)
    assert [hop.kind for hop in seen.hops] == [HopKind.POOL, HopKind.BOOK]
    assert [hop.venue for hop in seen.hops] == ["uniswap_v2@ethereum", "a"]
    gas_usdt = GAS_UNITS * 10e-9 * 2_000
    assert seen.gas_quote == pytest.approx(gas_usdt, rel=1e-3)
    paid, bought = seen.hops[0].amount_in, seen.hops[0].amount_out
    net_in = paid * 0.997
    assert bought == pytest.approx(1_000 * net_in / (2_000_000 + net_in), rel=1e-9)
    sold = (min(bought, 5) * 2050 + max(bought - 5, 0) * 2049) * 0.999
    assert seen.hops[1].amount_out == pytest.approx(sold, rel=1e-9)
    assert seen.profit_quote == pytest.approx(sold - paid - seen.gas_quote, rel=1e-9)


def test_what_gas_costs_more_than_it_gains_is_no_route() -> None:
    cheap = make_world(pair_of(1, 2_000), gas_price_gwei="0")
    dear = make_world(pair_of(1, 2_000), gas_price_gwei="50")
    for world in (cheap, dear):
        value(world)
        world.show(0, [("2050", "5")], [("2051", "5")])

    assert len(cheap.journal.found) > 0
    assert dear.journal.found == []


def test_without_a_value_of_the_chains_own_coin_no_route_through_a_pool_is_costed() -> None:
    world = make_world(pair_of(1_000, 2_000_000), gas_price_gwei="10")

    world.show(0, [("2050", "5")], [("2051", "5")])
    assert world.journal.found == []

    world.show(1, [("1999", "5")], [("2001", "5")])
    world.wait(1_100)
    world.tick()
    assert {HopKind.POOL} <= {hop.kind for one in world.journal.found for hop in one.hops}


def test_a_gap_between_two_pools_pays_the_flash_fee_and_is_found_once_it_can_be_costed() -> None:
    pools = (
        pair_of(1_000, 2_000_000),
        pair_of(1_000, 2_060_000, address="0xother"),
    )
    free = make_world(*pools, gas_price_gwei="1")
    charged = make_world(*pools, gas_price_gwei="1", flash_fee_bps="5")
    for world in (free, charged):
        value(world)

    without, with_fee = (
        next(
            one
            for one in world.journal.found
            if [hop.kind for hop in one.hops] == [HopKind.POOL, HopKind.POOL]
        )
        for world in (free, charged)
    )

    assert [hop.row for hop in with_fee.hops] == [0, 1]
    assert with_fee.hops[0].amount_in < without.hops[0].amount_in
    paid, got = with_fee.hops[0].amount_in, with_fee.hops[1].amount_out
    assert with_fee.profit_quote == pytest.approx(
        got - paid * 1.0005 - with_fee.gas_quote, rel=1e-9
    )


def test_a_route_ends_when_its_pool_moves_and_a_pool_can_be_removed() -> None:
    world = make_world(pair_of(1_000, 2_000_000))
    value(world)
    world.show(0, [("2050", "5")], [("2051", "5")])
    assert len(world.detector.open_episodes) > 0

    world.detector.on_pools({0: prepare_pool(pair_of(1_000, 2_049_000))}, world.now_ns)
    world.tick()

    assert world.detector.open_episodes == ()
    world.graph.remove_pool(0)
    found = world.detector.found
    world.show(0, [("2500", "5")], [("2501", "5")])
    assert HopKind.POOL not in {hop.kind for one in world.journal.found[found:] for hop in one.hops}
    world.graph.add_pool(0, prepare_pool(pair_of(1_000, 2_000_000)))
    world.show(0, [("2501", "5")], [("2502", "5")])
    assert HopKind.POOL in {hop.kind for one in world.journal.found[found:] for hop in one.hops}


def test_another_pool_under_the_same_number_is_refused_and_changes_nothing() -> None:
    world = make_world(pair_of(1_000, 2_000_000))
    other = prepare_pool(pair_of(1, 2_000, address="0xother"))

    with pytest.raises(BadValueError, match="pool number 0 is not ETH-USDT"):
        world.detector.on_pools({0: other}, world.now_ns)
    with pytest.raises(BadValueError, match="pool number 0 is taken"):
        world.graph.add_pool(0, other)
    with pytest.raises(BadValueError, match="no pool has number 7"):
        world.graph.remove_pool(7)

    assert world.graph.pools[0].snapshot == pair_of(1_000, 2_000_000)


def test_a_route_through_a_pool_is_confirmed_in_whole_units_when_asked() -> None:
    world = make_world(pair_of(1_000, 2_000_000), gas_price_gwei="10")
    value(world)
    world.show(0, [("2050", "5"), ("2049", "500")], [("2051", "5")])
    seen = next(one for one in world.journal.found if len(one.hops) == 2)

    confirmed = world.route_confirmer.confirm(seen)

    assert Reason.NO_EXECUTOR not in world.journal.reasons
    assert world.journal.plans == []
    assert isinstance(confirmed, ConfirmedRoute)
    assert float(confirmed.profit_quote) == pytest.approx(seen.profit_quote, rel=1e-6)


def test_every_pool_of_the_sandbox_has_both_directions_at_its_price() -> None:
    prices = {"ETH": 2685.5, "WBTC": 61838.0, "USDC": 1.0, "USDT": 1.0, "DAI": 1.0}
    for snapshot in load_pools(load_start_prices()):
        prepared = prepare_pool(snapshot)
        assert len(prepared.sides) == len(snapshot.pool.tokens) * (len(snapshot.pool.tokens) - 1)
        for side in prepared.sides:
            wanted = (
                prices[side.source] / prices[side.target] * (1 - float(snapshot.pool.fee_ratio))
            )
            assert math.exp(side.log_rate) == pytest.approx(wanted, rel=2e-3)


def test_a_snapshot_that_no_pool_can_have_is_refused_before_it_reaches_the_graph() -> None:
    bad = replace(pair_of(1, 1), row=PairRow(reserve0_raw="0", reserve1_raw="5"))

    with pytest.raises(BadValueError, match="reserve0_raw"):
        prepare_pool(bad)


def wrapped_world(cost_bps: str, cost_usd: str) -> World:
    """BTC in a book and WBTC in a pool, with a bridge between them."""
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address="0xwbtc",
        tokens=((AssetCode("WBTC"), 8), (USDT, 6)),
        fee_ratio=Decimal("0.003"),
        gas_units=GAS_UNITS,
    )
    row = PairRow(reserve0_raw=str(100 * 10**8), reserve1_raw=str(6_060_000 * 10**6))
    assets = (AssetCode("BTC"), AssetCode("WBTC"))
    bridge = Bridge(assets=assets, cost_bps=Decimal(cost_bps), cost_usd=Decimal(cost_usd))
    world = World(
        Setup(
            instruments=[make_instrument("a", "BTC-USDT"), make_instrument("a", "BTC-USD")],
            pools=[PoolSnapshot(pool=pool, row=row)],
            bridges=[bridge],
        )
    )
    world.show(1, [("59990", "5")], [("60010", "5")])
    world.show(0, [("59990", "5")], [("60010", "5")])
    world.wait(1_100)
    world.tick()
    return world


def test_a_bridge_joins_two_assets_at_its_share_and_its_fixed_cost() -> None:
    world = wrapped_world("10", "5")

    seen = next(one for one in world.journal.found if len(one.hops) == 3)

    assert [hop.kind for hop in seen.hops] == [HopKind.BOOK, HopKind.BRIDGE, HopKind.POOL]
    bridged = seen.hops[1]
    assert (bridged.venue, bridged.place) == ("bridge", "BTC-WBTC")
    assert bridged.amount_out == pytest.approx(bridged.amount_in * 0.999, rel=1e-12)
    assert seen.gas_quote == pytest.approx(5, rel=1e-3)
    paid, got = seen.hops[0].amount_in, seen.hops[-1].amount_out
    assert seen.profit_quote == pytest.approx(got - paid - seen.gas_quote, rel=1e-9)
    confirmed = world.route_confirmer.confirm(seen)
    assert isinstance(confirmed, ConfirmedRoute)
    assert float(confirmed.profit_quote) == pytest.approx(seen.profit_quote, rel=0.02)  # a lot


def test_a_dear_bridge_leads_nowhere() -> None:
    for cost_bps, cost_usd in (("60", "0"), ("10", "5000")):
        assert wrapped_world(cost_bps, cost_usd).journal.found == []


@pytest.mark.parametrize(("cost_bps", "cost_usd"), [("10000", "0"), ("-1", "0"), ("1", "NaN")])
def test_a_bridge_that_takes_all_or_pays_is_refused(cost_bps: str, cost_usd: str) -> None:
    assets = (AssetCode("BTC"), AssetCode("WBTC"))

    with pytest.raises(BadValueError, match="cost of bridge BTC-WBTC is"):
        Bridge(assets=assets, cost_bps=Decimal(cost_bps), cost_usd=Decimal(cost_usd))
