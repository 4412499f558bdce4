"""What a venue shows is held against what is written: each difference has its name and its end."""

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from engine.domain.opportunities import Side
from engine.domain.venue_orders import (
    BalanceShown,
    OrderRequest,
    OrderShown,
    Stage,
    TimeInForce,
    TradeShown,
    wire_id_of,
)
from engine.gateways.answers import Page, Placed
from engine.gateways.gateway_list import GATEWAYS
from engine.sandbox.exchange.model import Life, Ordered, State
from engine.trading.reconcile import (
    CONSEQUENCES,
    Account,
    Difference,
    Kind,
    Rules,
    Then,
    Written,
    reconcile,
    worst,
)
from tests.sandbox.exchange.place import BEGIN_MS, Place, place_of

RULES = Rules(engine_id="main")
of_each = pytest.mark.parametrize("venue", GATEWAYS)


class Books:
    """What is written of the orders of one venue, and what that comes to."""

    def __init__(self, at: Place) -> None:
        self.at = at
        self.orders: dict[str, Written] = {}
        self.begin = {name: one.free for name, one in at.exchange.balances.items()}

    def put(self, number: int, **change: object) -> OrderRequest:
        """Place an order, and write down what is told of it."""
        asked = OrderRequest(
            wire_id=wire_id_of(f"o{number}", engine_id="main"),
            venue=self.at.gateway.venue,
            wire_name=self.at.books.wire_name,
            side=Side.BUY,
            size_base=Decimal("0.7"),
            price_limit=Decimal("101.01"),
            sent_before_ms=BEGIN_MS + 10_000,
        )
        asked = msgspec.structs.replace(asked, **change)
        answer = self.at.ask(self.at.gateway.place(asked), BEGIN_MS + number)
        told = self.at.gateway.placed(asked, answer.status, answer.body)
        assert isinstance(told, Placed)
        self.orders[asked.wire_id] = Written(
            request=asked, venue_order_id=told.shown.venue_order_id, is_ended=True, trades={}
        )
        return asked

    def rest(self, number: int) -> OrderRequest:
        """Place an order that rests, and write it down as open."""
        asked = self.put(number, time_in_force=TimeInForce.POST_ONLY, price_limit=Decimal("90.00"))
        self.orders[asked.wire_id] = replace(self.orders[asked.wire_id], is_ended=False)
        return asked

    def shown(self, at_ms: int) -> Account:
        """Read all that the venue shows."""
        gateway, ask = self.at.gateway, self.at.ask
        call = gateway.open_orders()
        answer = ask(call, at_ms)
        orders = gateway.orders_page(call, answer.status, answer.body)
        answer = ask(gateway.trades(self.at.books.wire_name, BEGIN_MS - 1_000), at_ms)
        trades = gateway.trades_page(answer.status, answer.body)
        answer = ask(gateway.balances(), at_ms)
        balances = gateway.balances_page(answer.status, answer.body)
        assert isinstance(orders, Page)
        assert isinstance(trades, Page)
        assert isinstance(balances, Page)
        return Account(
            open_orders=orders.items,
            trades=trades.items,
            balances=balances.items,
            since_ms=BEGIN_MS - 1_000,
        )

    def expected(self) -> dict[str, Decimal]:
        """Add up what is written."""
        total = dict(self.begin)
        for own in self.orders.values():
            sign = 1 if own.request.side is Side.BUY else -1
            for trade in own.trades.values():
                total["BTC"] += sign * trade.size_base
                total["USD"] -= sign * trade.size_base * trade.price
                total[trade.fee_asset or "USD"] -= trade.fee
        return total

    def compare(self, shown: Account, rules: Rules = RULES) -> list[Difference]:
        """Compare."""
        return reconcile(self.orders.values(), shown, self.expected(), rules)

    def book(self, differences: Sequence[Difference]) -> None:
        """Write down the fills that nobody told."""
        for one in differences:
            if one.then is Then.BOOK and one.trade is not None:
                trade = one.trade
                (own,) = (
                    own
                    for own in self.orders.values()
                    if trade.wire_id == own.request.wire_id
                    or trade.venue_order_id == own.venue_order_id
                )
                trades = {**own.trades, trade.trade_id: trade}
                self.orders[own.request.wire_id] = replace(own, trades=trades)


