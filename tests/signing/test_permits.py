"""By whose word the signer signs: what persons said is known by the chat's seal alone."""

from collections.abc import Callable
from dataclasses import replace as dataclass_replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.mandates import PLANS_MAX, Scope, ScopeKind
from engine.domain.networks import Network
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import AtomicPlan, digest_of_plan
from engine.domain.signing import Purpose, RefusalKind, Signed, SigningIntent, SignRefusal
from engine.domain.units import NS_PER_S
from engine.domain.words import SealedWord
from engine.signing.desk import SigningDesk
from engine.signing.journal import Journal
from engine.signing.words import FRESH_NS, NO_CHAT, Words
from tests.signing.intents import (
    GWEI,
    NOW_NS,
    TERMS,
    kind_of,
    make_intent,
    make_plan,
)
from tests.signing.saying import approved, granted, went_live
from tests.signing.test_policy import desk_of

replace = msgspec.structs.replace

Reply = Signed | SignRefusal


def by_approval(plan: AtomicPlan, terms: AtomicPlan | None = None, **changes: Any) -> SigningIntent:
    """Ask for a plan by an approval of terms, of itself unless it is said."""
    terms = terms or plan
    permit = Permit(kind=PermitKind.APPROVAL, id="a1", digest=digest_of_plan(terms))
    return make_intent(replace(plan, permit=permit), approved=terms, **changes)


def by_mandate(plan: AtomicPlan, name: str = "m1", **changes: Any) -> SigningIntent:
    permit = Permit(kind=PermitKind.MANDATE, id=name)
    return make_intent(replace(plan, permit=permit), **changes)


def hears(desk: SigningDesk, *said: SealedWord) -> None:
    for one in said:
        desk.words.hear(one, NOW_NS)


def says(reply: Reply) -> str:
    assert isinstance(reply, SignRefusal), reply
    assert reply.kind is RefusalKind.PERMIT, reply
    return reply.detail


# ---- approvals --------------------------------------------------------------------------------

TERMS_OF = make_plan()


async def test_a_plan_that_a_person_approved_is_signed_and_one_that_nobody_did_is_not() -> None:
    with desk_of() as desk:
        assert "no person approved these terms" in says(await desk.sign(by_approval(TERMS_OF)))
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS))
        assert kind_of(await desk.sign(by_approval(TERMS_OF))) is None


async def test_bounds_that_a_plan_does_not_use_up_do_not_hinder_it() -> None:
    plan = make_plan()
    looser = make_plan(
        gas=replace(plan.gas, amount=Decimal(1)),
        flash_fee=Decimal(1),
        profit_min_quote=Decimal(0),
        deadline_ns=plan.deadline_ns + 60 * NS_PER_S,
        steps=(
            replace(plan.steps[0], amount_in=Decimal(2)),
            replace(plan.steps[1], amount_out_min=Decimal(1)),
        ),
    )
    with desk_of() as desk:
        hears(desk, approved(looser, at_ns=NOW_NS))
        assert kind_of(await desk.sign(by_approval(plan, looser))) is None


FIRST, LAST = TERMS_OF.steps
TIGHTER: dict[str, dict[str, Any]] = {
    "gas cap": {"gas": replace(TERMS_OF.gas, amount=TERMS_OF.gas.amount - Decimal("1e-18"))},
    "gas asset": {"gas": replace(TERMS_OF.gas, asset=AssetCode("BNB"))},
    "lender's fee": {"flash_fee": TERMS_OF.flash_fee - Decimal("1e-18")},
    "loan": {"has_flash_loan": False},
    "chain": {"chain": "ethereum"},
    "least profit": {"profit_min_quote": TERMS_OF.profit_min_quote + Decimal("1e-18")},
    "number of swaps": {"steps": (FIRST,)},
    "pool": {"steps": (replace(FIRST, address="0x" + "a3" * 20), LAST)},
    "token": {"steps": (replace(FIRST, target=AssetCode("USDT")), LAST)},
    "amount": {"steps": (replace(FIRST, amount_in=FIRST.amount_in - Decimal("1e-18")), LAST)},
    "what comes back": {
        "steps": (FIRST, replace(LAST, amount_out_min=LAST.amount_out_min + Decimal("1e-18")))
    },
    "deadline": {"deadline_ns": TERMS_OF.deadline_ns - 1},
    "on paper": {"is_live": True},
}


