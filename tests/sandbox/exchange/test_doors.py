"""Each gateway speaks with its venue's door: what is done there is what is read here."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.venue_orders import (
    KeyRights,
    OrderRequest,
    OrderShown,
    Stage,
    TimeInForce,
    TradeShown,
    wire_id_of,
)
from engine.gateways.answers import (
    CancelTaken,
    CancelVain,
    Found,
    NotFound,
    NotPlaced,
    Page,
    Unclear,
)
from engine.gateways.answers import Placed as PlacedAnswer
from engine.sandbox.exchange.doors.door_list import DOORS
from engine.sandbox.exchange.model import ClientIds
from tests.sandbox.exchange.place import BEGIN_MS, Place, place_of

of_each = pytest.mark.parametrize("venue", DOORS)


def order(at: Place, *, number: int = 1, **change: Any) -> OrderRequest:
    """Return a buy of 0.7 at 101.01: the first level whole, of the second a part."""
    asked = OrderRequest(
        wire_id=wire_id_of(f"o{number}", engine_id="main"),
        venue=VenueId(at.venue),
        wire_name=at.books.wire_name,
        side=Side.BUY,
        size_base=Decimal("0.7"),
        price_limit=Decimal("101.01"),
        sent_before_ms=BEGIN_MS + 10_000,
    )
    return msgspec.structs.replace(asked, **change)


def put(at: Place, request: OrderRequest, at_ms: int = BEGIN_MS) -> object:
    answer = at.ask(at.gateway.place(request), at_ms)
    return at.gateway.placed(request, answer.status, answer.body)


def found(at: Place, request: OrderRequest, venue_order_id: str = "") -> list[object]:
    told: list[object] = []
    for call in at.gateway.look_ups(request, venue_order_id, BEGIN_MS):
        answer = at.ask(call, BEGIN_MS + 5)
        told.append(at.gateway.looked_up(request, call, answer.status, answer.body))
    return told


def shown(at: Place, request: OrderRequest) -> tuple[list[OrderShown], list[TradeShown]]:
    """Return all that look-ups show of an order, first without and then with the venue's id."""
    first = [one for one in found(at, request) if isinstance(one, Found)]
    orders = [order for one in first for order in one.orders]
    for one in found(at, request, orders[0].venue_order_id):
        assert isinstance(one, Found | NotFound), one
        first += [one] if isinstance(one, Found) else []
    trades = [trade for one in first for trade in one.trades]
    trades += [trade for one in first for order in one.orders for trade in order.trades]
    return orders, trades


@of_each
def test_an_order_that_meets_the_book_is_placed_filled_and_shown_with_its_fees(venue: str) -> None:
    at = place_of(venue)
    request = order(at)

    assert isinstance(put(at, request), PlacedAnswer)
    orders, trades = shown(at, request)

    fills = {f"{one.price:f}": one for one in at.exchange.fills}
    by_id = {one.trade_id: one for one in trades}
    assert {one.stage for one in orders} == {Stage.FILLED}
    assert [one.differs_from(request) for one in orders] == [""] * len(orders)
    assert sum(one.size_base for one in by_id.values()) == Decimal("0.7")
    assert sum(one.fee for one in by_id.values()) == sum(one.fee for one in fills.values())
    assert {f"{one.price.normalize():f}" for one in by_id.values()} == {"100.01", "101.01"}


@of_each
def test_an_order_that_may_not_rest_ends_with_what_it_met(venue: str) -> None:
    at = place_of(venue)
    request = order(at, size_base=Decimal("1.5"))

    put(at, request)
    orders, trades = shown(at, request)

    assert orders[-1].stage in (Stage.CANCELLED, Stage.EXPIRED)
    assert sum(one.size_base for one in {t.trade_id: t for t in trades}.values()) == 1
    assert at.exchange.open_orders() == []


@of_each
def test_an_order_that_may_only_rest_rests_is_listed_and_cancelled_once(venue: str) -> None:
    at = place_of(venue)
    request = order(at, time_in_force=TimeInForce.POST_ONLY, price_limit=Decimal("99.5"))
    put(at, request)

    call = at.gateway.open_orders()
    answer = at.ask(call, BEGIN_MS + 1)
    page = at.gateway.orders_page(call, answer.status, answer.body)
    assert isinstance(page, Page)
    (resting,) = page.items
    assert (resting.stage, resting.wire_id) == (Stage.OPEN, request.wire_id)
    seen = []
    for second in (2, 3):
        cancel = at.gateway.cancel(request, resting.venue_order_id)
        assert cancel is not None
        answer = at.ask(cancel, BEGIN_MS + second)
        seen.append(at.gateway.cancelled(answer.status, answer.body))

    assert isinstance(seen[0], CancelTaken)
    assert isinstance(seen[1], CancelVain | CancelTaken)
    assert at.exchange.balances["USD"].held == 0


@of_each
def test_an_order_that_may_only_rest_and_would_not_is_cancelled(venue: str) -> None:
    at = place_of(venue)

    put(at, order(at, time_in_force=TimeInForce.POST_ONLY))

    assert at.exchange.fills == []
    assert at.exchange.open_orders() == []


@of_each
def test_what_was_never_placed_is_found_by_no_look_up(venue: str) -> None:
    at = place_of(venue)
    put(at, order(at, number=2))

    assert {type(one) for one in found(at, order(at, number=1))} == {NotFound}


