"""What the signer makes of orders whose plan has a transaction beside them."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from engine.domain.assets import AssetCode
from engine.domain.chains import CONFIRM_BLOCKS_MAX, DEADLINE_BLOCKS, block_ms
from engine.domain.instruments import VenueId
from engine.domain.opportunities import HopKind, Side
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import MixedPlan, Part, digest_of_plan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS
from engine.domain.venue_orders import OrderRequest, wire_id_of
from engine.gateways.asks import PlaceAsk
from engine.gateways.venue_signing import VenueIntent
from engine.signing.venue_permits import looser_than
from engine.signing.venue_rules import UNWINDS_MS_MAX, Placing, first_refusal, placing_of
from engine.signing.venue_terms import ExchangeTerms
from tests.execute.live_mixed import live_plan
from tests.execute.mixed_worlds import BETWEEN, CHEAP
from tests.signing.saying import granted
from tests.signing.venue_intents import TERMS as VENUE_TERMS
from tests.signing.venue_intents import Signer, make_leg, make_place, make_plan, make_unwinding

AT = VenueId("a")
TERMS = ExchangeTerms(
    venues=(AT,),
    notional_day_usd=Decimal(10**6),
    orders_day=100,
    exposure_usd={AT: Decimal(10**6)},
)
PLAN = live_plan(CHEAP, Part.TRANSACTION)
LAST_BLOCK_NS = (DEADLINE_BLOCKS + CONFIRM_BLOCKS_MAX) * block_ms(PLAN.chain) * NS_PER_MS


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


def test_an_order_behind_a_transaction_waits_for_the_last_block_and_for_those_on_top() -> None:
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


# ---- over time, beside a transaction ---------------------------------------------------------


def beside(first: Part, **changes: Any) -> MixedPlan:
    """Return a plan that gets half a BTC for 30,000 USD at a pool and sells it at a venue."""
    legged = make_plan(legs=(make_leg("kraken", Side.SELL, price="60600"),), **changes)
    base = live_plan(CHEAP, first)
    (step,) = base.steps
    usd, btc = AssetCode("USD"), AssetCode("BTC")
    step = structs.replace(
        step, source=usd, target=btc, amount_in=Decimal(30_000), amount_out=Decimal("0.5")
    )
    pool = structs.replace(
        legged.opportunity.hops[0],
        kind=HopKind.POOL,
        venue=step.venue,
        source=usd,
        target=btc,
        chain=base.chain,
    )
    opportunity = structs.replace(legged.opportunity, hops=(pool, *legged.opportunity.hops))
    taken = {name: getattr(legged, name) for name in ("plan_id", "decided_at_ns", "deadline_ns")}
    taken |= {name: getattr(legged, name) for name in ("legs", "profit_quote", "permit")}
    return structs.replace(
        base,
        opportunity=opportunity,
        steps=(step,),
        notional_usd=Decimal(30_000),
        usd_per_quote=Decimal(1),
        **taken,
    )


@pytest.fixture
def signer() -> Iterator[Signer]:
    made = Signer(terms=replace(VENUE_TERMS, signs_mixed=True))
    yield made
    made.close()


def test_an_order_that_follows_is_signed_only_where_the_transaction_was(signer: Signer) -> None:
    place = make_place(beside(Part.TRANSACTION))

    refusal = signer.sign(place)
    signer.is_sent = True

    assert isinstance(refusal, SignRefusal)
    assert "it follows on a transaction, and none of its plan was signed" in refusal.detail
    assert signer.kind(place) is None


def test_an_order_that_goes_first_is_signed_and_then_known_by_its_plan(signer: Signer) -> None:
    plan = beside(Part.ORDERS)
    assert not signer.desk.has_orders(digest_of_plan(plan))

    assert signer.kind(make_place(plan)) is None

    assert signer.desk.has_orders(digest_of_plan(plan))
    assert not signer.desk.has_orders(digest_of_plan(beside(Part.TRANSACTION)))


def test_what_a_transaction_left_is_closed_by_its_order_or_its_opposite(signer: Signer) -> None:
    plan = beside(Part.TRANSACTION)
    same = {"side": Side.SELL, "price_limit": Decimal(60_000)}

    assert signer.kind(make_unwinding(plan, request=same)) is RefusalKind.ORDER
    signer.is_sent = True
    assert signer.kind(make_unwinding(plan, request=same)) is None
    assert signer.kind(make_unwinding(plan, name=f"{plan.plan_id}-o8")) is None
    signer.now_ns += UNWINDS_MS_MAX * NS_PER_MS + NS_PER_MS
    late = make_unwinding(plan, name=f"{plan.plan_id}-o7", now_ms=signer.now_ns // NS_PER_MS)
    assert signer.kind(late) is RefusalKind.DEADLINE


def test_what_closes_a_plan_of_orders_alone_is_the_opposite_of_its_leg(signer: Signer) -> None:
    plan = make_plan()
    assert signer.kind(make_place(plan)) is None

    assert signer.kind(make_unwinding(plan, request={"side": Side.BUY})) is RefusalKind.ORDER


def test_a_mandate_counts_a_plan_of_orders_and_a_transaction_once(signer: Signer) -> None:
    plan = beside(Part.ORDERS, permit=Permit(kind=PermitKind.MANDATE, id="m1"))
    signer.words.hear(granted("m1", at_ns=signer.now_ns), signer.now_ns)

    signer.words.use_mandate("m1", digest_of_plan(plan), Decimal(50_000))

    def why(one: MixedPlan) -> str:
        return signer.words.why_not_mandated(
            "m1", "main", one, usd=Decimal(1), now_ns=signer.now_ns
        )

    assert "USD that are left" not in why(plan)
    assert "USD that are left" in why(structs.replace(plan, plan_id="r1-2-p"))