@pytest.mark.parametrize("field", TIGHTER)
async def test_a_plan_that_is_looser_than_its_terms_by_the_least_is_refused(field: str) -> None:
    terms = make_plan(**TIGHTER[field])
    with desk_of() as desk:
        hears(desk, approved(terms, at_ns=NOW_NS))
        says(await desk.sign(by_approval(make_plan(), terms)))


@pytest.mark.parametrize("field", msgspec.structs.fields(AtomicPlan), ids=lambda one: one.name)
async def test_terms_of_which_any_field_was_changed_are_not_those_that_were_approved(
    field: Any,
) -> None:
    """Each field of what the phone showed is under its digest."""
    if field.name == "permit":
        return  # by whose word it is carried out is no term
    old = getattr(TERMS_OF, field.name)
    others: dict[type, Callable[[Any], Any]] = {
        str: lambda one: one + "x",
        int: lambda one: one + 1,
        bool: lambda one: not one,
        Decimal: lambda one: one + Decimal("1e-18"),
        tuple: lambda one: (*one, one[-1]),
    }
    if field.name == "opportunity":
        new = replace(old, frame_seq=old.frame_seq + 1)
    elif field.name == "gas":
        new = replace(old, units=old.units + 1)
    elif type(old) in others:
        new = others[type(old)](old)
    else:
        new = {"deadline_block": 1, "sizing": None, "advice": ("x",), "is_live": True}.get(
            field.name, msgspec.UNSET
        )
        if new is old or new is msgspec.UNSET or new is None:
            return  # nothing stands there
    forged = replace(TERMS_OF, **{field.name: new})
    with desk_of() as desk:
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS))
        intent = by_approval(make_plan(), TERMS_OF)
        assert "these are not its terms" in says(await desk.sign(replace(intent, approved=forged)))
        says(await desk.sign(by_approval(make_plan(), forged)))
        says(await desk.sign(replace(intent, approved=None)))


async def test_the_call_value_and_fees_of_an_approved_plan_are_looked_at_all_the_same() -> None:
    intent = by_approval(TERMS_OF)
    one = intent.transaction
    for changes, kind in (
        ({"data": one.data[:-1] + bytes([one.data[-1] ^ 1])}, RefusalKind.CALL),
        ({"value_wei": 1}, RefusalKind.VALUE),
        ({"max_fee_per_gas_wei": 10 * GWEI + 1}, RefusalKind.GAS),
        ({"gas_limit": 375_001}, RefusalKind.GAS),
    ):
        with desk_of() as desk:
            hears(desk, approved(TERMS_OF, at_ns=NOW_NS))
            reply = await desk.sign(replace(intent, transaction=replace(one, **changes)))
            assert kind_of(reply) in {kind, RefusalKind.PLAN, RefusalKind.PROFIT}, reply


async def test_an_approval_serves_one_plan_however_often_it_is_asked() -> None:
    plan = make_plan(deadline_ns=NOW_NS + NS_PER_S)
    other = make_plan(2, deadline_ns=plan.deadline_ns)
    with desk_of() as desk:
        hears(desk, approved(plan, at_ns=NOW_NS))
        assert kind_of(await desk.sign(by_approval(plan))) is None
        assert kind_of(await desk.sign(by_approval(plan))) is None  # the same bytes again
        again = await desk.sign(by_approval(other, plan, nonce=8))
        assert "it was used already" in says(again)
        hears(desk, approved(plan, at_ns=NOW_NS))  # told again it is not there again
        assert "it was used already" in says(await desk.sign(by_approval(other, plan, nonce=9)))


async def test_a_bid_that_is_raised_needs_no_second_approval_but_the_same_terms() -> None:
    fees: dict[str, Any] = {
        "max_fee_per_gas_wei": 10 * GWEI,
        "max_priority_fee_per_gas_wei": 2 * GWEI,
    }
    with desk_of() as desk:
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS))
        assert kind_of(await desk.sign(by_approval(TERMS_OF))) is None
        raised = by_approval(TERMS_OF, purpose=Purpose.REPLACE, **fees)
        says(await desk.sign(replace(raised, approved=make_plan(2))))
        desk.words.void_ns = lambda _engine: NOW_NS  # what is on its way already goes on
        assert kind_of(await desk.sign(raised)) is None


