"""What the signer makes of the transactions of a plan that has orders beside it."""

import dataclasses
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.chains import DEADLINE_BLOCKS, block_ms
from engine.domain.networks import Network
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import MixedPlan, Part
from engine.domain.signing import Purpose, RefusalKind, Signed, SigningIntent, SignRefusal
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.sending.encoding import allow_calldata, swap_calldata
from engine.signing.desk import charges_of, usd_of_micro
from engine.signing.rules import APPROVE_GAS_MAX, Given, first_refusal
from engine.signing.swaps import check_mixed
from engine.signing.worth import usd_of
from tests.effort import examples
from tests.signing.intents import CHAIN, CODE_HASH, CONTRACT, GWEI, NOW_NS, TERMS, USDC, make_plan
from tests.signing.mixed_intents import OWN, allowing, make_mixed, make_swap, swapping
from tests.signing.test_nonces import dearer
from tests.signing.test_policy import desk_of

OTHER = "0x" + "dd" * 20
PLAN, FOLLOWS = make_mixed(), make_mixed(Part.ORDERS)
WAIT_NS = DEADLINE_BLOCKS * block_ms(CHAIN) * NS_PER_MS

replace = msgspec.structs.replace


def refusal_of(looked_at: Given, now_ns: int = NOW_NS) -> SignRefusal | None:
    plan = looked_at.intent.plan
    assert isinstance(plan, MixedPlan)
    return first_refusal(looked_at) or check_mixed(looked_at, plan, now_ns=now_ns)


def kind_of(looked_at: Given, now_ns: int = NOW_NS) -> RefusalKind | None:
    refusal = refusal_of(looked_at, now_ns)
    return None if refusal is None else refusal.kind


def test_the_swap_and_the_allowance_of_a_plan_obey() -> None:
    assert refusal_of(swapping(PLAN, make_swap())) is None
    assert refusal_of(allowing(PLAN)) is None
    assert refusal_of(swapping(FOLLOWS, make_swap(), is_other_signed=True)) is None
    assert refusal_of(allowing(FOLLOWS, is_other_signed=True)) is None


async def test_nothing_of_such_a_plan_is_signed_while_nobody_decides_on_one() -> None:
    for looked_at in (swapping(PLAN, make_swap()), allowing(PLAN)):
        with desk_of() as desk:
            reply = await desk.sign(looked_at.intent)
        assert isinstance(reply, SignRefusal)
        assert (reply.kind, reply.detail) == (
            RefusalKind.PLAN,
            "its plan has orders beside it, which nobody decides on",
        )


# ---- the swap, by its bytes ------------------------------------------------------------------

SWAPS: list[tuple[dict[str, Any], RefusalKind]] = [
    ({"chain_id": 1}, RefusalKind.CHAIN),
    ({"amount_in_raw": 10**18 + 1}, RefusalKind.PLAN),
    ({"amount_in_raw": 10**18 - 1}, RefusalKind.PLAN),
    ({"amount_out_min_raw": 2_490 * 10**6 - 1}, RefusalKind.PROFIT),
    ({"hops": make_swap().hops[::-1]}, RefusalKind.CALL),
    ({"hops": (replace(make_swap().hops[0], pool=OTHER), make_swap().hops[1])}, RefusalKind.PLAN),
    ({"deadline_ts": (NOW_NS + NS_PER_S + WAIT_NS) // NS_PER_S + 1}, RefusalKind.DEADLINE),
]


@pytest.mark.parametrize(("changes", "kind"), SWAPS)
def test_a_swap_is_its_plans(changes: dict[str, Any], kind: RefusalKind) -> None:
    if kind is RefusalKind.CALL:
        sent = bytearray(swap_calldata(make_swap()))
        sent[-1] ^= 1
        assert kind_of(swapping(PLAN, make_swap(), data=bytes(sent))) is kind
    else:
        assert kind_of(swapping(PLAN, make_swap(**changes))) is kind


def test_a_token_of_the_swap_is_the_one_of_the_plans_step() -> None:
    other = replace(make_swap().hops[1], token_out=OTHER)
    swap = make_swap(hops=(make_swap().hops[0], other), token_out=OTHER)

    assert kind_of(swapping(PLAN, swap)) is RefusalKind.PLAN


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(1, 10**18), st.integers(0, 2 * 10**10))
def test_what_follows_is_no_more_than_planned_and_gives_the_least_in_proportion(
    amount_raw: int, least_raw: int
) -> None:
    swap = make_swap(amount_in_raw=amount_raw, amount_out_min_raw=max(least_raw, 1))
    expected = least_raw >= 2_490 * 10**6 * amount_raw // 10**18

    refusal = refusal_of(swapping(FOLLOWS, swap, is_other_signed=True))

    assert (refusal is None) == (expected or (least_raw == 0 and 2_490 * amount_raw < 10**12))


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(1, 10**18))
def test_what_follows_by_a_smaller_plan_is_signed(amount_raw: int) -> None:
    smaller = FOLLOWS.with_input(Decimal(amount_raw).scaleb(-18))
    least_raw = int(smaller.steps[-1].amount_out_min.scaleb(6))
    swap = make_swap(amount_in_raw=amount_raw, amount_out_min_raw=max(least_raw, 1))

    assert refusal_of(swapping(FOLLOWS, swap, is_other_signed=True)) is None


