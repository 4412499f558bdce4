"""Pools of several chains: what a route through them costs, and that no flash loan spans two."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.opportunities import HopKind, Opportunity
from engine.market.gas_book import GasBook
from engine.pools.snapshots import PoolSnapshot
from engine.quote.route import ConfirmedRoute
from engine.quote.route_values import values_of_opportunity
from tests.detect.test_live_pools import GAS_UNITS, pair_of
from tests.reference.world import Setup, World, make_instrument

CHEAP, DEAR = 2_000_000, 2_060_000
GWEI = {"ethereum": "10", "arbitrum": "0.1", "base": "0.2", "bnb": "3"}


def pool_on(chain: str, usdt: float, *, address: str = "0xpair") -> PoolSnapshot:
    snapshot = pair_of(1_000, usdt, address=address)
    return PoolSnapshot(pool=replace(snapshot.pool, chain=chain), row=snapshot.row)


def make_world(*pools: PoolSnapshot, gwei: dict[str, str] | None = None) -> World:
    """Books that value ETH and USDT, and a third that may value BNB."""
    by_chain = dict(GWEI if gwei is None else gwei)
    world = World(
        Setup(
            instruments=[make_instrument("a", f"{asset}-USD") for asset in ("ETH", "USDT", "BNB")],
            pools=pools,
            gas_price_gwei=by_chain.pop("ethereum", "0"),
            gas_elsewhere_gwei=by_chain,
            flash_fee_bps="5",
            transfer_bps="20",
        )
    )
    world.show(0, [("1990", "5")], [("2010", "5")])
    world.show(1, [("0.99", "5")], [("1.01", "5")])
    tick(world)
    return world


def tick(world: World) -> None:
    world.wait(1_100)
    world.tick()


def through_pools(world: World) -> list[Opportunity]:
    return [
        one
        for one in world.journal.found
        if all(hop.kind is HopKind.POOL for hop in one.hops) and one.quote == "USDT"
    ]


@pytest.mark.parametrize("chain", ["ethereum", "arbitrum"])
def test_a_route_through_pools_of_one_chain_pays_its_flash_fee_and_its_gas(chain: str) -> None:
    world = make_world(pool_on(chain, CHEAP), pool_on(chain, DEAR, address="0xother"))

    (seen,) = through_pools(world)

    assert {hop.venue for hop in seen.hops} == {f"uniswap_v2@{chain}"}
    assert seen.is_on_one_chain
    assert seen.gas_quote == pytest.approx(2 * GAS_UNITS * float(GWEI[chain]) * 1e-9 * 2_000)
    paid, got = seen.hops[0].amount_in, seen.hops[1].amount_out
    assert seen.profit_quote == pytest.approx(got - paid * 1.0005 - seen.gas_quote, rel=1e-9)


def test_a_route_over_two_chains_pays_transfers_and_no_flash_fee_though_both_are_one_protocol() -> (
    None
):
    world = make_world(pool_on("arbitrum", CHEAP), pool_on("base", DEAR))

    (seen,) = through_pools(world)
    exact = world.route_confirmer.confirm(seen)

    assert [hop.venue for hop in seen.hops] == ["uniswap_v2@arbitrum", "uniswap_v2@base"]
    assert not seen.is_on_one_chain
    assert seen.venue_changes == 2
    assert seen.gas_quote == pytest.approx(GAS_UNITS * 0.3e-9 * 2_000)
    paid, got = seen.hops[0].amount_in, seen.hops[1].amount_out
    assert seen.profit_quote == pytest.approx(got - paid * 1.002 - seen.gas_quote, rel=1e-9)
    assert isinstance(exact, ConfirmedRoute)
    assert float(exact.profit_quote) == pytest.approx(seen.profit_quote, rel=1e-6)


def test_the_gas_of_two_chains_has_no_one_price_to_break_even_at() -> None:
    world = make_world(pool_on("arbitrum", CHEAP), pool_on("base", DEAR))
    (seen,) = through_pools(world)

    values = values_of_opportunity(
        seen,
        pools=world.graph.pools,
        slippage_bps=Decimal(0),
        transfer_bps=Decimal(20),
        flash_fee_bps=Decimal(5),
        gas=GasBook({chain: Decimal(gwei) for chain, gwei in GWEI.items()}),
    )

    assert float(values.profit_expected) == pytest.approx(seen.profit_quote, rel=1e-9)
    assert values.gas_price_break_even_gwei is None


def test_pools_of_a_chain_without_a_price_of_gas_are_in_no_route() -> None:
    pools = pool_on("base", CHEAP), pool_on("base", DEAR, address="0xother")

    assert through_pools(make_world(*pools, gwei={"ethereum": "10"})) == []
    assert len(through_pools(make_world(*pools))) == 1


def test_a_chain_is_paid_in_its_own_asset_and_waits_for_what_that_is_worth() -> None:
    pools = pool_on("bnb", CHEAP), pool_on("bnb", DEAR, address="0xother")
    world = make_world(*pools)
    assert through_pools(world) == []

    world.show(2, [("599", "5")], [("601", "5")])
    tick(world)

    (seen,) = through_pools(world)
    assert seen.gas_quote == pytest.approx(2 * GAS_UNITS * 3e-9 * 600, rel=1e-3)


def test_a_parallel_pool_of_another_chain_makes_a_shared_route_pay_transfers() -> None:
    world = make_world(
        pool_on("arbitrum", CHEAP),
        pool_on("arbitrum", DEAR, address="0xother"),
        pool_on("base", CHEAP),
    )
    seen = next(one for one in through_pools(world) if one.is_on_one_chain)

    split = world.split_confirmer.confirm(seen, world.now_ns)

    assert split is not None
    assert {part.place.chain for leg in split.legs for part in leg} == {"arbitrum", "base"}
    gained = split.route.got - split.route.paid * Decimal("1.002") - split.route.profit_quote
    assert float(gained) == pytest.approx(GAS_UNITS * 0.4e-9 * 2_000, rel=1e-3)
