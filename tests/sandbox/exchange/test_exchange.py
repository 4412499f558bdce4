"""Money is neither made nor lost at an exchange of the sandbox, and nothing is had twice."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.model import (
    ClientIds,
    FeeFrom,
    Life,
    Ordered,
    OwnOrder,
    Reason,
    Refused,
    State,
    VenueTerms,
)
from tests.sandbox.exchange.place import BEGIN_MS, StillBooks, place_of

levels = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 30)), max_size=5)
orders = st.tuples(
    st.booleans(),
    st.integers(1, 90),
    st.integers(60, 140),
    st.sampled_from(list(Life)),
    st.integers(0, 3),
)


def books_of(asks: list[tuple[int, int]], bids: list[tuple[int, int]]) -> StillBooks:
    books = StillBooks("BTCUSD")
    books.asks = [
        (Decimal(100 + price), Decimal(size) / 10) for price, size in sorted(dict(asks).items())
    ]
    books.bids = [
        (Decimal(100 - price), Decimal(size) / 10) for price, size in sorted(dict(bids).items())
    ]
    return books


def totals(exchange: Exchange) -> dict[str, Decimal]:
    return {asset: one.free + one.held for asset, one in exchange.balances.items()}


def check(exchange: Exchange, begin: dict[str, Decimal]) -> None:
    """Compare balances with what the fills changed, and what is held with what is open."""
    expected = dict(begin)
    for fill in exchange.fills:
        order = exchange.by_number(fill.order_number)
        assert order is not None
        sign = 1 if order.ordered.is_buy else -1
        expected["BTC"] += sign * fill.size
        expected["USD"] -= sign * fill.size * fill.price
        expected[fill.fee_asset] -= fill.fee
        limit = order.ordered.price
        assert fill.price <= limit if order.ordered.is_buy else fill.price >= limit
    assert totals(exchange) == expected
    for one in exchange.balances.values():
        assert one.free >= 0
        assert one.held >= 0
    held = dict.fromkeys(exchange.balances, Decimal(0))
    for order in exchange.open_orders():
        held["USD" if order.ordered.is_buy else "BTC"] += order.held
    assert {asset: one.held for asset, one in exchange.balances.items()} == held


@given(
    asks=levels,
    bids=levels,
    asked=st.lists(orders, max_size=12),
    fees=st.tuples(st.sampled_from(list(FeeFrom)), st.sampled_from(["", "BNB"])),
    later=st.lists(levels, max_size=2),
)
def test_balances_are_what_fills_and_fees_made_of_them(
    asks: list[tuple[int, int]],
    bids: list[tuple[int, int]],
    asked: list[tuple[bool, int, int, Life, int]],
    fees: tuple[FeeFrom, str],
    later: list[list[tuple[int, int]]],
) -> None:
    terms = VenueTerms(
        venue="any",
        client_ids=ClientIds.REFUSED_WHILE_OPEN,
        fee_from=fees[0],
        taker_ratio=Decimal("0.0026"),
        maker_ratio=Decimal("0.0011"),
        third_asset=fees[1],
    )
    begin = {"USD": Decimal(3_000), "BTC": Decimal(20), "BNB": Decimal("0.003")}
    books = books_of(asks, bids)
    exchange = Exchange(terms, books, begin)

    for number, (is_buy, size, price, life, client) in enumerate(asked):
        ordered = Ordered(
            client_id=f"c{client}",
            wire_name="BTCUSD",
            is_buy=is_buy,
            size=Decimal(size) / 10,
            price=Decimal(price),
            life=life,
        )
        made = exchange.place(ordered, BEGIN_MS + number)
        if isinstance(made, OwnOrder) and life is Life.WHOLE_OR_NOT:
            assert made.state in (State.FILLED, State.EXPIRED)
            assert made.filled in (0, ordered.size)
        if isinstance(made, OwnOrder) and life is Life.IMMEDIATE:
            assert made.state is not State.OPEN
        check(exchange, begin)
        bought = sum(
            (one.size for one in exchange.fills if not one.is_maker and _is_buy(exchange, one)),
            start=Decimal(0),
        )
        assert bought <= sum((one for _, one in books.asks), start=Decimal(0))
    for number, crossed in enumerate(later):
        books.asks = books_of(crossed, []).asks
        exchange.advance(BEGIN_MS + 100 + number)
        check(exchange, begin)
    exchange.cancel_all(BEGIN_MS + 200)
    check(exchange, begin)
    assert all(one.held == 0 for one in exchange.balances.values())


def _is_buy(exchange: Exchange, fill: object) -> bool:
    order = exchange.by_number(getattr(fill, "order_number", -1))
    return order is not None and order.ordered.is_buy


def test_what_an_order_took_of_a_level_is_gone_until_the_level_changes() -> None:
    at = place_of("gemini")
    first, second, third = (_taker(at.books.wire_name, f"c{n}") for n in range(3))

    at.exchange.place(first, BEGIN_MS)
    at.exchange.place(second, BEGIN_MS + 1)
    at.books.asks[0] = (at.books.asks[0][0], Decimal("0.4"))
    at.exchange.place(third, BEGIN_MS + 2)

    assert [one.size for one in at.exchange.fills] == [Decimal("0.5"), Decimal("0.4")]


def test_a_market_that_is_closed_takes_no_order() -> None:
    at = place_of("gemini")
    at.books.is_open = False

    assert at.exchange.place(_taker(at.books.wire_name, "c"), BEGIN_MS) == Refused(Reason.CLOSED)


def _taker(wire_name: str, client_id: str) -> Ordered:
    return Ordered(
        client_id=client_id,
        wire_name=wire_name,
        is_buy=True,
        size=Decimal("0.5"),
        price=Decimal("100.01"),
        life=Life.IMMEDIATE,
    )
