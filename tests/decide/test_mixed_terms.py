"""What an approval of a mixed plan allows: bounds of both parts, and what goes first."""

from decimal import Decimal

import msgspec
import pytest

from bot.render.approvals import render_asked
from bot.render.screen import Facts
from engine.bus.notices import ApprovalAsked
from engine.decide.terms import cut_to_terms, worst_quote
from engine.domain.approvals import Approval, ApprovalAct
from engine.domain.mandates import strategy_of
from engine.domain.modes import Basis, Mode
from engine.domain.plans import MixedPlan, Part, decode_plan, digest_of_plan
from tests.execute.mixed_worlds import (
    BETWEEN,
    CHEAP,
    DEAR,
    make_mixed_world,
    open_plan,
    play_out,
)
from tests.reference.world import World

LOW = Decimal(-1_000_000)


@pytest.fixture(scope="module")
def plan() -> MixedPlan:
    return open_plan(make_mixed_world(BETWEEN))


def cut(plan: MixedPlan, terms: MixedPlan, worst: Decimal = LOW) -> MixedPlan | str:
    found = cut_to_terms(plan, terms, worst=worst)
    assert isinstance(found, MixedPlan | str)
    return found


def with_step(plan: MixedPlan, number: int, **changes: Decimal) -> MixedPlan:
    steps = list(plan.steps)
    steps[number] = msgspec.structs.replace(steps[number], **changes)
    return msgspec.structs.replace(plan, steps=tuple(steps))


def test_a_plan_is_within_its_own_terms(plan: MixedPlan) -> None:
    assert cut(plan, plan, worst_quote(plan)) == plan


@pytest.mark.parametrize("pool", [DEAR, CHEAP, BETWEEN])
def test_the_worst_is_what_its_bounds_and_its_gas_allow(pool: object) -> None:
    plan = open_plan(make_mixed_world(pool))  # type: ignore[arg-type]  # of a parametrized test

    worst = worst_quote(plan)

    paid = plan.parts[0].given
    assert plan.profit_quote - paid * (len(plan.parts)) * Decimal("0.0006") < worst
    assert worst < plan.profit_quote


def test_what_goes_first_is_as_was_approved(plan: MixedPlan) -> None:
    now = msgspec.structs.replace(plan, first=Part.ORDERS, first_why="other figures")

    assert cut(now, plan) == plan


def test_what_is_looser_is_not_within(plan: MixedPlan) -> None:
    step = plan.steps[0]
    gas = msgspec.structs.replace(plan.gas, amount=plan.gas.amount * 2)
    legs = (
        msgspec.structs.replace(plan.legs[0], size_base=plan.legs[0].size_base * 2),
        plan.legs[1],
    )

    assert "gas is" in str(cut(msgspec.structs.replace(plan, gas=gas), plan))
    assert "takes" in str(cut(with_step(plan, 0, amount_in=step.amount_in * 2), plan))
    assert "takes" in str(cut(msgspec.structs.replace(plan, legs=legs), plan))
    low = step.amount_out_min * Decimal("0.99")
    assert "gives" in str(cut(with_step(plan, 0, amount_out=low, amount_out_min=low), plan))
    assert "at the least" in str(cut(plan, plan, plan.profit_quote + 1))
    elsewhere = msgspec.structs.replace(plan.steps[0], address="0xother")
    other = msgspec.structs.replace(plan, steps=(elsewhere,))
    assert cut(other, plan) == "it is another transaction"


def test_a_looser_least_is_cut_to_the_one_that_was_approved(plan: MixedPlan) -> None:
    step = plan.steps[0]
    loose = with_step(plan, 0, amount_out_min=step.amount_out_min * Decimal("0.9"))

    assert cut(loose, plan) == plan


def test_a_smaller_one_has_to_give_as_much_for_each_unit(plan: MixedPlan) -> None:
    half = plan.with_input(plan.steps[0].amount_in / 2)
    legs = tuple(
        msgspec.structs.replace(
            leg, size_base=leg.size_base / 2, notional_quote=leg.notional_quote / 2
        )
        for leg in plan.legs
    )
    half = msgspec.structs.replace(half, legs=legs)

    found = cut(half, plan)

    assert isinstance(found, MixedPlan)
    assert abs(found.steps[-1].amount_out_min * 2 - plan.steps[-1].amount_out_min) <= Decimal(
        "4e-8"
    )
    assert isinstance(cut(found, plan), MixedPlan), "what is cut once is within"
    assert cut(found, plan) == found


def test_it_is_stored_and_digested_as_what_it_is(plan: MixedPlan) -> None:
    stored = msgspec.json.encode(plan).decode()

    assert decode_plan(stored) == plan
    assert digest_of_plan(plan) != digest_of_plan(msgspec.structs.replace(plan, first=Part.ORDERS))
    assert strategy_of(plan.opportunity) == "mixed"


def test_it_says_what_is_held_or_short_meanwhile(plan: MixedPlan) -> None:
    bought, sold = plan.meanwhile
    assert (bought.is_held, bought.asset, bought.at) == (False, "ETH", "ethereum")
    assert (sold.is_held, sold.asset, sold.at) == (True, "BTC", "ethereum")

    bought, sold = msgspec.structs.replace(plan, first=Part.ORDERS).meanwhile
    assert (bought.is_held, bought.asset, bought.at) == (True, "ETH", "a")
    assert (sold.is_held, sold.asset, sold.at) == (False, "BTC", "a")


def test_a_person_is_asked_for_both_parts_and_what_is_carried_out_is_what_was_approved() -> None:
    world = make_mixed_world(BETWEEN, mode=Mode.APPROVE)
    approval = next(one for one in world.journal.asked if isinstance(one.plan, MixedPlan))
    terms = approval.plan
    assert isinstance(terms, MixedPlan)
    assert approval.worst_quote == worst_quote(terms)
    assert world.journal.intents == []

    answer(world, approval, ApprovalAct.APPROVE)
    finished = play_out(world)

    assert finished.plan.permit is not None
    assert finished.plan.permit.digest == digest_of_plan(terms)
    assert finished.plan.first == terms.first
    for leg, bound in zip(finished.plan.legs, terms.legs, strict=True):
        assert leg.size_base <= bound.size_base
    assert finished.execution.profit_quote >= approval.worst_quote


def answer(world: World, approval: Approval, act: ApprovalAct) -> None:
    world.pipeline.before_input(world.now_ns)
    world.pipeline.answer_approval(
        approval.approval_id, act, by="me", digest=approval.digest, at_ns=world.now_ns
    )
    world.pipeline.after_input(world.now_ns)


def test_a_prompt_shows_what_goes_first_and_what_that_risks() -> None:
    world = make_mixed_world(BETWEEN, mode=Mode.APPROVE)
    approval = next(one for one in world.journal.asked if isinstance(one.plan, MixedPlan))
    asked = ApprovalAsked(at_ns=1, basis=Basis.SANDBOX, approval=approval, nonce="n")

    (facts,) = render_asked(asked, note="").blocks

    assert isinstance(facts, Facts)
    rows = dict(facts.rows)
    assert rows["First"] == "transaction, then orders"
    assert rows["Chain"] == "ethereum, 1 swaps, all or nothing"
    assert {"Give", "Get", "Gas", "Buy", "Sell", "Risk"} <= set(rows)
    risks = [text for name, text in facts.rows if name == "Risk"]
    assert ["short at ethereum" in risks[0], "held at ethereum" in risks[1]] == [True, True]
