"""User streams of the sandbox's exchanges, opened by the gateways: what is told is the account."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.venue_orders import OrderRequest, Stage, TimeInForce, wire_id_of
from engine.sandbox.exchange.doors.door_list import DOORS
from engine.sandbox.exchange.model import Life, Ordered
from tests.sandbox.exchange.listener import Listener
from tests.sandbox.exchange.place import BEGIN_MS, Place, place_of

of_each = pytest.mark.parametrize("venue", DOORS)
TELL_BALANCES = ("binance", "gemini")
LATE_MS = 600_000


class Ear:
    """A listener on a place's own stream."""

    def __init__(self, at: Place, begin_ms: int = BEGIN_MS) -> None:
        self.at = at
        self.now_ms = begin_ms
        self.told = Listener(at.gateway)
        self.session, self.first = at.listen(lambda: self.now_ms)
        for frame in self.first:
            self.told.hear(frame)

    def listen(self) -> Listener:
        """Hear what happened since."""
        changed, self.at.exchange.changed = self.at.exchange.changed, []
        for change in changed:
            for frame in self.session.told(change):
                self.told.hear(frame)
        return self.told


def order(at: Place, number: int = 1, **change: Any) -> OrderRequest:
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


def taker(at: Place) -> Ordered:
    return Ordered(
        client_id="c",
        wire_name=at.books.wire_name,
        is_buy=True,
        size=Decimal("0.1"),
        price=Decimal("101.01"),
        life=Life.IMMEDIATE,
    )


def put(at: Place, request: OrderRequest) -> None:
    at.ask(at.gateway.place(request), BEGIN_MS)


@of_each
def test_the_stream_is_opened_by_the_gateways_own_opening_and_is_ready(venue: str) -> None:
    ear = Ear(place_of(venue))

    assert ear.told.readies == {"bitstamp": 2}.get(venue, 1)
    assert ear.told.gaps == []


@of_each
@pytest.mark.parametrize("size", ["0.7", "1.5", "2"])
def test_what_is_told_of_an_order_is_the_account(venue: str, size: str) -> None:
    at = place_of(venue)
    ear = Ear(at)

    put(at, order(at, size_base=Decimal(size)))

    told = ear.listen()
    assert told.differences(at.exchange) == []
    assert told.gaps == []
    (shown,) = told.orders.values()
    assert shown.stage.is_final
    if venue in TELL_BALANCES:
        assert set(told.balances) == {"USD", "BTC"}


@of_each
def test_an_order_that_rests_is_told_filled_when_the_book_comes_to_it(venue: str) -> None:
    at = place_of(venue)
    ear = Ear(at)
    price = Decimal("99.5")
    put(at, order(at, time_in_force=TimeInForce.POST_ONLY, price_limit=price))
    assert [one.stage for one in ear.listen().orders.values()] in ([Stage.OPEN], [Stage.PENDING])

    at.books.asks.insert(0, (Decimal("99.4"), Decimal("0.3")))
    at.door.advance(BEGIN_MS + 50)
    assert ear.listen().differences(at.exchange) == []
    at.books.asks[0] = (Decimal("99.4"), Decimal("0.9"))
    at.door.advance(BEGIN_MS + 90)

    told = ear.listen()
    assert told.differences(at.exchange) == []
    assert [(one.stage, one.filled_base) for one in told.orders.values()] == [
        (Stage.FILLED, Decimal("0.7"))
    ]
    assert {one.price for one in at.exchange.fills} == {price}


@of_each
def test_a_cancellation_is_told_under_the_orders_own_id(venue: str) -> None:
    at = place_of(venue)
    ear = Ear(at)
    request = order(at, time_in_force=TimeInForce.POST_ONLY, price_limit=Decimal("99.5"))
    put(at, request)

    at.exchange.cancel(at.exchange.orders[0], BEGIN_MS + 5)

    told = ear.listen()
    assert told.differences(at.exchange) == []
    assert [(one.wire_id, one.stage) for one in told.orders.values()] == [
        (request.wire_id, Stage.CANCELLED)
    ]


@pytest.mark.parametrize("venue", ["coinbase", "kraken"])
def test_a_stream_begins_with_what_is_open_where_the_venue_says_so(venue: str) -> None:
    at = place_of(venue)
    put(at, order(at, time_in_force=TimeInForce.POST_ONLY, price_limit=Decimal("99.5")))
    put(at, order(at, 2, size_base=Decimal("0.2")))

    told = Ear(at).told

    resting = [one for one in told.orders.values() if not one.stage.is_final]
    assert [one.wire_id for one in resting] == [at.exchange.orders[0].ordered.client_id]
    assert len(told.trades) == (1 if venue == "kraken" else 0)


@of_each
@pytest.mark.parametrize("trouble", ["late", "revoked", "another key"])
def test_what_is_not_signed_now_with_the_accounts_key_opens_nothing(
    venue: str, trouble: str
) -> None:
    at = place_of(venue)
    opening = at.opening(BEGIN_MS)
    later_ms = BEGIN_MS + (LATE_MS if trouble == "late" else 0)
    if trouble == "revoked":
        at.door.key = replace(at.door.key, is_revoked=True)
    if trouble == "another key":
        at = place_of(venue)  # it has given no token
        at.door.key = replace(at.door.key, name="another", secret="b3RoZXI=")

    session, frames = at.open(opening, lambda: later_ms)

    told = Listener(at.gateway)
    for frame in frames:
        told.hear(frame)
    put(at, order(at))
    at.exchange.place(taker(at), BEGIN_MS)
    heard = [] if session is None else [session.told(one) for one in at.exchange.changed]
    assert told.readies == 0
    assert session is None or told.gaps
    assert at.exchange.changed
    assert not any(heard)


@of_each
def test_any_text_is_answered_or_passed_over(venue: str) -> None:
    session, _ = place_of(venue).listen(lambda: BEGIN_MS)

    for text in ("", "{", "[]", "null", '{"method":1}', '{"event":"bts:subscribe","data":4}'):
        for frame in session.received(text).frames:
            assert isinstance(msgspec.json.decode(frame), dict)


asked = st.tuples(
    st.booleans(),
    st.integers(1, 30),
    st.integers(92, 108),
    st.sampled_from(list(Life)),
    st.sampled_from(["place", "place", "place", "cancel", "book", "others"]),
)


@given(venue=st.sampled_from(sorted(DOORS)), does=st.lists(asked, max_size=12))
def test_whatever_happens_to_an_account_is_told(
    venue: str, does: list[tuple[bool, int, int, Life, str]]
) -> None:
    at = place_of(venue, usd="900", btc="4")
    ear = Ear(at)
    for number, (is_buy, tenths, price, life, what) in enumerate(does):
        ear.now_ms += 7
        if what == "cancel":
            at.exchange.cancel_all(ear.now_ms)
        elif what == "book":
            at.books.asks = [(Decimal(price), Decimal(tenths) / 10)]
            at.books.bids = [(Decimal(price - 1), Decimal(tenths) / 10)]
            at.door.advance(ear.now_ms)
        elif what == "others":
            at.exchange.pay("USD", Decimal(-tenths), ear.now_ms)
        else:
            at.exchange.place(
                Ordered(
                    client_id=wire_id_of(f"o{number}", engine_id="main"),
                    wire_name=at.books.wire_name,
                    is_buy=is_buy,
                    size=Decimal(tenths) / 10,
                    price=Decimal(price),
                    life=life,
                ),
                ear.now_ms,
            )
        told = ear.listen()
        assert told.differences(at.exchange) == []
        assert told.gaps == []
    assert ear.told.repeats == 0
