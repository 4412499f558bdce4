"""Plans are no larger than the part of the Kelly bet that what was measured bears."""

from decimal import Decimal
from fractions import Fraction
from statistics import mean, variance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.measured_edge import LEAST_RATIO, MeasuredEdge, kelly_notional
from engine.domain.plans import LeggedPlan
from engine.portfolio.inventory import Inventory
from tests.decide.test_limits import open_gap
from tests.effort import examples
from tests.reference.world import Setup, World, make_holding

CAPITAL_USD = Decimal(100_000)
LOST = MeasuredEdge(count=50, mean=-0.1, squares=100.0)
ratios = st.lists(st.integers(-500, 500).filter(bool).map(lambda n: Decimal(n) / 100), max_size=80)


def measured(came: list[Decimal]) -> MeasuredEdge:
    edge = MeasuredEdge()
    for ratio in came:
        edge = edge.learn(realised_usd=2 * ratio, expected_usd=Decimal(2))
    return edge


def most(edge: MeasuredEdge, *, kelly: str = "0.5", expected: str = "0.01") -> Decimal | None:
    return kelly_notional(
        edge,
        expected_ratio=Decimal(expected),
        kelly_ratio=Decimal(kelly),
        capital_usd=CAPITAL_USD,
    )


def planned(edge: MeasuredEdge, *, kelly: str) -> LeggedPlan:
    """Plan on a gap where about 200,000 USD are held, and so much was measured."""
    world = World(
        Setup(
            kelly_ratio=kelly,
            inventory=lambda of: Inventory(
                holdings=[
                    make_holding(one.venue, asset, "1000")
                    for one in of
                    for asset in (one.pair.base, one.pair.quote)
                ]
            ),
        )
    )
    world.positions.edge = edge
    open_gap(world)
    (plan,) = world.journal.plans
    assert isinstance(plan, LeggedPlan)
    return plan


def limit_of(plan: LeggedPlan) -> str:
    assert plan.sizing is not None
    return plan.sizing.limit


def test_it_is_off_unless_it_is_set() -> None:
    whole, same = planned(LOST, kelly="0"), planned(MeasuredEdge(), kelly="0")

    assert whole.notional_usd == same.notional_usd > 250
    assert limit_of(whole) == ""


def test_a_plan_is_cut_to_the_bet_and_says_by_which_figures() -> None:
    plan = planned(LOST, kelly="0.25")

    assert 195 < plan.notional_usd < 210
    assert "0.25 of Kelly is 20" in limit_of(plan)
    assert "50 trades came to -0.10 of what was expected (variance 2.04)" in limit_of(plan)


@settings(max_examples=examples(40), deadline=None)
@given(ratios, st.integers(1, 100))
def test_no_plan_is_larger_than_without_it(came: list[Decimal], percent: int) -> None:
    edge = measured(came)

    plan = planned(edge, kelly=f"{percent / 100}")

    assert plan.notional_usd <= planned(edge, kelly="0").notional_usd


@settings(max_examples=examples(200), deadline=None)
@given(ratios)
def test_count_mean_and_variance_are_those_of_the_ratios(came: list[Decimal]) -> None:
    edge = measured(came)

    assert edge.count == len(came)
    assert edge.mean == pytest.approx(float(mean(map(Fraction, came))) if came else 0, abs=1e-9)
    expected = float(variance(map(Fraction, came))) if len(came) > 1 else 0
    assert edge.variance == pytest.approx(expected, abs=1e-9)
    assert abs(edge.shrunk_mean) <= abs(edge.mean)


@settings(max_examples=examples(200), deadline=None)
@given(ratios, st.integers(1, 99), st.integers(1, 10))
def test_a_smaller_part_a_worse_mean_or_fewer_trades_never_let_more_through(
    came: list[Decimal], percent: int, worse: int
) -> None:
    whole = most(measured(came), kelly="1")
    part = most(measured(came), kelly=f"{percent / 100}")
    lower = most(measured([one - worse for one in came if one != worse]), kelly="1")

    assert part is None or part >= CAPITAL_USD * LEAST_RATIO
    if whole is not None:
        assert part is not None
        assert part <= whole
        if worse not in came and lower is not None and len(came) > 1:
            assert lower <= whole * (1 + Decimal("1e-6"))


def test_it_is_mean_over_variance_of_the_return() -> None:
    edge = MeasuredEdge(count=70, mean=0.5, squares=69 * 4.0)

    # m = 0.01 * 0.5 * 70 / 100, s² = 0.01² * 4; half of m / s² of the capital.
    assert most(edge) == pytest.approx(CAPITAL_USD * Decimal("4.375"))


@pytest.mark.parametrize("count", [0, 1, 500])
def test_without_a_gain_that_was_measured_next_to_nothing_is_bet(count: int) -> None:
    lost = MeasuredEdge(count=count, mean=-0.1 if count else 0.0, squares=count * 2.0)

    assert most(lost) == CAPITAL_USD * LEAST_RATIO


def test_one_trade_alone_bears_no_bet() -> None:
    assert most(measured([Decimal(1)])) == CAPITAL_USD * LEAST_RATIO
    assert most(measured([Decimal(1)] * 2)) is None


def test_what_filled_nothing_or_corrects_another_is_no_bet() -> None:
    edge = MeasuredEdge().learn(realised_usd=Decimal(0), expected_usd=Decimal(1))

    assert edge.learn(realised_usd=Decimal(1), expected_usd=Decimal(0)) == MeasuredEdge()
