"""What the signer makes of orders whose plan has a transaction beside them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from engine.domain.chains import DEADLINE_BLOCKS, block_ms
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.plans import MixedPlan, Part
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import OrderRequest, wire_id_of
from engine.gateways.asks import PlaceAsk
from engine.gateways.venue_signing import VenueIntent
from engine.signing.venue_permits import looser_than
from engine.signing.venue_rules import Placing, first_refusal, placing_of
from engine.signing.venue_terms import ExchangeTerms
from tests.execute.live_mixed import live_plan
from tests.execute.mixed_worlds import BETWEEN, CHEAP

AT = VenueId("a")
TERMS = ExchangeTerms(
    venues=(AT,),
    notional_day_usd=Decimal(10**6),
    orders_day=100,
    exposure_usd={AT: Decimal(10**6)},
)
PLAN = live_plan(CHEAP, Part.TRANSACTION)
LAST_BLOCK_NS = DEADLINE_BLOCKS * block_ms(PLAN.chain) * NS_PER_MS


def placing(plan: MixedPlan = PLAN, *, later_ns: int = 0, **changes: Any) -> Placing:
    now_ns = plan.decided_at_ns + later_ns
    name, leg, until_ms = f"{plan.plan_id}-o1", plan.legs[0], now_ns // NS_PER_MS + 1_000
    request = OrderRequest(
        wire_id=wire_id_of(name, engine_id="main"),
        venue=leg.venue,
        wire_name=leg.instrument.wire_name,
        side=leg.side,
        size_base=leg.size_base,
        price_limit=leg.price_limit,
        sent_before_ms=until_ms,
    )
    request = structs.replace(request, **changes)
    intent = VenueIntent(
        venue=leg.venue,
        ask=PlaceAsk(request=request),
        client_order_id=name,
        plan=plan,
        latest_ms=until_ms,
    )
    return Placing(intent=intent, request=request, plan=plan, leg=leg, terms=TERMS, now_ns=now_ns)


def test_no_order_is_signed_whose_plan_has_a_transaction_that_nobody_signs() -> None:
    given = placing()

    refusal = placing_of(given.intent, given.request, TERMS, given.now_ns)

    assert isinstance(refusal, SignRefusal)
    assert refusal.kind is RefusalKind.PLAN
    assert "a transaction, which nobody signs" in refusal.detail


@pytest.mark.parametrize(
    ("what", "value", "why"),
    [
        ("size_base", PLAN.legs[0].size_base, ""),
        ("size_base", PLAN.legs[0].size_base / 2, ""),
        ("wire_name", "BTC-USDT", "its leg is"),
        ("venue", "b", "it is for 'b'"),
        ("side", Side.BUY, "its leg is a sell"),
        ("price_limit", PLAN.legs[0].price_limit * Decimal("0.99"), "is worse than"),
    ],
)
def test_an_order_is_a_leg_of_its_mixed_plan(what: str, value: Any, why: str) -> None:
    refusal = first_refusal(placing(**{what: value}))

    assert (refusal is None) is (why == "")
    assert why in ("" if refusal is None else refusal.detail)


def test_an_order_behind_a_transaction_waits_for_the_last_block_that_may_hold_it() -> None:
    own_ns = PLAN.deadline_ns - PLAN.decided_at_ns
    first = live_plan(CHEAP, Part.ORDERS)

    assert first_refusal(placing(later_ns=2 * own_ns + LAST_BLOCK_NS)) is None
    late = first_refusal(placing(later_ns=2 * own_ns + LAST_BLOCK_NS + 1))
    assert late is not None
    assert late.kind is RefusalKind.DEADLINE
    assert first_refusal(placing(first, later_ns=2 * own_ns)) is None
    assert first_refusal(placing(first, later_ns=2 * own_ns + 1)) is not None


def looser() -> Iterator[tuple[str, MixedPlan]]:
    """Yield plans that ask for more than `PLAN`, and in what."""
    plan = live_plan(BETWEEN, Part.TRANSACTION)
    (step,) = plan.steps
    leg = plan.legs[1]

    def with_step(**changes: object) -> MixedPlan:
        return structs.replace(plan, steps=(structs.replace(step, **changes),))

    yield "goes first", structs.replace(plan, first=Part.ORDERS)
    yield "another transaction", structs.replace(plan, chain="base")
    yield "another transaction", with_step(address="0xelsewhere")
    yield "it takes", with_step(amount_in=step.amount_in * 2, amount_out_min=step.amount_out * 2)
    yield "as little as", with_step(amount_out_min=step.amount_out_min * Decimal("0.999"))
    more = structs.replace(plan.gas, amount=plan.gas.amount * 2)
    yield "for gas", structs.replace(plan, gas=more)
    yield "may be sent later", structs.replace(plan, deadline_ns=plan.deadline_ns + 1)
    larger = structs.replace(leg, size_base=leg.size_base * 2)
    yield "it takes", structs.replace(plan, legs=(plan.legs[0], larger))
    yield "on paper", structs.replace(plan, is_live=False)


@pytest.mark.parametrize(("why", "plan"), list(looser()))
def test_what_a_person_approved_binds_the_orders_and_the_transaction(
    why: str, plan: MixedPlan
) -> None:
    terms = live_plan(BETWEEN, Part.TRANSACTION)

    assert looser_than(terms, terms) == ""
    assert why in looser_than(plan, terms)


def test_a_smaller_transaction_may_give_as_much_less_as_it_takes_less() -> None:
    terms = live_plan(BETWEEN, Part.TRANSACTION)
    (step,) = terms.steps

    half = structs.replace(
        step, amount_in=step.amount_in / 2, amount_out_min=step.amount_out_min / 2
    )
    assert looser_than(structs.replace(terms, steps=(half,)), terms) == ""
    less = structs.replace(half, amount_out_min=half.amount_out_min * Decimal("0.999999"))
    assert "as little as" in looser_than(structs.replace(terms, steps=(less,)), terms)