# ---- the allowance ---------------------------------------------------------------------------

ALLOWANCES: list[tuple[dict[str, Any], RefusalKind]] = [
    ({"amount_raw": 10**18 + 1}, RefusalKind.PLAN),
    ({"amount_raw": 10**18 - 1}, RefusalKind.PLAN),
    ({"amount_raw": 0}, RefusalKind.CALL),
    ({"amount_raw": 2**256 - 1}, RefusalKind.CALL),
    ({"token": USDC}, RefusalKind.PLAN),
    ({"token": OTHER}, RefusalKind.PLAN),
    ({"token": CONTRACT}, RefusalKind.CONTRACT),
    ({"token": OWN}, RefusalKind.CONTRACT),
    ({"spender": OTHER}, RefusalKind.CONTRACT),
    ({"spender": OWN}, RefusalKind.CONTRACT),
    ({"code_hash": ""}, RefusalKind.CODE_HASH),
    ({"code_hash": "0x" + "ac" * 32}, RefusalKind.CODE_HASH),
    ({"gas_limit": APPROVE_GAS_MAX + 1}, RefusalKind.GAS),
    ({"value_wei": 1}, RefusalKind.VALUE),
    ({"data": allow_calldata(CONTRACT, 10**18) + b"\0"}, RefusalKind.CALL),
    ({"data": allow_calldata(CONTRACT, 10**18)[:-1]}, RefusalKind.CALL),
    ({"data": b"\x39\x50\x93\x51" + allow_calldata(CONTRACT, 10**18)[4:]}, RefusalKind.CALL),
    ({"data": swap_calldata(make_swap())}, RefusalKind.CALL),
]


@pytest.mark.parametrize(("changes", "kind"), ALLOWANCES)
def test_exactly_what_the_plan_takes_is_allowed_to_our_contract(
    changes: dict[str, Any], kind: RefusalKind
) -> None:
    assert kind_of(allowing(PLAN, **changes)) is kind


def test_of_what_follows_less_may_be_allowed_and_never_more() -> None:
    for amount_raw, kind in ((1, None), (10**18, None), (10**18 + 1, RefusalKind.PLAN)):
        assert kind_of(allowing(FOLLOWS, amount_raw, is_other_signed=True)) is kind


# ---- turn, time, gas, and the plan itself ----------------------------------------------------


@pytest.mark.parametrize("looked_at", [swapping(FOLLOWS, make_swap()), allowing(FOLLOWS)])
def test_what_follows_is_signed_only_where_an_order_was(looked_at: Given) -> None:
    refusal = refusal_of(looked_at)

    assert refusal is not None
    assert "it follows on orders, of which none was signed" in refusal.detail


def test_a_transaction_is_signed_in_its_time_and_replaced_as_long_as_a_block_takes_it() -> None:
    first, later = PLAN.deadline_ns, PLAN.deadline_ns + NS_PER_S
    for plan, latest_ns in ((PLAN, first), (FOLLOWS, later)):
        for looked_at in (
            swapping(plan, make_swap(), is_other_signed=True),
            allowing(plan, is_other_signed=True),
        ):
            assert kind_of(looked_at, latest_ns) is None
            assert kind_of(looked_at, latest_ns + 1) is RefusalKind.DEADLINE
        again = swapping(plan, make_swap(), purpose=Purpose.REPLACE, is_other_signed=True)
        assert kind_of(again, latest_ns + 1) is None


