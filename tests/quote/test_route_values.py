"""Decision values of screened opportunities are those of their amounts and costs."""

from decimal import Decimal

import pytest

from engine.market.gas_book import GasBook
from engine.quote.route_values import values_of_opportunity
from tests.detect.test_live_pools import make_world, pair_of, value
from tests.reference.world import Setup, World, make_instrument


def test_a_gaps_values_follow_from_its_screened_amounts() -> None:
    world = World(Setup(instruments=[make_instrument("a"), make_instrument("b")], transfer_bps="2"))
    world.show(0, [("99", "1")], [("100", "1")])
    world.show(1, [("101", "1")], [("102", "1")])
    (seen,) = world.journal.found

    values = values_of_opportunity(
        seen,
        pools=world.graph.pools,
        slippage_bps=Decimal(5),
        transfer_bps=Decimal(2),
        flash_fee_bps=Decimal(9),
        gas=GasBook({"ethereum": Decimal(10)}),
    )

    assert float(values.profit_expected) == pytest.approx(seen.profit_quote, rel=1e-9)
    got = seen.hops[-1].amount_out
    worst = seen.profit_quote - got * (1 - 0.9995**2)
    assert float(values.profit_worst) == pytest.approx(worst, rel=1e-9)
    assert float(values.kill_move_ratio) == pytest.approx(seen.profit_quote / got, rel=1e-9)
    assert values.gas_price_break_even_gwei is None
    assert (values.confidence.value, values.confidence.basis) == (None, "uncalibrated")


def test_a_pools_route_breaks_even_at_a_gas_price_above_the_one_it_gains_at() -> None:
    world = make_world(
        pair_of(1_000, 2_000_000),
        pair_of(1_000, 2_060_000, address="0xother"),
        gas_price_gwei="10",
        flash_fee_bps="5",
    )
    value(world)
    seen = next(one for one in world.journal.found if one.is_on_one_chain)

    values = values_of_opportunity(
        seen,
        pools=world.graph.pools,
        slippage_bps=Decimal(0),
        transfer_bps=Decimal(2),
        flash_fee_bps=Decimal(5),
        gas=GasBook({"ethereum": Decimal(10)}),
    )

    assert float(values.profit_expected) == pytest.approx(seen.profit_quote, rel=1e-9)
    price = values.gas_price_break_even_gwei
    assert price is not None
    before_gas = seen.profit_quote + seen.gas_quote
    assert float(price) == pytest.approx(10 * before_gas / seen.gas_quote, rel=1e-9)
