"""Limits let through exactly what they say: a plan at the limit is made, none a hair beyond it."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.decide.bounds.daily_loss import DailyLossLimit
from engine.decide.limits import Draft, Figures, Finding, Verdict
from engine.decide.under_way import exposure_quote, needs
from engine.domain.assets import Amount, AssetCode
from engine.domain.holdings import Holding
from engine.domain.instruments import Instrument, VenueId
from engine.domain.opportunities import Opportunity, Reason, Refusal
from engine.domain.plans import LeggedPlan, Plan
from engine.domain.residuals import Residual
from engine.portfolio.inventory import Inventory
from tests.effort import examples
from tests.execute.test_atomic import make_world as make_chain_world
from tests.reference.world import START_NS, Setup, World, limit_set, make_instrument

HAIR = Decimal("1e-9")
BTC, USD = AssetCode("BTC"), AssetCode("USD")
LOOSE = {"position_usd": 1_000_000, "daily_loss_usd": 1_000_000, "orders_per_minute_max": 1_000}
cents = st.integers(-5_000, 5_000).map(lambda amount: Decimal(amount) / 100)


def open_gap(world: World) -> Opportunity:
    """Show a gap that the pipeline may not trade, so that the test decides on it."""
    world.switches.is_paused = True
    world.show(0, [("100.00", "3")], [("100.10", "3")])
    world.show(1, [("101.00", "3")], [("101.20", "3")])
    world.switches.is_paused = False
    return world.journal.found[0]


def gap_world(residuals: Sequence[Residual] = (), realised_usd: Decimal = Decimal(0)) -> World:
    world = World(Setup(values=limit_set(**LOOSE)))
    world.positions.restore(residuals=residuals, realised_usd=realised_usd, at_ns=START_NS)
    return world


def decide(world: World, opportunity: Opportunity, **limits: Decimal) -> Plan | Refusal:
    """Decide with limits set to this, and let the plan be under way no longer."""
    world.decider.take_limits(limits)
    decision = world.decider.decide(opportunity, world.now_ns)
    if isinstance(decision, Plan):
        world.decider.finished(decision)
    return decision


def plan_without_limits(world: World, opportunity: Opportunity) -> LeggedPlan:
    plan = decide(world, opportunity)
    assert isinstance(plan, LeggedPlan)
    return plan


def put_under_way(world: World, opportunity: Opportunity, count: int) -> None:
    for number in range(count):
        other = replace(opportunity, opportunity_id=f"other-{number}")
        assert isinstance(world.decider.decide(other, world.now_ns), LeggedPlan)


def left_over(held: Decimal, carry: Decimal) -> list[Residual]:
    if not held:
        return []
    return [Residual(venue=VenueId("here"), held=Amount(held, BTC), carry=Amount(carry, USD))]


@settings(max_examples=examples(40))
@given(realised=cents, held=cents, carry=cents, under_way=st.integers(0, 2))
def test_the_loss_of_a_day_counts_residuals_and_plans_under_way_to_the_last_cent(
    realised: Decimal, held: Decimal, carry: Decimal, under_way: int
) -> None:
    world = gap_world(left_over(held, carry), realised)
    opportunity = open_gap(world)
    exposure_usd = exposure_quote(plan_without_limits(world, opportunity).legs)
    put_under_way(world, opportunity, under_way)
    btc_usd = world.valuation.usd_per(BTC, world.now_ns)
    assert btc_usd is not None
    marked_usd = held * btc_usd - carry if held else Decimal(0)
    at_risk_usd = -realised - marked_usd + (under_way + 1) * exposure_usd / 100
    assume(at_risk_usd > 1)

    over = decide(world, opportunity, daily_loss_usd=at_risk_usd - HAIR)
    within = decide(world, opportunity, daily_loss_usd=at_risk_usd)

    assert isinstance(over, Refusal)
    assert over.reason is Reason.DAILY_LOSS_LIMIT
    assert isinstance(within, LeggedPlan)


@settings(max_examples=examples(40))
@given(held=cents, under_way=st.integers(0, 2))
def test_a_position_may_be_as_large_as_its_limit_and_no_larger(
    held: Decimal, under_way: int
) -> None:
    world = gap_world(left_over(held, held * 100))
    opportunity = open_gap(world)
    exposure_usd = exposure_quote(plan_without_limits(world, opportunity).legs)
    put_under_way(world, opportunity, under_way)
    btc_usd = world.valuation.usd_per(BTC, world.now_ns)
    assert btc_usd is not None
    position_usd = abs(held) * btc_usd + (under_way + 1) * exposure_usd

    cut = decide(world, opportunity, position_usd=position_usd - HAIR)
    whole = decide(world, opportunity, position_usd=position_usd)

    assert isinstance(cut, LeggedPlan)
    assert exposure_quote(cut.legs) < exposure_usd
    assert cut.sizing is not None
    assert cut.sizing.limit.startswith("used ")
    assert isinstance(whole, LeggedPlan)
    assert exposure_quote(whole.legs) == exposure_usd


@pytest.mark.parametrize("before", [0, 1, 3])
def test_the_last_order_of_a_minute_may_be_sent_and_no_more(before: int) -> None:
    world = gap_world()
    opportunity = open_gap(world)
    put_under_way(world, opportunity, before)
    sent = world.circumstances.order_rate.last_minute(world.now_ns)

    within = decide(world, opportunity, orders_per_minute_max=Decimal(sent + 2))
    over = decide(world, opportunity, orders_per_minute_max=Decimal(sent + 3))

    assert sent == 2 * before
    assert isinstance(within, LeggedPlan)
    assert isinstance(over, Refusal)  # the plan before sent two
    assert over.reason is Reason.ORDER_RATE_LIMIT


def test_an_edge_of_exactly_the_least_is_enough() -> None:
    world = gap_world()
    opportunity = open_gap(world)
    edge_bps = plan_without_limits(world, opportunity).net_edge_bps

    within = decide(world, opportunity, net_edge_bps_min=edge_bps)
    below = decide(world, opportunity, net_edge_bps_min=edge_bps + Decimal("0.0001"))

    assert isinstance(within, LeggedPlan)
    assert isinstance(below, Refusal)
    assert below.reason is Reason.EDGE_BELOW_MIN


@pytest.mark.parametrize("place", [0, 1])
def test_a_balance_that_just_suffices_is_drawn_to_nothing(place: int) -> None:
    world = gap_world()
    wanted = plan_without_limits(world, open_gap(world))
    drawn = dict(needs(wanted.legs))
    short = list(drawn)[place]

    def with_less(less: Decimal) -> LeggedPlan:
        held = {one: amount - less * (one == short) for one, amount in drawn.items()}

        def inventory(of: Sequence[Instrument]) -> Inventory:
            del of
            return Inventory(
                holdings=[
                    Holding(
                        venue=venue,
                        held=Amount(amount, asset),
                        started=Amount(amount, asset),
                        started_usd=Decimal(1),
                    )
                    for (venue, asset), amount in held.items()
                ]
            )

        poor = World(Setup(values=limit_set(**LOOSE), inventory=inventory))
        return plan_without_limits(poor, open_gap(poor))

    assert with_less(Decimal(0)).legs == wanted.legs
    assert with_less(Decimal("1e-8")).legs[0].size_base < wanted.legs[0].size_base


def test_the_gas_of_transactions_under_way_counts_against_the_loss_of_the_day() -> None:
    world = make_chain_world()
    plans = world.journal.atomic_plans
    gas_usd = sum(plan.gas.quote * plan.usd_per_quote for plan in plans)
    assert len(world.circumstances.under_way) == len(plans) > 0
    draft = Draft(
        opportunity=plans[0].opportunity,
        figures=Figures(
            size_base=Decimal(1),
            profit_quote=Decimal(1),
            net_edge_bps=Decimal(20),
            touches_taken=False,
            exposure_usd=Decimal(0),
            gas_usd=Decimal("1.5"),
            needs=(),
            left_over=(),
            orders=1,
            is_scalable=False,
        ),
    )
    limit = DailyLossLimit.make(world.circumstances)

    def check(usd: Decimal) -> Verdict:
        world.decider.take_limits({"daily_loss_usd": usd})
        return limit.check(draft, world.now_ns)

    over, within = check(gas_usd + Decimal("1.5") - HAIR), check(gas_usd + Decimal("1.5"))
    assert isinstance(over, Finding)
    assert over.reason is Reason.DAILY_LOSS_LIMIT
    assert within is None


def test_a_limit_may_be_as_small_as_makes_sense() -> None:
    world = World(Setup(instruments=[make_instrument("here"), make_instrument("there")]))

    world.decider.take_limits({"orders_per_minute_max": Decimal(2), "net_edge_bps_min": Decimal(0)})

    assert world.circumstances.limits.by_operator["orders_per_minute_max"] == 2
