"""What transactions pay for gas in a day is bounded, whatever they earn."""

from decimal import Decimal

import pytest

from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Reason, Refusal
from engine.domain.plans import AtomicPlan
from engine.domain.units import NS_PER_DAY
from engine.portfolio.positions import Positions
from tests.decide.test_limit_edges import HAIR
from tests.execute.test_atomic import land, make_world, plan_of
from tests.reference.world import START_NS, World, limit_set


def paid(usd: str, at_ns: int = START_NS) -> dict[str, object]:
    return {
        "residuals": (),
        "realised_usd": Decimal(0),
        "at_ns": at_ns,
        "gas_usd": Decimal(usd),
    }


def gas_of(plan: AtomicPlan) -> Decimal:
    return plan.gas.quote * plan.usd_per_quote


def decided(world: World, plan: AtomicPlan, *, limit_usd: Decimal) -> Reason | None:
    """Decide anew on a route of which a plan is under way."""
    world.taken_pools.release(plan.plan_id)
    world.decider.take_limits({"gas_day_usd": limit_usd})
    decision = world.decider.decide(plan.opportunity, world.now_ns)
    return decision.reason if isinstance(decision, Refusal) else None


def test_what_was_paid_and_what_may_be_is_held_and_not_a_hair_more() -> None:
    for above, reason in ((-HAIR, Reason.GAS_DAY_LIMIT), (HAIR, None)):
        world = make_world()
        plan = plan_of(world)
        world.positions.restore(**paid("12.5", world.now_ns))  # type: ignore[arg-type]
        used = Decimal("12.5") + world.circumstances.under_way.gas_usd

        assert decided(world, plan, limit_usd=used + gas_of(plan) + above) is reason


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
@pytest.mark.parametrize("spent", Money)
def test_gas_of_one_money_bounds_that_alone(mode: Mode, spent: Money) -> None:
    world = make_world(mode=mode, values=limit_set(gas_day_usd=Decimal(1_000)))
    plan = plan_of(world)
    account = world.circumstances.account(spent)
    account.positions.restore(**paid("1000", world.now_ns))  # type: ignore[arg-type]

    reason = decided(world, plan, limit_usd=Decimal(1_000))

    is_same = (mode is Mode.LIVE) == (spent is Money.LIVE)
    assert (reason is Reason.GAS_DAY_LIMIT) == is_same


def test_what_a_trade_paid_counts_although_it_earned_and_until_the_day_ends() -> None:
    world = make_world()
    plan = plan_of(world)
    land(world)

    (ended,) = (one for one in world.journal.atomic if one.plan is plan)
    receipt = ended.execution.transaction.receipt  # type: ignore[union-attr]
    assert receipt is not None
    assert receipt.gas_quote > 0
    assert ended.execution.profit_usd > 0
    spent_usd = sum(
        one.execution.gas_quote * one.plan.usd_per_quote
        for one in world.journal.atomic
        if one.execution.gas_quote is not None
    )
    assert world.positions.gas_usd(world.now_ns) == spent_usd
    assert world.positions.gas_usd(world.now_ns + NS_PER_DAY) == 0


def test_a_chore_counts_and_no_step_of_the_clock_forgets_it() -> None:
    positions = Positions()
    positions.spend(Decimal(3), START_NS)

    positions.step_clock(2 * NS_PER_DAY, START_NS + 2 * NS_PER_DAY)

    assert positions.gas_usd(START_NS + 2 * NS_PER_DAY) == 3
