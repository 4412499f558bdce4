"""What a plan may leave us with is the most that any of its legs turns about, at its limit."""

from decimal import Decimal

import pytest

from engine.decide.under_way import PlansUnderWay, exposure_quote
from engine.domain.opportunities import Leg, Side
from engine.domain.plans import Part
from tests.execute.live_mixed import live_plan
from tests.execute.mixed_worlds import BETWEEN, make_mixed_world, open_plan
from tests.reference.world import make_instrument


def leg(venue: str, side: Side, *, size: str, limit: str, notional: str) -> Leg:
    return Leg(
        instrument=make_instrument(venue),
        side=side,
        size_base=Decimal(size),
        price_limit=Decimal(limit),
        notional_quote=Decimal(notional),
        fee_quote=Decimal(0),
        frame_seq=1,
    )


@pytest.mark.parametrize(("sold_for", "exposure"), [("25", 25), ("15", 20)])
def test_the_exposure_of_a_gap_is_its_dearer_leg(sold_for: str, exposure: int) -> None:
    bought = leg("here", Side.BUY, size="2", limit="10", notional="18")
    sold = leg("there", Side.SELL, size="2", limit="7", notional=sold_for)

    assert exposure_quote([bought, sold]) == exposure


def test_the_exposure_of_a_route_of_three_counts_each_leg_by_what_the_first_pays() -> None:
    """A route from ETH: what its middle leg receives is counted in no asset of the first leg."""
    sold = leg("here", Side.SELL, size="2", limit="10", notional="20")
    bought = Leg(
        instrument=make_instrument("here", "ETH-USD"),
        side=Side.BUY,
        size_base=Decimal(50),
        price_limit=Decimal("0.5"),
        notional_quote=Decimal(20),
        fee_quote=Decimal(0),
        frame_seq=1,
    )
    last = Leg(
        instrument=make_instrument("here", "BTC-ETH"),
        side=Side.BUY,
        size_base=Decimal("2.1"),
        price_limit=Decimal(25),
        notional_quote=Decimal(50),
        fee_quote=Decimal(0),
        frame_seq=1,
    )

    # The first pays 2 BTC; the second, at its limit, 25 of 20 USD, the third 52.5 of 50 ETH.
    assert exposure_quote([sold, bought, last]) == 2 * Decimal("2.5")


@pytest.mark.parametrize("first", Part)
def test_a_live_plan_of_both_holds_its_venue_its_wallet_and_its_gas_until_it_is_booked(
    first: Part,
) -> None:
    plan, under_way = live_plan(BETWEEN, first), PlansUnderWay()
    bought, sold = plan.legs
    wallet, first_step = plan.wallet, plan.steps[0]

    under_way.add(plan)

    assert under_way.venues == {bought.venue}, "a wallet is no venue"
    assert under_way.usd_at(bought.venue) >= 2 * plan.notional_usd * Decimal("0.99")
    assert under_way.reserved((bought.venue, bought.source)) >= bought.given
    assert under_way.reserved((sold.venue, sold.source)) == sold.size_base
    reserved = under_way.reserved((wallet, first_step.source))
    assert reserved == first_step.amount_in + plan.gas.amount
    under_way.remove(plan.plan_id)
    assert under_way.venues == frozenset()
    assert under_way.reserved((wallet, first_step.source)) == 0


def test_a_paper_plan_of_both_is_under_way_at_no_venue_for_real() -> None:
    under_way = PlansUnderWay()

    under_way.add(open_plan(make_mixed_world(BETWEEN)))

    assert under_way.venues == frozenset()
