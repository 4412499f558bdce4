"""Orders of a plan asked for by one question: each as if alone, and all of them or none."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.domain.errors import FatalError
from engine.domain.orders import Purpose
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import LeggedPlan, digest_of_plan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.words import Approved, sealed_word
from engine.gateways.asks import PlaceAsk
from engine.gateways.venue_signing import LegIntent, PlanIntent, PlanSigned, VenueIntent
from engine.signing.venue_caps import ORDERS_CAP
from tests.signing.saying import WORD_KEY
from tests.signing.venue_intents import (
    NOW_NS,
    TERMS,
    VENUES,
    Signer,
    make_place,
    make_plan,
    make_unwinding,
)

K = RefusalKind


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[Signer]:
    made = Signer(tmp_path / "journal")
    yield made
    made.close()


def leg_of(intent: VenueIntent) -> LegIntent:
    """Return an order of a question of its own as one of several."""
    assert isinstance(intent.ask, PlaceAsk)
    return LegIntent(
        request=intent.ask.request, client_order_id=intent.client_order_id, leg=intent.leg
    )


def asked(plan: LeggedPlan | None = None, **changes: Any) -> PlanIntent:
    """Return what is asked for both legs of a plan."""
    plan = plan or make_plan()
    orders = tuple(leg_of(make_place(plan, leg=leg)) for leg in range(len(plan.legs)))
    return msgspec.structs.replace(PlanIntent(plan=plan, orders=orders), **changes)


def kind(reply: PlanSigned | SignRefusal) -> RefusalKind | None:
    return reply.kind if isinstance(reply, SignRefusal) else None


def used(signer: Signer) -> dict[str, int]:
    return {cap: amount for cap, amount in signer.caps.used.items() if amount}


def test_they_are_signed_and_counted_as_each_would_be_alone(signer: Signer) -> None:
    intent, other = asked(), Signer()

    reply = signer.desk.sign_together(intent)

    assert isinstance(reply, PlanSigned)
    assert list(reply.orders) == [other.sign(one) for one in intent.intents()]
    assert used(signer) == used(other)
    assert intent.intents() == (make_place(), make_place(leg=1))
    signer.restart()
    assert [signer.kind(one) for one in intent.intents()] == [K.REPEAT, K.REPEAT]
    other.close()


def test_if_one_is_refused_none_is_kept_or_counted(signer: Signer) -> None:
    plan = make_plan()
    intent = asked(plan)
    first, second = intent.orders
    large = msgspec.structs.replace(second.request, size_base=Decimal("0.6"))
    wrong = (first, msgspec.structs.replace(second, request=large))

    assert kind(signer.desk.sign_together(asked(plan, orders=wrong))) is K.ORDER

    assert used(signer) == {}
    signer.restart()
    assert kind(signer.desk.sign_together(intent)) is None


def test_a_cap_that_takes_the_first_alone_takes_none_of_them() -> None:
    signer = Signer(terms=replace(TERMS, notional_day_usd=Decimal(50_000)))

    assert kind(signer.desk.sign_together(asked())) is K.CAP

    assert used(signer) == {}
    assert signer.kind(make_place()) is None
    signer.close()


def test_two_orders_of_one_leg_or_under_one_id_are_never_signed_together(signer: Signer) -> None:
    first, _ = asked().orders
    half = msgspec.structs.replace(first.request, size_base=Decimal("0.3"))
    of_one_leg = msgspec.structs.replace(
        make_place(name="other", request={"size_base": Decimal("0.3")}), leg=0
    )
    twice = msgspec.structs.replace(
        first,
        client_order_id="other",
        request=of_one_leg.ask.request,  # type: ignore[union-attr]
    )
    under_its_id = make_place(leg=1, name=first.client_order_id)
    for orders in (
        (msgspec.structs.replace(first, request=half), twice),
        (first, leg_of(under_its_id)),
        (),
    ):
        assert kind(signer.desk.sign_together(asked(orders=orders))) is K.ORDER
    assert used(signer) == {}


def test_a_latch_or_a_closed_venue_stops_them(signer: Signer) -> None:
    signer.why = SignRefusal(kind=K.KILLED, detail="killed")
    assert kind(signer.desk.sign_together(asked())) is K.KILLED
    signer.why, signer.why_closed = None, "not today"
    assert kind(signer.desk.sign_together(asked())) is K.MODE


def test_what_was_signed_before_is_not_signed_again_though_another_is_new(signer: Signer) -> None:
    assert signer.kind(make_place()) is None
    before = used(signer)

    assert kind(signer.desk.sign_together(asked())) is K.REPEAT

    assert used(signer) == before


def test_an_approval_is_used_up_by_all_of_them_once(signer: Signer) -> None:
    terms = make_plan()
    permit = Permit(kind=PermitKind.APPROVAL, id="a1", digest=digest_of_plan(terms))
    intent = asked(make_plan(2, permit=permit), approved=terms)
    assert kind(signer.desk.sign_together(intent)) is K.PERMIT
    word = Approved(engine="main", by="ann", at_ns=NOW_NS, digest=digest_of_plan(terms))
    signer.words.hear(sealed_word(word, WORD_KEY), NOW_NS)

    assert kind(signer.desk.sign_together(intent)) is None

    again = asked(make_plan(3, permit=permit), approved=terms)
    assert kind(signer.desk.sign_together(again)) is K.PERMIT


def test_legs_are_traded_back_together_only_after_the_plan_began(signer: Signer) -> None:
    plan = make_plan()
    orders = tuple(
        LegIntent(request=one.ask.request, client_order_id=one.client_order_id, leg=one.leg)  # type: ignore[union-attr]
        for one in (make_unwinding(plan, leg=leg, name=f"back-{leg}") for leg in (0, 1))
    )
    back = PlanIntent(plan=plan, purpose=Purpose.UNWIND, orders=orders)
    assert kind(signer.desk.sign_together(back)) is K.ORDER
    assert kind(signer.desk.sign_together(asked(plan))) is None

    assert kind(signer.desk.sign_together(back)) is None

    assert signer.caps.used[ORDERS_CAP] == 2


def test_nothing_is_answered_that_is_not_on_disk(signer: Signer) -> None:
    signer.journal._database.execute("pragma query_only = on")

    with pytest.raises(FatalError, match="nothing is signed"):
        signer.desk.sign_together(asked())

    signer.journal._database.execute("pragma query_only = off")
    assert kind(signer.desk.sign_together(asked())) is None


@pytest.mark.parametrize("venue", VENUES)
def test_a_rehearsal_keeps_counts_and_signs_nothing(
    venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, other, signed = Signer(), Signer(), list[object]()
    intent = asked(make_plan(venues=(venue, "kraken" if venue != "kraken" else "binance")))
    monkeypatch.setattr(signer.desk._venues[venue], "sign", signed.append)

    for one in (intent, msgspec.structs.replace(intent, orders=()), intent):
        signer.desk.rehearse(one)

    monkeypatch.undo()
    assert signed == []
    assert used(signer) == {}
    assert signer.desk.sign_together(intent) == other.desk.sign_together(intent)
    signer.close()
    other.close()
