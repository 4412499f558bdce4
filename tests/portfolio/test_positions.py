"""Residuals, what they cost, what closing them realises, and the profit of each UTC day."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.assets import Amount, AssetCode
from engine.domain.instruments import VenueId
from engine.domain.orders import Execution
from engine.domain.plans import LeggedPlan
from engine.domain.residuals import LastPrice, Residual
from engine.domain.units import NS_PER_DAY, NS_PER_HOUR
from engine.portfolio.leftovers import UsdPer, Valued
from engine.portfolio.positions import DAYS_MAX, Positions
from tests.reference.gaps import make_gap
from tests.reference.world import START_NS, make_instrument

USD, BTC = AssetCode("USD"), AssetCode("BTC")
HERE = make_instrument("here")
PLAN = LeggedPlan(
    plan_id="p",
    opportunity=make_gap(HERE, HERE),
    decided_at_ns=0,
    deadline_ns=0,
    legs=(),
    profit_quote=Decimal(0),
    transfer_quote=Decimal(0),
    net_edge_bps=Decimal(0),
    notional_usd=Decimal(0),
    usd_per_quote=Decimal(1),
)
EXECUTION = Execution(
    execution_id="x",
    plan_id="p",
    opportunity_id="r-1",
    closed_at_ns=START_NS,
    orders=(),
    quote=USD,
    profit_quote=Decimal(0),
    profit_usd=Decimal(0),
    expected_usd=Decimal(0),
)


def left_over(base: str, carry: str, *, at_ns: int = START_NS) -> Execution:
    residual = Residual(venue=HERE.venue, held=Amount.of(base, BTC), carry=Amount.of(carry, USD))
    return replace(EXECUTION, residuals=(residual,), closed_at_ns=at_ns)


def usd_at(price: str | None) -> UsdPer:
    def usd_per(asset: AssetCode) -> Decimal | None:
        if asset == USD:
            return Decimal(1)
        return None if price is None else Decimal(price)

    return usd_per


def test_a_residual_is_marked_against_what_it_was_filled_for() -> None:
    positions = Positions()
    positions.add(PLAN, left_over("0.5", "50"))

    usd_per = usd_at("90")

    assert positions.exposure(usd_per, START_NS) == Valued(usd=Decimal(45))
    assert positions.marked(usd_per, START_NS) == Valued(usd=Decimal(-5))


def test_without_a_live_price_the_last_known_one_counts_against_us_by_its_age() -> None:
    positions = Positions()
    positions.add(PLAN, left_over("0.5", "50"))
    positions.note_prices(usd_at("90"), START_NS, most=2)
    gone = usd_at(None)

    young = positions.exposure(gone, START_NS + NS_PER_HOUR - 1)
    old = positions.exposure(gone, START_NS + 9 * NS_PER_HOUR)

    assert young == Valued(usd=Decimal("49.5"), unpriced=frozenset([BTC]))
    assert old.usd == Decimal("67.5"), "never more than half of it worse"
    assert positions.marked(gone, START_NS).usd == Decimal("40.5") - 50


def test_what_is_owed_without_a_live_price_is_taken_to_have_become_dearer() -> None:
    positions = Positions()
    positions.add(PLAN, left_over("-0.5", "-50"))
    positions.note_prices(usd_at("90"), START_NS, most=2)

    assert positions.marked(usd_at(None), START_NS).usd == 50 - Decimal("49.5")
    assert positions.exposure(usd_at(None), START_NS).usd == Decimal("49.5")


def test_dust_without_a_live_price_counts_but_is_in_no_ones_way() -> None:
    positions = Positions()
    positions.add(PLAN, left_over("0.006", "0.6"))

    found = positions.exposure(usd_at(None), START_NS)

    assert Decimal("0.9") <= found.usd < Decimal("0.9001"), "half of it worse: it is of long ago"
    assert found.unpriced == frozenset()


def test_crumbs_of_many_places_are_no_dust_together() -> None:
    positions = Positions()
    positions.restore(
        residuals=[
            Residual(venue=VenueId(f"v{n}"), held=Amount.of("0.009", BTC), carry=Amount.of(1, USD))
            for n in range(2)
        ],
        realised_usd=Decimal(0),
        at_ns=START_NS,
        last_prices=[LastPrice(asset=BTC, usd=Decimal(100), at_ns=START_NS)],
    )

    assert positions.exposure(usd_at(None), START_NS).unpriced == {BTC}


def test_what_never_had_a_price_is_not_guessed() -> None:
    positions = Positions()
    positions.restore(
        residuals=[
            Residual(venue=HERE.venue, held=Amount.of("0.5", BTC), carry=Amount.of(50, USD))
        ],
        realised_usd=Decimal(0),
        at_ns=START_NS,
    )

    assert positions.exposure(usd_at(None), START_NS).unknown == BTC
    assert positions.marked(usd_at(None), START_NS).unknown == BTC


def test_residuals_that_cancel_realise_their_difference_on_that_day() -> None:
    positions = Positions()
    positions.add(PLAN, left_over("0.5", "50"))

    closing = positions.add(PLAN, left_over("-0.5", "-55", at_ns=START_NS + NS_PER_DAY))

    assert closing.correction_quote == 5
    assert closing.correction_usd == 5

    assert positions.residuals == ()
    assert positions.realised_usd(START_NS) == 0
    assert positions.realised_usd(START_NS + NS_PER_DAY) == 5


def test_a_restored_residual_is_marked_and_closed_like_one_of_this_run() -> None:
    positions = Positions()
    positions.restore(
        residuals=[
            Residual(venue=VenueId("here"), held=Amount.of("0.5", BTC), carry=Amount.of(60, USD))
        ],
        realised_usd=Decimal(-7),
        at_ns=START_NS,
    )
    usd_per = usd_at("100")

    assert positions.exposure(usd_per, START_NS).usd == 50
    assert positions.marked(usd_per, START_NS).usd == -10
    positions.add(PLAN, left_over("-0.5", "-55"))

    assert positions.residuals == ()
    assert positions.realised_usd(START_NS) == -12


def test_profit_is_booked_on_the_utc_day_on_which_it_was_made() -> None:
    positions = Positions()
    midnight_ns = (START_NS // NS_PER_DAY + 1) * NS_PER_DAY
    for closed_at_ns, profit in ((midnight_ns - 1, "3"), (midnight_ns, "4")):
        made = replace(EXECUTION, closed_at_ns=closed_at_ns, profit_usd=Decimal(profit))
        positions.add(PLAN, made)

    assert positions.realised_usd(midnight_ns - 1) == 3
    assert positions.realised_usd(midnight_ns) == 4


def test_a_value_that_changes_where_nothing_is_left_over_is_realised_at_once() -> None:
    positions = Positions()

    late = positions.add(PLAN, replace(left_over("0", "5"), corrects="x"))

    assert late.correction_quote == -5, "its profit counts what nothing carries any more"
    assert positions.residuals == ()
    assert positions.realised_usd(START_NS) == -5


def test_of_the_days_beyond_those_that_are_kept_the_oldest_goes() -> None:
    positions = Positions()
    for day in range(DAYS_MAX + 1):
        positions.restore(residuals=[], realised_usd=Decimal(day + 1), at_ns=day * NS_PER_DAY)

    assert positions.realised_usd(0) == 0
    assert positions.realised_usd(NS_PER_DAY) == 2
    assert positions.realised_usd(DAYS_MAX * NS_PER_DAY) == DAYS_MAX + 1


@pytest.mark.parametrize("step_hours", [-3, 3])
def test_a_clock_that_is_set_makes_no_last_price_older_or_younger(step_hours: int) -> None:
    positions = Positions()
    positions.restore(
        residuals=[
            Residual(
                venue=VenueId("here"),
                held=Amount.of("1", AssetCode("BTC")),
                carry=Amount.of("100", AssetCode("USD")),
            )
        ],
        realised_usd=Decimal(0),
        at_ns=START_NS,
        last_prices=[LastPrice(asset=AssetCode("BTC"), usd=Decimal(100), at_ns=START_NS)],
    )
    at_ns, step_ns = START_NS + 2 * NS_PER_HOUR, step_hours * NS_PER_HOUR
    before = positions.exposure(lambda _asset: None, at_ns)

    positions.step_clock(step_ns, at_ns + step_ns)

    assert positions.exposure(lambda _asset: None, at_ns + step_ns) == before
    assert positions.exposure(lambda _asset: None, at_ns + step_ns + NS_PER_HOUR) != before
