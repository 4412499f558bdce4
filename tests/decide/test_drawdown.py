"""Realised profit falls no further below its highest point than a person allows."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.bounds.drawdown import DRAWDOWN_USD
from engine.decide.under_way import exposure_quote
from engine.domain.drawdown import Drawdown, parse_since
from engine.domain.errors import BadValueError
from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Reason, Refusal
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.portfolio.positions import Positions
from tests.decide.test_limit_edges import HAIR, decide, gap_world, plan_without_limits
from tests.decide.test_limit_edges import open_gap as show_gap
from tests.decide.test_limits import SHAPES, Step, all_steps, open_gap
from tests.effort import examples
from tests.execute.test_atomic import make_world, plan_of
from tests.reference.world import START_NS, Setup, World, limit_set

cents = st.integers(-5_000, 5_000).map(lambda amount: Decimal(amount) / 100)


def fallen_world(fallen_usd: str, limit_usd: str) -> World:
    world = World(Setup(values=limit_set(drawdown_usd=Decimal(limit_usd))))
    world.positions.restore(
        residuals=[], realised_usd=Decimal(0), at_ns=START_NS, drawdown_usd=Decimal(fallen_usd)
    )
    return world


def test_once_it_is_reached_no_day_lifts_it_but_a_person_does() -> None:
    world = fallen_world("60", "80")
    world.decider.take_limits({"drawdown_usd": Decimal(60)})
    open_gap(world)
    world.lose(0)
    world.now_ns = (START_NS // NS_PER_DAY + 40) * NS_PER_DAY
    open_gap(world)
    assert world.journal.reasons == [Reason.DRAWDOWN_LIMIT] * 2

    world.lose(0)
    world.decider.take_limits({})  # a person takes the tighter word back
    open_gap(world)

    assert len(world.journal.plans) == 1


def test_what_a_plan_may_lose_is_reserved_and_not_a_hair_more() -> None:
    world = gap_world()
    opportunity = show_gap(world)
    plan = plan_without_limits(world, opportunity)
    reserve_usd = exposure_quote(plan.legs) / 100
    world.positions.restore(
        residuals=[], realised_usd=Decimal(0), at_ns=START_NS, drawdown_usd=Decimal(30)
    )

    over = decide(world, opportunity, drawdown_usd=30 + reserve_usd - HAIR)
    within = decide(world, opportunity, drawdown_usd=30 + reserve_usd + HAIR)

    assert isinstance(over, Refusal)
    assert over.reason is Reason.DRAWDOWN_LIMIT
    assert not isinstance(within, Refusal)


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
@pytest.mark.parametrize("fallen", Money)
def test_a_fall_stops_plans_of_its_own_money_alone(mode: Mode, fallen: Money) -> None:
    world = make_world(mode=mode)
    plan = plan_of(world)
    world.taken_pools.release(plan.plan_id)
    account = world.circumstances.account(fallen)
    account.positions.restore(
        residuals=(),
        realised_usd=Decimal(0),
        at_ns=world.now_ns,
        drawdown_usd=DRAWDOWN_USD.default,
    )

    decision = world.decider.decide(plan.opportunity, world.now_ns)

    if (mode is Mode.LIVE) == (fallen is Money.LIVE):
        assert isinstance(decision, Refusal)
        assert decision.reason is Reason.DRAWDOWN_LIMIT
    else:
        assert not isinstance(decision, Refusal)


@settings(max_examples=examples(200), deadline=None)
@given(
    st.lists(st.tuples(cents, st.integers(0, 3 * NS_PER_DAY), st.booleans()), max_size=40),
)
def test_the_fall_is_that_below_the_highest_sum_over_any_days_and_restarts(
    steps: list[tuple[Decimal, int, bool]],
) -> None:
    positions, sums, now_ns = Positions(), [Decimal(0)], START_NS
    for usd, later_ns, restarts in steps:
        now_ns += later_ns
        if restarts:
            fallen_usd, positions = positions.drawdown_usd, Positions()
            positions.restore(residuals=(), realised_usd=usd, at_ns=now_ns, drawdown_usd=fallen_usd)
        positions.spend(usd, now_ns)
        sums.append(sums[-1] - usd)

        assert positions.drawdown_usd == max(sums) - sums[-1]


@settings(max_examples=examples(120), deadline=None)
@given(steps=all_steps)
def test_no_sequence_of_events_makes_a_plan_beyond_it(steps: list[Step]) -> None:
    limit_usd = Decimal(4)
    world = World(Setup(values=limit_set(position_usd=Decimal(300), drawdown_usd=limit_usd)))
    plans = 0
    for step in steps:
        world.wait(step.wait_ms)
        bid, ask = SHAPES[step.shape]
        if step.event == 2:
            world.lose(step.book)
        else:
            world.show(step.book, [(bid, str(step.size))], [(ask, str(step.size))])
        fallen = Drawdown()
        for one in world.journal.finished:
            fallen.add(one.execution.realised_usd)

        assert world.positions.drawdown_usd == fallen.usd
        assert fallen.usd <= limit_usd
        if len(world.journal.plans) > plans:
            plans = len(world.journal.plans)
            assert fallen.usd < limit_usd


@pytest.mark.parametrize(
    ("text", "since_s"),
    [("", 0), ("1970-01-02", 86_400), ("1970-01-02T00:01Z", 86_460), ("1970-01-03", 172_800)],
)
def test_a_day_or_a_minute_in_utc_says_since_when_it_counts(text: str, since_s: int) -> None:
    assert parse_since(text, at_ns=172_800 * NS_PER_S) == since_s * NS_PER_S


@pytest.mark.parametrize("text", ["1970-01-03T00:01Z", "1970-02-30"])
def test_no_day_that_is_none_or_still_to_come_forgives_a_loss(text: str) -> None:
    with pytest.raises(BadValueError, match=text):
        parse_since(text, at_ns=172_800 * NS_PER_S)