def test_what_follows_may_land_as_much_later() -> None:
    latest_ts = -((FOLLOWS.deadline_ns + NS_PER_S + WAIT_NS) // -NS_PER_S)
    for late, kind in ((0, None), (1, RefusalKind.DEADLINE)):
        swap = make_swap(deadline_ts=latest_ts + late)
        assert kind_of(swapping(FOLLOWS, swap, is_other_signed=True)) is kind


def test_all_transactions_of_a_plan_pay_within_its_one_bound() -> None:
    bound_wei = 3 * 10**15
    swap = swapping(PLAN, make_swap(), gas_limit=300_000, max_fee_per_gas_wei=8 * GWEI)
    for beside_wei, kind in (
        (bound_wei - 24 * 10**14, None),
        (bound_wei - 24 * 10**14 + 1, RefusalKind.GAS),
    ):
        looked_at = Given(
            intent=swap.intent, terms=TERMS, own=OWN, chain=CHAIN, beside_wei=beside_wei
        )
        assert kind_of(looked_at) is kind


PLANS: list[tuple[dict[str, Any], RefusalKind]] = [
    ({"is_live": msgspec.UNSET}, RefusalKind.PLAN),
    ({"chain": "ethereum"}, RefusalKind.CHAIN),
    ({"profit_quote": Decimal(0)}, RefusalKind.PROFIT),
    ({"profit_quote": Decimal("NaN")}, RefusalKind.PLAN),
    ({"notional_usd": Decimal("Infinity")}, RefusalKind.PLAN),
    ({"legs": ()}, RefusalKind.PLAN),
    ({"before": 1}, RefusalKind.PLAN),
    ({"steps": PLAN.steps[:1]}, RefusalKind.PLAN),
    ({"opportunity": replace(PLAN.opportunity, hops=())}, RefusalKind.PLAN),
    (
        {"legs": (replace(PLAN.legs[0], notional_quote=Decimal(2_600)),)},
        RefusalKind.PROFIT,
    ),
    (
        {"steps": (PLAN.steps[0], replace(PLAN.steps[1], amount_out_min=Decimal(2_374)))},
        RefusalKind.PROFIT,
    ),
]


@pytest.mark.parametrize(("changes", "kind"), PLANS)
def test_a_plan_is_sound_and_gains_by_its_own_amounts(
    changes: dict[str, Any], kind: RefusalKind
) -> None:
    plan = make_mixed(**changes)

    assert kind_of(swapping(plan, make_swap(amount_out_min_raw=2_600 * 10**6))) is kind
    assert kind_of(allowing(plan)) is kind


def test_an_allowance_moves_nothing_and_a_swap_what_its_plan_moves() -> None:
    charged = [
        charges_of(looked_at.intent, (), CHAIN, TERMS).get("USD moved")
        for looked_at in (allowing(PLAN), swapping(PLAN, make_swap()))
    ]

    assert charged[0] is None
    assert charged[1] is not None
    assert usd_of_micro(charged[1]) == 2_500


def test_a_mixed_plan_is_counted_with_the_most_that_is_said_of_it() -> None:
    least = dataclasses.replace(TERMS, usd_least={PLAN.steps[0].source: Decimal(3_000)})

    assert usd_of(make_mixed(notional_usd=Decimal(1)), TERMS) == 2_500
    assert usd_of(make_mixed(notional_usd=Decimal(9_000)), TERMS) == 9_000
    assert usd_of(PLAN, least) == 3_000


def test_where_money_is_real_what_a_swap_gives_has_a_least_price() -> None:
    main = dataclasses.replace(TERMS, network=Network.MAIN)
    looked_at = swapping(PLAN, make_swap())
    given = Given(intent=looked_at.intent, terms=main, own=OWN, chain=CHAIN)

    assert kind_of(given) is RefusalKind.CAP


async def test_a_plan_of_one_transaction_takes_nothing_by_an_allowance() -> None:
    looked_at = allowing(PLAN)
    intent = SigningIntent(
        purpose=Purpose.ALLOW,
        transaction=looked_at.transaction,
        plan=make_plan(),
        code_hash=CODE_HASH,
    )
    for asked in (intent, replace(intent, plan=None)):
        with desk_of() as desk:
            reply = await desk.sign(asked)
        assert isinstance(reply, SignRefusal)
        assert reply.kind is RefusalKind.PLAN


def test_an_allowance_takes_a_mode_that_trades() -> None:
    assert Purpose.ALLOW.has_plan
    assert not Purpose.ALLOW.is_protective


async def test_an_allowance_is_not_replaced_by_the_swap_that_no_person_let_through() -> None:
    permit = Permit(kind=PermitKind.MANDATE, id="m1")
    plan = make_mixed(permit=permit)
    terms = dataclasses.replace(TERMS, signs_mixed=True)
    with desk_of(terms) as desk:
        allowed = await desk.sign(allowing(plan).intent)
        swap = dearer(swapping(plan, make_swap()).intent)
        reply = await desk.sign(swap)

    assert isinstance(allowed, Signed)
    assert isinstance(reply, SignRefusal)
    assert reply.kind is RefusalKind.NONCE


async def test_a_swap_is_signed_for_one_nonce_and_raised_there() -> None:
    terms = dataclasses.replace(TERMS, signs_mixed=True)
    swap = swapping(PLAN, make_swap()).intent
    with desk_of(terms) as desk:
        first = await desk.sign(swap)
        other = replace(
            swap.transaction, nonce=swap.transaction.nonce + 1, max_fee_per_gas_wei=GWEI
        )
        again = await desk.sign(replace(swap, transaction=other))
        raised = await desk.sign(dearer(swap))

    assert isinstance(first, Signed)
    assert isinstance(again, SignRefusal)
    assert again.kind is RefusalKind.NONCE
    assert isinstance(raised, Signed)