async def test_a_plan_for_two_people_takes_two_different_ones() -> None:
    with desk_of() as desk:
        desk.words.two_people_usd = Decimal(2_500)
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS), approved(TERMS_OF, at_ns=NOW_NS))
        assert "1 of 2 people" in says(await desk.sign(by_approval(TERMS_OF)))
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS, by="bob"))
        assert kind_of(await desk.sign(by_approval(TERMS_OF))) is None


async def test_what_was_said_before_a_kill_or_another_mode_is_void() -> None:
    with desk_of() as desk:
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS), granted("m1", at_ns=NOW_NS))
        desk.words.void_ns = lambda _engine: NOW_NS
        assert "a kill or another mode" in says(await desk.sign(by_approval(TERMS_OF)))
        assert "a kill or another mode" in says(await desk.sign(by_mandate(TERMS_OF)))
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS + 1))
        assert kind_of(await desk.sign(by_approval(TERMS_OF))) is None


async def test_a_word_is_the_chats_own_fresh_and_of_its_engine() -> None:
    with desk_of() as desk:
        for said, why in (
            (approved(TERMS_OF, at_ns=NOW_NS, key=bytes(32)), "its seal is not"),
            (approved(TERMS_OF, at_ns=NOW_NS - FRESH_NS - 1), "too long ago"),
            (approved(TERMS_OF, at_ns=NOW_NS + FRESH_NS + 1), "too long ago"),
            (SealedWord(content=b"", seal=bytes(16)), "its seal is not"),
        ):
            with pytest.raises(BadValueError, match=why):
                hears(desk, said)
        right = approved(TERMS_OF, at_ns=NOW_NS)
        for at in range(len(right.content)):
            changed = bytearray(right.content)
            changed[at] ^= 1
            with pytest.raises(BadValueError, match="its seal is not"):
                hears(desk, replace(right, content=bytes(changed)))
        hears(desk, approved(TERMS_OF, at_ns=NOW_NS, engine="other"))
        assert "no person approved" in says(await desk.sign(by_approval(TERMS_OF)))


async def test_a_word_from_before_the_signer_began_was_for_another_one() -> None:
    with desk_of() as desk:
        desk.words.since_ns = NOW_NS
        with pytest.raises(BadValueError, match="before the signer began"):
            hears(desk, approved(TERMS_OF, at_ns=NOW_NS - 1))


async def test_without_a_chat_that_shares_its_key_nothing_rests_on_a_persons_word() -> None:
    with desk_of() as desk:
        desk.words.key = None
        with pytest.raises(BadValueError, match="no chat can vouch"):
            hears(desk, approved(TERMS_OF, at_ns=NOW_NS))
        assert NO_CHAT in says(await desk.sign(by_approval(TERMS_OF)))
        assert NO_CHAT in says(await desk.sign(by_mandate(TERMS_OF)))


# ---- mandates ---------------------------------------------------------------------------------


async def test_a_mandate_is_counted_here_until_it_is_spent() -> None:
    with desk_of() as desk:
        assert "no person granted it" in says(await desk.sign(by_mandate(make_plan())))
        hears(
            desk,
            granted("m1", at_ns=NOW_NS, total_usd_max=Decimal(5_000), each_usd_max=Decimal(2_500)),
        )
        for nonce in (1, 2):
            assert kind_of(await desk.sign(by_mandate(make_plan(nonce), nonce=nonce))) is None
        third = await desk.sign(by_mandate(make_plan(3), nonce=3))
        assert "2500.00 USD is above the 0.00 USD that are left" in says(third)


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"each_usd_max": Decimal("2499.99")}, "above what one plan may move"),
        ({"total_usd_max": Decimal("2499.99"), "each_usd_max": Decimal(1)}, "is above"),
        ({"edge_bps_min": Decimal("64.01")}, "is below its least"),
        ({"scope": Scope(kind=ScopeKind.VENUE, name="curve@base")}, "for something else"),
        ({"scope": Scope(kind=ScopeKind.PAIR, name="ETH-DAI")}, "for something else"),
        ({"lasts_s": 1, "at_ns": NOW_NS - 2 * NS_PER_S}, "its time is over"),
        ({"engine": "other"}, "no person granted it"),
    ],
)
async def test_what_a_mandate_does_not_cover_is_not_signed(terms: dict[str, Any], why: str) -> None:
    plan = make_plan(
        steps=(
            make_plan().steps[0],
            replace(make_plan().steps[1], amount_out=Decimal("1.01")),
        )
    )
    with desk_of() as desk:
        hears(desk, granted("m1", **{"at_ns": NOW_NS} | terms))
        assert why in says(await desk.sign(by_mandate(plan)))
        hears(desk, granted("m2", at_ns=NOW_NS, edge_bps_min=Decimal(64)))
        assert kind_of(await desk.sign(by_mandate(plan, "m2"))) is None