def kinds(differences: Sequence[Difference]) -> list[Kind]:
    return [one.kind for one in differences]


@of_each
def test_fills_that_nobody_told_are_named_booked_and_then_all_is_equal(venue: str) -> None:
    books = Books(place_of(venue))
    for number in range(1, 4):
        books.put(number)
        books.at.books.asks = [(price, size + 1) for price, size in books.at.books.asks]

    first = books.compare(books.shown(BEGIN_MS + 10))
    books.book(first)

    assert set(kinds(first)) == {Kind.FILL_UNTOLD}
    assert len(first) == len(books.at.exchange.fills)
    assert books.compare(books.shown(BEGIN_MS + 20)) == []


@of_each
def test_an_order_that_rests_on_both_sides_is_no_difference(venue: str) -> None:
    books = Books(place_of(venue))

    books.rest(1)

    assert books.compare(books.shown(BEGIN_MS + 10)) == []


@of_each
def test_an_order_that_is_open_here_alone_has_to_be_looked_up(venue: str) -> None:
    books = Books(place_of(venue))
    asked = books.rest(1)
    books.at.exchange.cancel_all(BEGIN_MS + 5)

    (difference,) = books.compare(books.shown(BEGIN_MS + 10))

    assert (difference.kind, difference.about) == (Kind.ORDER_GONE, asked.wire_id)
    assert difference.then is Then.LOOK_UP


@of_each
def test_an_order_that_is_open_there_alone_is_cancelled(venue: str) -> None:
    books = Books(place_of(venue))
    asked = books.rest(1)
    books.orders[asked.wire_id] = replace(books.orders[asked.wire_id], is_ended=True)

    (difference,) = books.compare(books.shown(BEGIN_MS + 10))

    assert difference.kind is Kind.ORDER_OPEN
    assert difference.then is Then.CANCEL


@of_each
def test_an_order_with_our_id_that_is_written_nowhere_is_cancelled_and_one_of_others_is_not(
    venue: str,
) -> None:
    books = Books(place_of(venue))
    for number, client_id in enumerate((wire_id_of("lost", engine_id="main"), "by-hand")):
        ordered = Ordered(
            client_id=client_id,
            wire_name=books.at.books.wire_name,
            is_buy=True,
            size=Decimal("0.1"),
            price=Decimal(90),
            life=Life.UNTIL_CANCELLED,
        )
        books.at.exchange.place(ordered, BEGIN_MS + number, is_foreign=True)

    found = books.compare(books.shown(BEGIN_MS + 10))

    assert [(one.kind, one.then) for one in found] == [
        (Kind.ORPHAN, Then.CANCEL),
        (Kind.FOREIGN, Then.NOTE),
    ]
    assert all(one.state is State.OPEN for one in books.at.exchange.orders)


@of_each
def test_a_balance_that_the_books_do_not_explain_halts_the_venue(venue: str) -> None:
    books = Books(place_of(venue))
    books.at.exchange.balances["USD"].free -= Decimal("0.01")
    shown = books.shown(BEGIN_MS + 10)

    (difference,) = books.compare(shown)

    assert (difference.kind, difference.about) == (Kind.BALANCE, "USD")
    assert difference.then is Then.HALT
    assert "-0.01" in difference.sentence
    assert books.compare(shown, replace(RULES, dust={"USD": Decimal("0.01")})) == []
    (shared,) = books.compare(shown, replace(RULES, may_have_others=True))
    assert shared.then is Then.NOTE


def booked() -> tuple[Books, Account]:
    """Return books that equal what is shown, with fills."""
    books = Books(place_of("gemini"))
    books.put(1)
    books.book(books.compare(books.shown(BEGIN_MS + 10)))
    shown = books.shown(BEGIN_MS + 20)
    assert books.compare(shown) == []
    return books, shown


def test_a_fill_that_the_venue_does_not_list_halts_it() -> None:
    books, shown = booked()

    found = books.compare(replace(shown, trades=shown.trades[1:]))

    assert kinds(found) == [Kind.FILL_UNLISTED]
    assert worst(found) is Then.HALT


