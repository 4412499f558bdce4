"""What is lost or held with one kind of money says nothing of what may be done with the other."""

from decimal import Decimal

import pytest

from engine.domain.assets import Amount
from engine.domain.holdings import Deposit
from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Reason, Refusal
from engine.domain.plans import Plan
from tests.execute.test_atomic import make_world, plan_of

LOST_USD = Decimal(-600)
"""The limit of a day is 500."""


def after_a_loss(mode: Mode, lost: Money) -> Plan | Refusal:
    """Decide on a gap in a mode once money of a kind was lost today."""
    world = make_world(mode=mode)
    plan = plan_of(world)
    world.taken_pools.release(plan.plan_id)
    account = world.circumstances.account(lost)
    account.positions.restore(residuals=(), realised_usd=LOST_USD, at_ns=world.now_ns)
    return world.decider.decide(plan.opportunity, world.now_ns)


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
@pytest.mark.parametrize("lost", Money)
def test_a_loss_stops_plans_of_its_own_money_alone(mode: Mode, lost: Money) -> None:
    decision = after_a_loss(mode, lost)

    if (mode is Mode.LIVE) == (lost is Money.LIVE):
        assert isinstance(decision, Refusal)
        assert decision.reason is Reason.DAILY_LOSS_LIMIT
    else:
        assert not isinstance(decision, Refusal)


def test_nothing_is_sent_for_gas_that_nobody_has_read_on_its_chain() -> None:
    world = make_world(mode=Mode.LIVE)
    plan = plan_of(world)
    world.taken_pools.release(plan.plan_id)
    live = world.circumstances.live
    gas = (plan.wallet, plan.gas.asset)
    free = live.inventory.held(gas) - live.under_way.reserved(gas)
    live.inventory.take(
        Deposit(
            venue=plan.wallet,
            added=Amount(-free, plan.gas.asset),
            started=Amount(Decimal(0), plan.gas.asset),
            started_usd=Decimal(0),
        )
    )

    decision = world.decider.decide(plan.opportunity, world.now_ns)

    assert world.inventory.held(gas) > 0  # of paper there is enough
    assert isinstance(decision, Refusal)
    assert decision.reason is Reason.BALANCE_TOO_LOW


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
def test_a_plan_is_under_way_in_the_books_of_its_own_money(mode: Mode) -> None:
    world = make_world(mode=mode)

    money, other = Money if mode is Mode.PAPER else reversed(Money)
    assert world.journal.atomic_plans
    assert len(world.circumstances.account(other).under_way) == 0
    assert world.circumstances.account(money).under_way.gas_usd > 0
