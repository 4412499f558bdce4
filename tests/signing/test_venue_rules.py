"""What the signer refuses of an order of its own accord, whatever the trader and the engine say."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders import Purpose
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.domain.venue_orders import TimeInForce, wire_id_of
from engine.gateways.asks import (
    BalancesAsk,
    CancelAsk,
    HoldOffAsk,
    LookUpAsk,
    OpenOrdersAsk,
    StreamAsk,
    TradesAsk,
)
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.signing.venue_rules import (
    PRICE_BPS_MAX,
    TEST_USD_MAX,
    UNWIND_PRICE_BPS_MAX,
    UNWINDINGS_MAX,
    UNWINDS_MS_MAX,
    most_unwound,
)
from tests.signing.venue_intents import (
    NOW_MS,
    TERMS,
    VENUES,
    Signer,
    kind_of,
    make_leg,
    make_place,
    make_plan,
    make_test,
    make_unwinding,
)

K = RefusalKind
structs = msgspec.structs


@pytest.fixture
def signer() -> Iterator[Signer]:
    made = Signer()
    yield made
    made.close()


@pytest.mark.parametrize("venue", VENUES)
def test_an_order_of_a_plan_is_signed_at_every_venue_and_what_unwinds_it_too(
    signer: Signer, venue: str
) -> None:
    plan = make_plan(venues=(venue, "binance" if venue == "kraken" else "kraken"))

    for intent in (make_place(plan), make_place(plan, leg=1), make_unwinding(plan)):
        reply = signer.sign(intent)
        assert isinstance(reply, VenueSigned), reply
        assert len(reply.calls) == 1
        assert reply.signed_at_ms == NOW_MS


ORDER: dict[str, tuple[dict[str, Any], RefusalKind, str]] = {
    "another instrument": ({"wire_name": "ETHUSD"}, K.ORDER, "its leg is BTCUSD"),
    "the other side": ({"side": Side.SELL}, K.ORDER, "its leg is a buy, it is sell"),
    "more of it": ({"size_base": Decimal("0.5001")}, K.ORDER, "more than is left of its leg"),
    "a worse price": ({"price_limit": Decimal("60060.01")}, K.ORDER, "is worse than 60060"),
    "another id": ({"wire_id": wire_id_of("x", engine_id="main")}, K.ORDER, "is not the one of"),
    "another venue": ({"venue": "kraken"}, K.ORDER, "it is for 'kraken'"),
    "taken later": ({"sent_before_ms": NOW_MS + 5_001}, K.DEADLINE, "would take it later"),
    "a size of a million digits": ({"size_base": Decimal("1e999999")}, K.VENUE, "none that a"),
    "a path": ({"wire_name": "../withdraw"}, K.VENUE, "no name of an instrument"),
}


@pytest.mark.parametrize("what", ORDER)
def test_what_is_not_its_plans_is_refused(signer: Signer, what: str) -> None:
    changes, kind, says = ORDER[what]

    reply = signer.sign(make_place(request=changes))

    assert isinstance(reply, SignRefusal)
    assert reply.kind is kind
    assert says in reply.detail


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"plan": None}, K.PLAN),
        ({"plan": structs.replace(make_plan(), is_live=msgspec.UNSET)}, K.PLAN),
        ({"leg": 2}, K.PLAN),
        ({"leg": -1}, K.PLAN),
        ({"venue": "kraken"}, K.ORDER),
        ({"venue": "ftx"}, K.VENUE),
        ({"client_order_id": ""}, K.ORDER),
        ({"client_order_id": "another"}, K.ORDER),
        ({"engine": "two"}, K.ORDER),
        ({"latest_ms": NOW_MS - 1}, K.DEADLINE),
        ({"latest_ms": NOW_MS + 10_001}, K.DEADLINE),
        ({"latest_ms": 0}, K.DEADLINE),
    ],
)
def test_what_does_not_hold_together_is_refused(
    signer: Signer, changes: dict[str, Any], kind: RefusalKind
) -> None:
    plan = make_plan()
    intent = structs.replace(make_place(plan), **changes)

    assert signer.kind(intent) is kind


def test_what_is_kept_too_long_is_not_signed_whatever_the_venue_is_told(signer: Signer) -> None:
    late = make_place(request={"sent_before_ms": 0}, latest_ms=NOW_MS - 1)

    assert signer.kind(late) is K.DEADLINE


def test_an_order_for_another_venue_with_the_same_names_is_refused(signer: Signer) -> None:
    plan = make_plan(venues=("gemini", "kraken"))
    elsewhere = make_place(plan, request={"venue": "bitstamp"}, venue=VenueId("bitstamp"))

    reply = signer.sign(elsewhere)

    assert isinstance(reply, SignRefusal)
    assert reply.detail == "its leg is at gemini"


def test_a_better_price_and_less_of_it_are_signed(signer: Signer) -> None:
    changes = {"price_limit": Decimal(59_000), "size_base": Decimal("0.1")}

    assert signer.kind(make_place(request=changes)) is None


def test_a_plan_ends_and_its_waiting_leg_has_as_long_again(signer: Signer) -> None:
    plan = make_plan()
    for at_ms, kind in ((4_000, None), (4_001, K.DEADLINE)):
        signer.now_ns = NOW_MS * NS_PER_MS + at_ms * NS_PER_MS
        intent = make_place(plan, leg=0 if kind else 1, now_ms=NOW_MS + at_ms)
        assert signer.kind(intent) is kind


def test_the_size_of_a_leg_is_signed_once_however_many_ids_ask_for_it(signer: Signer) -> None:
    plan = make_plan()
    half = {"size_base": Decimal("0.25")}

    kinds = [
        signer.kind(make_place(plan, name=f"{plan.plan_id}-o{n}", request=half)) for n in range(3)
    ]

    assert kinds == [None, None, K.ORDER]


# ---- plans that a hostile engine could make up --------------------------------------------------


def legs(*, buy: dict[str, Any] | None = None, sell: dict[str, Any] | None = None) -> Any:
    return (
        structs.replace(make_leg("binance", Side.BUY), **buy or {}),
        structs.replace(make_leg("kraken", Side.SELL, price="60600"), **sell or {}),
    )


BEHIND = Decimal(10_000 + PRICE_BPS_MAX) / 10_000


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        (make_plan(legs=legs(buy={"price_limit": Decimal(60_000) * BEHIND})), None),
        (make_plan(legs=legs(buy={"price_limit": Decimal("60000.01") * BEHIND})), K.PROFIT),
        (make_plan(legs=legs(sell={"price_limit": Decimal(57_569)})), K.PROFIT),
        (make_plan(legs=legs(sell={"notional_quote": Decimal(30_059)})), K.PROFIT),
        (make_plan(legs=legs(buy={"notional_quote": Decimal(1)})), K.PROFIT),
        (make_plan(legs=legs(buy={"notional_quote": Decimal(0)})), K.PLAN),
        (make_plan(legs=legs(buy={"notional_quote": Decimal("NaN")})), K.PLAN),
        (make_plan(legs=legs(buy={"notional_quote": Decimal("Infinity")})), K.PROFIT),
        (make_plan(legs=legs(sell={"side": Side.BUY})), K.PLAN),
        (make_plan(profit_quote=Decimal(0)), K.PROFIT),
        (make_plan(notional_usd=Decimal(60_001)), K.CAP),
        (make_plan(usd_per_quote=Decimal("1e30")), K.PLAN),
        (make_plan(notional_usd=Decimal("NaN")), K.PLAN),
        (make_plan(notional_usd=Decimal("1e999999")), K.PLAN),
    ],
)
def test_a_plan_gains_by_its_own_amounts_with_limits_near_them(
    signer: Signer, plan: Any, kind: RefusalKind | None
) -> None:
    assert signer.kind(make_place(plan)) is kind


def test_what_an_order_moves_is_the_most_of_what_is_said_and_of_least_prices() -> None:
    plan = make_plan(notional_usd=Decimal(1), usd_per_quote=Decimal("0.0001"))
    signer = Signer(terms=replace(TERMS, usd_least={"BTC": Decimal(130_000)}))
    reply = signer.sign(make_place(plan))
    signer.close()

    assert isinstance(reply, SignRefusal)
    assert "it moves 65000.00 USD" in reply.detail


def test_with_real_money_what_nobody_has_a_least_price_of_is_not_traded() -> None:
    def said(**least: Decimal) -> str:
        pair_legs = tuple(
            structs.replace(
                leg,
                instrument=replace(leg.instrument, pair=replace(leg.instrument.pair, quote="EURC")),
            )
            for leg in legs()
        )
        signer = Signer(terms=replace(TERMS, is_real=True, usd_least=least))
        reply = signer.sign(make_place(make_plan(legs=pair_legs)))
        signer.close()
        return reply.detail if isinstance(reply, SignRefusal) else ""

    assert "SYNDICATE_SIGNER_USD_LEAST names it" in said()
    assert said(EURC=Decimal(1)) == ""


# ---- what trades back ---------------------------------------------------------------------------


def test_nothing_is_unwound_of_which_nothing_was_signed(signer: Signer) -> None:
    reply = signer.sign(make_unwinding())

    assert isinstance(reply, SignRefusal)
    assert "nothing is to undo" in reply.detail


def test_a_leg_is_traded_back_within_its_size_a_band_an_hour_and_a_number_of_tries(
    signer: Signer,
) -> None:
    plan = make_plan()
    leg = plan.legs[0]
    least = leg.price_limit * (10_000 - UNWIND_PRICE_BPS_MAX) / 10_000
    assert signer.kind(make_place(plan)) is None

    def kind(name: str, **request: Any) -> RefusalKind | None:
        return signer.kind(make_unwinding(plan, name=name, request=request))

    assert kind("a", size_base=most_unwound(leg) + Decimal("0.0001")) is K.ORDER
    assert kind("b", price_limit=least - Decimal("0.01")) is K.ORDER
    assert kind("c", side=Side.BUY) is K.ORDER
    assert kind("d", wire_name="ETHUSD") is K.ORDER
    for number in range(UNWINDINGS_MAX):
        signer.now_ns += NS_PER_S
        now_ms = signer.now_ns // NS_PER_MS
        request = {"size_base": most_unwound(leg), "price_limit": least}
        intent = make_unwinding(plan, name=f"u{number}", now_ms=now_ms, request=request)
        signer.usd_cap = Decimal(10**9)
        expected = None if number < 3 else K.CAP  # three times 31,500 USD are the day's 100,000
        assert signer.kind(intent) is expected, number


def test_tries_and_the_hour_bound_what_trades_back() -> None:
    signer = Signer(terms=replace(TERMS, notional_day_usd=Decimal(10**9)))
    plan = make_plan()
    assert signer.kind(make_place(plan)) is None
    kinds = []
    for number in range(UNWINDINGS_MAX + 1):
        signer.now_ns += NS_PER_S
        now_ms = signer.now_ns // NS_PER_MS
        kinds.append(signer.kind(make_unwinding(plan, name=f"u{number}", now_ms=now_ms)))
    assert kinds == [None] * UNWINDINGS_MAX + [K.ORDER]
    signer.now_ns += UNWINDS_MS_MAX * NS_PER_MS
    late = make_unwinding(plan, leg=1, name="late", now_ms=signer.now_ns // NS_PER_MS)
    assert signer.kind(late) is K.DEADLINE
    signer.close()


def test_what_unwinds_has_caps_of_its_own() -> None:
    signer = Signer(terms=replace(TERMS, notional_day_usd=Decimal(40_000), orders_day=1))
    plan = make_plan()

    assert signer.kind(make_place(plan)) is None
    assert signer.kind(make_place(plan, leg=1)) is K.CAP
    assert signer.kind(make_unwinding(plan)) is None
    signer.close()


# ---- what protects or asks ----------------------------------------------------------------------


def asks(plan: Any) -> list[Any]:
    request = make_place(plan).ask.request  # type: ignore[union-attr]
    return [
        CancelAsk(request=request),
        LookUpAsk(request=request, made_since_ms=NOW_MS),
        OpenOrdersAsk(),
        TradesAsk(wire_name="BTCUSD", since_ms=NOW_MS),
        BalancesAsk(),
        HoldOffAsk(),
        StreamAsk(wire_names=("BTCUSD",)),
    ]


def test_what_protects_or_asks_is_signed_while_killed_and_closed(signer: Signer) -> None:
    signer.why = SignRefusal(kind=K.KILLED, detail="killed")
    signer.why_closed = "closed"

    for ask in asks(make_plan()):
        reply = signer.sign(VenueIntent(venue=make_plan().legs[0].venue, ask=ask))
        assert isinstance(reply, VenueSigned), reply
    assert signer.kind(make_place()) is K.KILLED
    signer.why = None
    assert signer.kind(make_place()) is K.MODE
    assert signer.kind(make_unwinding()) is K.MODE
    assert signer.kind(make_test()) is K.MODE


def test_an_order_of_somebody_else_is_not_cancelled(signer: Signer) -> None:
    request = structs.replace(make_place().ask.request, wire_id="web-1234")  # type: ignore[union-attr]
    intent = VenueIntent(venue=request.venue, ask=CancelAsk(request=request, venue_order_id="5"))

    assert signer.kind(intent) is K.ORDER


def test_whoever_asks_too_fast_is_refused_and_cancels_are_not_held_up_by_it(
    signer: Signer,
) -> None:
    venue = make_plan().legs[0].venue
    request = make_place().ask.request  # type: ignore[union-attr]
    balances = VenueIntent(venue=venue, ask=BalancesAsk())
    kinds = [signer.kind(balances) for _ in range(1_000)]
    assert kinds[:100] == [None] * 100
    assert kinds[-1] is K.RATE
    assert signer.kind(VenueIntent(venue=venue, ask=CancelAsk(request=request))) is None
    assert signer.kind(make_place()) is None
    signer.now_ns += NS_PER_S
    assert signer.kind(balances) is None


def test_orders_come_no_faster_than_the_venue_takes_them() -> None:
    signer = Signer(terms=replace(TERMS, notional_day_usd=Decimal(10**9)))
    signer.usd_cap = Decimal(10**9)
    signer.restart()
    burst = int(signer.desk._venues["binance"].gateway.pace.orders_burst)

    kinds = [signer.kind(make_place(make_plan(number))) for number in range(burst + 1)]

    assert kinds == [None] * burst + [K.RATE]
    signer.close()


def test_while_its_key_is_locked_nothing_is_signed_for_a_venue() -> None:
    signer = Signer()
    signer.desk._venues["binance"].sign = None

    for intent in (make_place(), VenueIntent(venue=make_plan().legs[0].venue, ask=BalancesAsk())):
        reply = signer.sign(intent)
        assert kind_of(reply) is K.LOCKED
    signer.close()


# ---- self-tests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", VENUES)
def test_a_small_order_that_may_only_rest_is_signed_before_anybody_goes_live(
    signer: Signer, venue: str
) -> None:
    assert signer.kind(make_test(venue)) is None
    assert signer.kind(make_test(venue)) is K.REPEAT


@pytest.mark.parametrize(
    "request_",
    [
        {"side": Side.SELL},
        {"time_in_force": TimeInForce.IMMEDIATE_OR_CANCEL},
        {"price_limit": TEST_USD_MAX * 1_000 + 1},
        {"wire_name": "ETHBTC"},
        {"wire_id": wire_id_of("x", engine_id="main")},
    ],
)
def test_an_order_of_a_self_test_buys_for_a_few_dollars_and_takes_nothing(
    signer: Signer, request_: dict[str, Any]
) -> None:
    assert signer.kind(make_test(**request_)) is K.ORDER


def test_an_order_of_a_self_test_carries_no_plan_and_unwinds_nothing(signer: Signer) -> None:
    with_plan = structs.replace(make_test(), plan=make_plan())
    assert signer.kind(with_plan) is K.ORDER
    late = structs.replace(make_test(), latest_ms=NOW_MS + 10_001)
    assert signer.kind(late) is K.DEADLINE
    back = structs.replace(make_test(number=2), purpose=Purpose.UNWIND)
    assert signer.kind(back) is None  # it is looked at as a test all the same
    assert signer.kind(make_unwinding()) is K.ORDER


def test_self_tests_are_a_few_a_day(signer: Signer) -> None:
    kinds = []
    for number in range(26):
        signer.now_ns += NS_PER_S
        kinds.append(signer.kind(make_test(number=number, now_ms=signer.now_ns // NS_PER_MS)))

    assert kinds == [None] * 24 + [K.CAP] * 2
