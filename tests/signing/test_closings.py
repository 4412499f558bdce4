"""What closes a leftover is signed by a person's word on its very terms alone, in any mode."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from engine.domain.opportunities import Side
from engine.domain.orders import Purpose
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import Closes, LeggedPlan, digest_of_plan
from engine.domain.signing import RefusalKind as K
from tests.signing.saying import approved
from tests.signing.venue_intents import (
    NOW_NS,
    Signer,
    make_leg,
    make_place,
    make_plan,
    make_unwinding,
)


def terms_of(**changes: Any) -> LeggedPlan:
    """Return what closes half a BTC that was filled for more than it brings."""
    fields: dict[str, Any] = {
        "legs": (make_leg("kraken", Side.SELL),),
        "closes": Closes(held=Decimal("0.5"), carry=Decimal(30_500)),
        "profit_quote": Decimal(-530),
        "net_edge_bps": Decimal(-176),
    }
    return make_plan(7, **fields | changes)


def said_yes(terms: LeggedPlan) -> LeggedPlan:
    permit = Permit(kind=PermitKind.APPROVAL, id=terms.plan_id, digest=digest_of_plan(terms))
    return structs.replace(terms, permit=permit)


def kind(terms: LeggedPlan, plan: LeggedPlan | None = None, *, is_heard: bool = True) -> K | None:
    """Return why the order of a plan is refused, after a word for the terms or none."""
    signer = Signer()
    if is_heard:
        signer.words.hear(approved(terms, at_ns=NOW_NS), NOW_NS)
    return signer.kind(make_place(plan or said_yes(terms), approved=terms))


def test_what_a_person_said_yes_to_is_signed_although_it_loses() -> None:
    assert kind(terms_of()) is None


def test_what_nobody_said_yes_to_is_not() -> None:
    terms = terms_of()

    assert kind(terms, is_heard=False) is K.PERMIT
    assert kind(terms, terms) is K.PERMIT
    by_mandate = structs.replace(terms, permit=Permit(kind=PermitKind.MANDATE, id="m1"))
    assert kind(terms, by_mandate) is K.PERMIT


@pytest.mark.parametrize(
    "looser",
    [
        {"legs": (make_leg("kraken", Side.SELL, size="0.51"),)},
        {"legs": (make_leg("kraken", Side.SELL, price="59000"),)},
        {"legs": (make_leg("gemini", Side.SELL),)},
        {"closes": Closes(held=Decimal("0.6"), carry=Decimal(30_500))},
    ],
)
def test_it_is_no_looser_than_what_was_said_yes_to(looser: dict[str, object]) -> None:
    terms = terms_of()
    plan = structs.replace(said_yes(terms), **looser)

    assert kind(terms, plan) in {K.PERMIT, K.PLAN}


@pytest.mark.parametrize(
    "wrong",
    [
        {"legs": (make_leg("kraken", Side.BUY),)},
        {"legs": (make_leg("kraken", Side.SELL), make_leg("gemini", Side.SELL))},
        {"closes": Closes(held=Decimal("0.4"), carry=Decimal(30_500))},
        {"closes": Closes(held=Decimal("-0.5"), carry=Decimal(-30_500))},
    ],
)
def test_even_a_word_signs_nothing_that_trades_more_or_the_other_way(
    wrong: dict[str, object],
) -> None:
    assert kind(terms_of(**wrong)) is K.PLAN


def test_it_is_signed_once_and_nothing_of_it_is_traded_back() -> None:
    terms = terms_of()
    plan, signer = said_yes(terms), Signer()
    signer.words.hear(approved(terms, at_ns=NOW_NS), NOW_NS)

    assert signer.kind(make_place(plan, approved=terms)) is None
    assert signer.kind(make_place(plan, approved=terms, name=f"{plan.plan_id}-o2")) is K.ORDER
    assert signer.kind(make_unwinding(plan, approved=terms)) in {K.PLAN, K.ORDER}
    assert make_unwinding(plan).purpose is Purpose.UNWIND


def test_a_plan_that_loses_and_closes_nothing_stays_refused() -> None:
    assert kind(terms_of(closes=terms_of().closes, legs=make_plan().legs)) is K.PLAN
    assert Signer().kind(make_place(make_plan(profit_quote=Decimal(-1)))) is K.PROFIT
