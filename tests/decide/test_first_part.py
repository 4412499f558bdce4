"""Which part of a mixed plan goes first: the one that is less likely to come through."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.decide.first_part import FirstPart
from engine.domain.advice import DatedAdvice, InclusionAdvice
from engine.domain.orders import Execution, OrderState, Purpose
from engine.domain.plans import MixedPlan, Part
from engine.market.advice_book import AdviceBook
from engine.portfolio.come_through import LEAST, NEWEST_MAX, ComeThrough
from tests.execute.mixed_worlds import CHEAP, make_mixed_world, open_plan, play_out


@pytest.fixture(scope="module")
def finished() -> tuple[MixedPlan, Execution]:
    world = make_mixed_world(CHEAP)
    plan = open_plan(world)
    return plan, play_out(world).execution


def of(execution: Execution, *, lands: bool, fills: bool) -> Execution:
    assert execution.transaction is not None
    transaction = replace(
        execution.transaction, state=OrderState.FILLED if lands else OrderState.REJECTED
    )
    order = replace(execution.orders[0], state=OrderState.FILLED if fills else OrderState.EXPIRED)
    return replace(execution, transaction=transaction, orders=(order,))


def choose(
    plan: MixedPlan, come_through: ComeThrough, *, advised: float | None = None
) -> tuple[Part, str]:
    book = AdviceBook()
    if advised is not None:
        advice = InclusionAdvice(chain=plan.chain, edges_usd=(0.0,), ratios=((advised,),))
        book.take([DatedAdvice(discovery=1, until_ns=2, advice=advice)], 1)
    rule = FirstPart(advice=book, come_through=come_through)
    return rule.choose(plan.legs, plan.chain, profit_usd=100.0, blocks=1)


def measured(execution: Execution, *, lands: int, fills: int, of_count: int = LEAST) -> ComeThrough:
    found = ComeThrough()
    for number in range(of_count):
        found.add(of(execution, lands=number < lands, fills=number < fills))
    return found


def test_what_is_less_likely_to_come_through_goes_first(
    finished: tuple[MixedPlan, Execution],
) -> None:
    plan, execution = finished
    rare = measured(execution, lands=5, fills=19)
    sure = measured(execution, lands=19, fills=5)

    assert choose(plan, rare) == (
        Part.TRANSACTION,
        "25% of transactions come through, 95% of such orders",
    )
    assert choose(plan, sure)[0] is Part.ORDERS
    assert choose(plan, measured(execution, lands=7, fills=7))[0] is Part.TRANSACTION


def test_as_long_as_either_is_not_measured_the_transaction_goes_first(
    finished: tuple[MixedPlan, Execution],
) -> None:
    plan, execution = finished
    few = measured(execution, lands=LEAST - 1, fills=0, of_count=LEAST - 1)

    assert choose(plan, ComeThrough()) == (Part.TRANSACTION, "nothing is measured of ethereum")
    assert choose(plan, few)[0] is Part.TRANSACTION
    assert choose(plan, ComeThrough(), advised=0.99) == (
        Part.TRANSACTION,
        "nothing is measured of an order",
    )


def test_where_others_are_advised_to_be_ahead_that_counts_if_it_is_worse(
    finished: tuple[MixedPlan, Execution],
) -> None:
    plan, execution = finished
    sure = measured(execution, lands=19, fills=10)

    assert choose(plan, sure)[0] is Part.ORDERS
    assert choose(plan, sure, advised=0.1)[0] is Part.TRANSACTION
    assert choose(plan, measured(execution, lands=5, fills=10), advised=0.9)[0] is Part.TRANSACTION


def test_what_was_withheld_unwound_corrected_or_void_says_nothing(
    finished: tuple[MixedPlan, Execution],
) -> None:
    _, execution = finished
    (order,) = execution.orders
    withheld = replace(order, state=OrderState.CANCELLED, fills=())
    found = ComeThrough()
    for _ in range(LEAST):
        found.add(replace(execution, void="void"))
        found.add(replace(execution, corrects="x"))
        unwound = replace(order, purpose=Purpose.UNWIND)
        found.add(replace(execution, orders=(withheld, unwound), transaction=None))

    assert found.ratio("a") is None
    assert found.ratio("ethereum") is None


def test_only_the_newest_count(finished: tuple[MixedPlan, Execution]) -> None:
    _, execution = finished
    found = measured(execution, lands=LEAST, fills=LEAST)
    for _ in range(NEWEST_MAX):
        found.add(of(execution, lands=False, fills=False))

    assert (found.ratio("a"), found.ratio("ethereum")) == (0.0, 0.0)
    assert Decimal(NEWEST_MAX) > LEAST