@of_each
@pytest.mark.parametrize(
    ("change", "usd"),
    [
        ({}, "10"),
        ({"size_base": Decimal("0.0007")}, "1000000"),
        ({"price_limit": Decimal("101.011")}, "1000000"),
        ({"wire_name": "NONE"}, "1000000"),
    ],
)
def test_what_breaks_a_rule_is_refused_for_certain(
    venue: str, change: dict[str, Any], usd: str
) -> None:
    at = place_of(venue, usd=usd)

    assert isinstance(put(at, order(at, **change)), NotPlaced)
    assert at.exchange.orders == []


@of_each
def test_a_second_send_with_the_same_id_does_what_that_venue_does(venue: str) -> None:
    at = place_of(venue)
    request = order(at)
    put(at, request)

    again = put(at, request, BEGIN_MS + 1)

    rule = DOORS[venue][1].client_ids
    assert len(at.exchange.orders) == (2 if rule in _MAKE_TWO else 1)
    if rule is ClientIds.REFUSED:
        assert isinstance(again, Unclear)
        assert again.exists


_MAKE_TWO = (ClientIds.TAKEN, ClientIds.REFUSED_WHILE_OPEN)


@of_each
def test_whether_a_second_send_is_harmless_is_said_as_the_venue_is(venue: str) -> None:
    at = place_of(venue)

    is_answered = DOORS[venue][1].client_ids is ClientIds.ANSWERED

    assert at.gateway.rules.is_replay_harmless == is_answered


@of_each
def test_what_is_signed_with_another_secret_is_refused_and_does_nothing(venue: str) -> None:
    at = place_of(venue)
    signed = at.sign(at.gateway.place(order(at)), BEGIN_MS)
    names = ("x-auth-signature", "x-gemini-signature", "api-sign", "authorization")
    spoilt = {
        name: value[:-3] + "AAA" if name in names else value
        for name, value in signed.headers.items()
    }
    query = signed.query[:-3] + "000" if signed.query else ""

    answer = at.door.answer(replace(signed, headers=spoilt, query=query), BEGIN_MS)

    told = at.gateway.placed(order(at), answer.status, answer.body)
    assert isinstance(told, NotPlaced)
    assert at.exchange.orders == []


@of_each
def test_a_request_that_comes_too_late_or_behind_a_later_one_is_refused(venue: str) -> None:
    at = place_of(venue)
    late = at.sign(at.gateway.place(order(at)), BEGIN_MS)
    rules = at.gateway.rules
    if rules.is_fenced:
        at.ask(at.gateway.balances(), BEGIN_MS + 1)

    answer = at.door.answer(late, BEGIN_MS + rules.late_ms_max + 31_000)

    assert isinstance(at.gateway.placed(order(at), answer.status, answer.body), NotPlaced | Unclear)
    assert at.exchange.orders == []


@of_each
def test_balances_fees_and_trades_are_those_of_the_account(venue: str) -> None:
    at = place_of(venue)
    put(at, order(at))
    gateway = at.gateway

    answer = at.ask(gateway.balances(), BEGIN_MS + 1)
    balances = gateway.balances_page(answer.status, answer.body)
    assert isinstance(balances, Page)
    assert {one.asset: one.total for one in balances.items} == {
        asset: one.free + one.held for asset, one in at.exchange.balances.items()
    }
    (fee_call, *_) = gateway.fees([at.books.wire_name])
    answer = at.ask(fee_call, BEGIN_MS + 2)
    fees = gateway.fees_told(answer.status, answer.body)
    assert not isinstance(fees, Unclear)
    assert {one.taker_ratio for one in fees} == {at.exchange.terms.taker_ratio}
    answer = at.ask(gateway.trades(at.books.wire_name, BEGIN_MS - 1_000), BEGIN_MS + 3)
    trades = gateway.trades_page(answer.status, answer.body)
    assert isinstance(trades, Page)
    assert [one.size_base for one in trades.items] == [one.size for one in at.exchange.fills]
    assert [one.fee for one in trades.items] == [one.fee for one in at.exchange.fills]


@pytest.mark.parametrize("venue", ["binance", "coinbase", "gemini"])
@pytest.mark.parametrize("may_withdraw", [True, False])
def test_the_rights_of_the_key_are_told_where_the_venue_tells_them(
    venue: str, *, may_withdraw: bool
) -> None:
    at = place_of(venue, may_withdraw=may_withdraw)
    call = at.gateway.rights()
    assert call is not None

    answer = at.ask(call, BEGIN_MS)

    told = at.gateway.rights_told(answer.status, answer.body)
    assert isinstance(told, KeyRights)
    assert (told.may_trade, told.may_withdraw) == (True, may_withdraw)


@of_each
def test_any_request_is_answered(venue: str) -> None:
    at = place_of(venue)
    signed = at.sign(at.gateway.place(order(at)), BEGIN_MS)

    for body in (b"", b"{", b"\xff" * 30, b"a=b&c", b"[]"):
        for path in ("/", signed.path, "/api/v2/user_transactions/", "/0/private/OpenOrders"):
            answer = at.door.answer(replace(signed, path=path, body=body, query=""), BEGIN_MS)
            assert answer.status < 500