def test_a_fill_from_before_what_is_listed_is_not_missed() -> None:
    books, shown = booked()

    assert books.compare(replace(shown, trades=(), since_ms=BEGIN_MS + 15)) == []


@pytest.mark.parametrize("name", ["price", "size_base", "fee"])
def test_a_fill_that_is_another_there_halts_the_venue(name: str) -> None:
    books, shown = booked()
    first, *rest = shown.trades
    changed = msgspec.structs.replace(first, **{name: getattr(first, name) + Decimal("0.001")})

    found = books.compare(replace(shown, trades=(changed, *rest)))

    assert kinds(found) == [Kind.FILL_OTHER]
    assert name in found[0].sentence


def test_a_trade_that_was_taken_back_is_not_listed_any_more() -> None:
    books, shown = booked()
    back = msgspec.structs.replace(shown.trades[0], is_reversal=True)

    found = books.compare(replace(shown, trades=(*shown.trades, back)))

    assert kinds(found) == [Kind.FILL_UNLISTED]


def test_another_order_under_our_id_halts_the_venue() -> None:
    books = Books(place_of("gemini"))
    books.rest(1)
    shown = books.shown(BEGIN_MS + 10)
    other = msgspec.structs.replace(shown.open_orders[0], size_base=Decimal(9))

    found = books.compare(replace(shown, open_orders=(other,)))

    assert kinds(found) == [Kind.ORDER_OTHER]


def test_fills_of_others_on_the_account_are_not_ours() -> None:
    books, shown = booked()
    other = msgspec.structs.replace(
        shown.trades[0], trade_id="x", venue_order_id="x", wire_id="by-hand"
    )

    assert books.compare(replace(shown, trades=(*shown.trades, other))) == []


def test_every_difference_has_a_consequence_and_the_gravest_counts() -> None:
    assert set(CONSEQUENCES) == set(Kind)
    assert worst([]) is None
    note = Difference(kind=Kind.FOREIGN, about="", sentence="")
    book = Difference(kind=Kind.FILL_UNTOLD, about="", sentence="")
    assert worst([note, book]) is Then.BOOK


def test_ten_thousand_orders_are_compared_with_each_of_their_fills() -> None:
    rng = random.Random(5)
    written: list[Written] = []
    trades: list[TradeShown] = []
    opened: list[OrderShown] = []
    for number in range(10_000):
        request = OrderRequest(
            wire_id=wire_id_of(f"o{number}", engine_id="main"),
            venue=place_of("gemini").gateway.venue if number == 0 else written[0].request.venue,
            wire_name="btcusd",
            side=Side.BUY,
            size_base=Decimal(1),
            price_limit=Decimal(100),
        )
        own = [
            TradeShown(
                trade_id=f"{number}-{part}",
                venue_order_id=str(number),
                wire_name="btcusd",
                side=Side.BUY,
                price=Decimal(100),
                size_base=Decimal("0.1"),
                fee=Decimal(0),
                at_ms=BEGIN_MS,
            )
            for part in range(rng.randrange(4))
        ]
        trades += own
        known = {one.trade_id: one for one in own if rng.random() < 0.9}
        is_open = rng.random() < 0.1
        if is_open:
            opened.append(_open(request, str(number)))
        written.append(
            Written(request=request, venue_order_id=str(number), is_ended=not is_open, trades=known)
        )

    shown = Account(
        open_orders=opened,
        trades=trades,
        balances=(BalanceShown(asset="USD", free=Decimal(0), held=Decimal(0)),),
        since_ms=0,
    )
    found = reconcile(written, shown, {}, RULES)

    known_count = sum(len(one.trades) for one in written)
    assert kinds(found).count(Kind.FILL_UNTOLD) == len(trades) - known_count == len(found)


def _open(request: OrderRequest, venue_order_id: str) -> OrderShown:
    return OrderShown(
        venue_order_id=venue_order_id,
        wire_id=request.wire_id,
        wire_name=request.wire_name,
        side=request.side,
        stage=Stage.OPEN,
    )
