"""Residuals, what they cost, what closing them realises, and the profit of each UTC day."""

from dataclasses import replace
from decimal import Decimal

from engine.domain.assets import Amount, AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Plan
from engine.domain.orders import Execution
from engine.domain.residuals import Residual
from engine.domain.units import NS_PER_DAY
from engine.portfolio.positions import Positions, UsdPer
from tests.reference.world import START_NS, make_gap, make_instrument

USD, BTC = AssetCode("USD"), AssetCode("BTC")
HERE = make_instrument("here")
PLAN = Plan(
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

    assert positions.exposure_usd(usd_per) == 45
    assert positions.marked_usd(usd_per) == -5


def test_without_a_price_neither_exposure_nor_mark_is_guessed() -> None:
    positions = Positions()
    positions.add(PLAN, left_over("0.5", "50"))
    usd_per = usd_at(None)

    assert positions.exposure_usd(usd_per) is None
    assert positions.marked_usd(usd_per) is None


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

    assert positions.exposure_usd(usd_per) == 50
    assert positions.marked_usd(usd_per) == -10
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