async def test_a_mandate_ends_after_so_many_plans_and_when_it_is_taken_back() -> None:
    with desk_of() as desk:
        hears(desk, granted("m1", at_ns=NOW_NS), granted("m2", at_ns=NOW_NS))
        for one in range(PLANS_MAX):
            desk.words.use_mandate("m1", str(one), Decimal(0))
        assert f"its {PLANS_MAX} plans are done" in says(await desk.sign(by_mandate(make_plan())))
        desk.words.take_back("main", mandate_id="m2", is_all=False)
        assert "no person granted" in says(await desk.sign(by_mandate(make_plan(), "m2")))


async def test_the_scope_of_a_mandate_is_of_what_is_carried_out_and_not_of_what_a_plan_says() -> (
    None
):
    hops = tuple(replace(one, venue=VenueId("curve@base")) for one in make_plan().opportunity.hops)
    lying = make_plan(opportunity=replace(make_plan().opportunity, hops=hops))
    with desk_of() as desk:
        hears(
            desk, granted("m1", at_ns=NOW_NS, scope=Scope(kind=ScopeKind.VENUE, name="curve@base"))
        )
        assert "another route than its steps" in says(await desk.sign(by_mandate(lying)))


# ---- what is moved ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie", [{"notional_usd": Decimal(1)}, {"notional_usd": Decimal(1), "usd_per_quote": Decimal(1)}]
)
async def test_a_plan_that_understates_its_worth_is_counted_with_the_operators_least_price(
    lie: dict[str, Any],
) -> None:
    terms = dataclass_replace(TERMS, usd_least={"ETH": Decimal(1_500)})
    with desk_of(terms) as desk:
        hears(desk, granted("m1", at_ns=NOW_NS, each_usd_max=Decimal(1_499)))
        refusal = says(await desk.sign(by_mandate(make_plan(**lie))))
        assert "USD is above what one plan may move" in refusal
    short = dataclass_replace(terms, notional_day_usd=Decimal(1_499))
    with desk_of(short) as desk:
        assert kind_of(await desk.sign(make_intent(make_plan(**lie)))) is RefusalKind.CAP


async def test_where_money_is_real_what_nobody_names_a_price_for_is_not_moved() -> None:
    terms = dataclass_replace(TERMS, network=Network.MAIN, usd_least={"USDC": Decimal("0.9")})
    with desk_of(terms) as desk:
        reply = await desk.sign(make_intent())
        assert kind_of(reply) is RefusalKind.CAP
        assert "nobody says what ETH is worth" in str(reply)


# ---- being live -------------------------------------------------------------------------------


def test_one_word_to_go_live_is_for_one_change_of_the_mode(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    words = Words(key=bytes(range(32)), journal=journal)
    assert "nobody who went live" in words.why_not_gone_live("main", 5)
    words.hear(went_live(at_ns=NOW_NS), NOW_NS)
    assert words.why_not_gone_live("main", NOW_NS + 5) == ""
    assert "the mode was left" in words.why_not_gone_live("main", NOW_NS + 6)
    journal.close()
    again = Words(key=bytes(32), journal=Journal(tmp_path / "journal.sqlite3"))
    assert again.why_not_gone_live("main", NOW_NS + 5) == ""  # a signer that was started again
    again.latched_ns = lambda _engine: NOW_NS + 1
    assert "a latch was set or cleared" in again.why_not_gone_live("main", NOW_NS + 5)
    again.left_live("main")
    assert "nobody who went live" in again.why_not_gone_live("main", NOW_NS + 5)
    again.journal.close()


def test_what_is_missing_to_go_live_is_said_to_whoever_says_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    words = Words(
        key=bytes(range(32)), journal=journal, why_not_live=lambda word: f"not yet, {word.by}"
    )
    with pytest.raises(BadValueError, match="not yet, ann"):
        words.hear(went_live(at_ns=NOW_NS), NOW_NS)
    assert words.why_not_gone_live("main", NOW_NS)
    journal.close()


def test_no_code_is_shown_of_what_is_said() -> None:
    said = went_live(at_ns=NOW_NS, code="123456")
    assert "123456" not in repr(said)
