"""What is sent is judged by the gas that it will pay, and refused if it cannot pay the worst."""

import math
from decimal import Decimal

import msgspec
import pytest

from engine.decide.terms import cut_to_terms, worst_quote
from engine.domain.modes import Mode
from engine.domain.opportunities import Reason, Refusal
from engine.domain.plans import AtomicPlan
from tests.execute.test_atomic import GAS_ETH, make_world, plan_of
from tests.reference.world import World

ETH_USD = 2_000


def gain_of(plan: AtomicPlan) -> Decimal:
    """What it gains before gas, its loan paid."""
    return plan.profit_quote + plan.gas.usual_quote


def refusals(world: World) -> list[Refusal]:
    return [
        one.decision
        for one in world.journal.decided
        if one.opportunity.is_on_one_chain and isinstance(one.decision, Refusal)
    ]


def test_a_live_plan_expects_what_a_paper_plan_pays_and_may_pay_more() -> None:
    paper, live = plan_of(make_world()), plan_of(make_world(mode=Mode.LIVE))

    assert live.gas.expected == paper.gas.amount == GAS_ETH
    assert live.gas.amount > 2 * paper.gas.amount
    assert live.profit_quote + live.flash_fee == paper.profit_quote + paper.flash_fee
    assert live.net_edge_bps == paper.net_edge_bps
    assert worst_quote(live) < worst_quote(paper)


def test_what_may_cost_more_than_it_gains_is_refused_at_the_decision_with_both_figures() -> None:
    gain = gain_of(plan_of(make_world()))
    gwei = f"{gain / 2 / (GAS_ETH * ETH_USD):.3f}"
    assert plan_of(make_world(gwei=gwei)).profit_quote > 0

    world = make_world(gwei=gwei, mode=Mode.LIVE)

    assert not world.journal.atomic_plans
    (refusal,) = {(one.reason, one.detail) for one in refusals(world)}
    assert refusal[0] is Reason.GAS_TOO_DEAR
    assert "its gas may cost" in refusal[1]
    assert "is gained (234,000 gas at most)" in refusal[1]


def test_gas_of_live_plans_under_way_is_reserved_at_its_worst() -> None:
    world = make_world(mode=Mode.LIVE)
    plan = plan_of(world)

    assert world.circumstances.live.under_way.gas_usd == plan.gas.quote * plan.usd_per_quote
    assert plan.needs == [((plan.wallet, plan.gas.asset), plan.gas.amount)]


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
def test_what_is_sent_is_paid_for_with_coins_and_wrapped_ones_are_none(mode: Mode) -> None:
    gas = plan_of(make_world(mode=Mode.LIVE)).gas.amount

    enough = make_world(mode=mode, coins=str(gas))
    too_few = make_world(mode=mode, coins=str(gas / 2))

    assert enough.journal.atomic_plans
    assert bool(too_few.journal.atomic_plans) == (mode is Mode.PAPER)
    if mode is Mode.LIVE:
        assert {one.reason for one in refusals(too_few)} == {Reason.BALANCE_TOO_LOW}
        assert "ETH in coins of the" in refusals(too_few)[0].detail


def test_gas_that_rose_since_an_approval_is_paid_within_it_as_long_as_what_is_expected_fits() -> (
    None
):
    terms = plan_of(make_world(mode=Mode.LIVE))
    dearer = msgspec.structs.replace(
        terms, gas=msgspec.structs.replace(terms.gas, amount=2 * terms.gas.amount)
    )
    beyond = msgspec.structs.replace(
        terms,
        gas=msgspec.structs.replace(
            dearer.gas, expected=terms.gas.amount + Decimal("1e-18"), bid=terms.gas.amount
        ),
    )

    cut = cut_to_terms(dearer, terms, worst=worst_quote(terms))

    assert isinstance(cut, AtomicPlan)
    assert (cut.gas.amount, cut.gas.bid) == (terms.gas.amount, terms.gas.bid)
    assert "gas is" in str(cut_to_terms(beyond, terms, worst=worst_quote(terms)))


def test_a_loans_fee_is_agreed_in_whole_units_that_the_lender_may_round_up_to() -> None:
    plan = plan_of(make_world(mode=Mode.LIVE))
    first = plan.steps[0]

    fee_raw = plan.flash_fee.scaleb(first.decimals_in)
    owed_raw = first.amount_in.scaleb(first.decimals_in) * 5 / 10_000

    assert fee_raw == int(fee_raw) == math.ceil(owed_raw)
