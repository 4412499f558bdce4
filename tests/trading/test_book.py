"""The table of orders: what is handed over is placed once, whatever is asked twice or late."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.domain.errors import BadValueError, FatalError, TransientError
from engine.domain.instruments import VenueId
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate
from engine.domain.venue_orders import Stage
from engine.trading.acts import Told
from engine.trading.book import OrderBook
from engine.trading.kept import KeptOrder, absent, learned, unknown
from engine.trading.marks import VenueMark
from engine.trading.pruning import prune
from tests.sandbox.exchange.place import BEGIN_MS
from tests.trading.orders import ENGINE, handed, order_of, plan_at, trade

BINANCE = VenueId("binance")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[OrderBook]:
    opened = OrderBook(tmp_path / "orders.sqlite3")
    yield opened
    opened.close()


def take_on(book: OrderBook, *orders: HandedOrder) -> list[HandedOrder]:
    taken, refused = book.hand_over(orders, {})
    assert refused == {}
    return taken


def learn(book: OrderBook, one: HandedOrder, told: Told) -> KeptOrder:
    before = book.kept(one.client_order_id)
    assert before is not None
    now = learned(one, before, told, now_ns=1)
    book.keep(one, before, now)
    return now


def test_an_order_handed_over_twice_is_placed_once(book: OrderBook) -> None:
    one = handed()

    first = take_on(book, one)
    again = take_on(book, msgspec.structs.replace(one, at_ns=one.at_ns + 5))

    assert (first, again) == ([one], [])
    assert [each for each, _ in book.open_orders(BINANCE)] == [one]


def test_another_order_under_the_same_id_is_refused_with_all_that_came_beside(
    book: OrderBook,
) -> None:
    one, beside = handed(), handed(2)
    take_on(book, one)
    other = msgspec.structs.replace(
        one, request=msgspec.structs.replace(one.request, size_base=Decimal("0.6"))
    )

    with pytest.raises(BadValueError, match="as another order"):
        book.hand_over([beside, other], {})

    assert book.handed(beside.client_order_id) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"wire_id": "00000000-0000-8000-8000-000000000000"}, "the id of another order"),
        ({"venue": VenueId("gemini")}, "asks for an order at gemini"),
        ({"wire_name": "ETHUSD"}, "asks for ETHUSD"),
        ({"sent_before_ms": 0}, "until when"),
    ],
)
def test_an_order_that_is_not_what_its_id_and_plan_say_is_never_taken_on(
    book: OrderBook, change: dict[str, object], why: str
) -> None:
    one = handed()
    request = msgspec.structs.replace(one.request, **change)

    with pytest.raises(BadValueError, match=why):
        book.hand_over([msgspec.structs.replace(one, request=request)], {})

    assert book.count() == 0


def test_an_order_of_no_leg_of_its_plan_is_never_taken_on(book: OrderBook) -> None:
    with pytest.raises(BadValueError, match="of leg 2"):
        book.hand_over([msgspec.structs.replace(handed(), leg=2)], {})


def test_what_was_asked_after_before_it_came_is_refused_when_it_comes(book: OrderBook) -> None:
    one = handed()

    was_there = book.fence(one.client_order_id, one.venue, ENGINE, "its engine ended")
    taken, refused = book.hand_over([one], {})

    assert not was_there
    assert (taken, refused) == ([], {one.client_order_id: "its engine ended"})
    (told,) = book.untold(ENGINE, 0)
    assert (told.news.fate, told.news.why) == (OrderFate.NEVER, "its engine ended")
    assert not book.fence(one.client_order_id, one.venue, ENGINE, "asked again")
    assert len(book.untold(ENGINE, 0)) == 1


def test_what_is_not_taken_on_is_told_as_never_and_stays_so(book: OrderBook) -> None:
    one = handed()

    book.hand_over([one], {one.client_order_id: "binance is halted"})
    taken, refused = book.hand_over([one], {})

    assert (taken, refused) == ([], {one.client_order_id: "binance is halted"})
    assert [each.news.fate for each in book.untold(ENGINE, 0)] == [OrderFate.NEVER]
    assert book.open_orders(BINANCE) == []


def test_what_is_told_is_kept_until_it_is_acknowledged(book: OrderBook) -> None:
    one, other = handed(), handed(2)
    take_on(book, one, other)
    for each in (one, other):
        learn(book, each, Told(stage=Stage.OPEN, venue_order_id=f"v{each.client_order_id}"))
    learn(book, one, Told(stage=Stage.FILLED, filled_base=Decimal("0.7"), trades=(trade(),)))

    book.acknowledge((1, 3))

    assert [each.number for each in book.untold(ENGINE, 0)] == [2]
    assert book.untold("another", 0) == []
    last = book.told_of(one.client_order_id)
    assert last is not None
    assert (last.number, last.news.version, last.news.fate) == (3, 2, OrderFate.FILLED)


def test_the_very_same_word_is_told_once(book: OrderBook) -> None:
    one = handed()
    take_on(book, one)
    filled = Told(stage=Stage.FILLED, filled_base=Decimal("0.7"), trades=(trade(at_ms=0),))

    first = learn(book, one, filled)
    again = learn(book, one, filled)

    assert first == again
    assert len(book.untold(ENGINE, 0)) == 1


def test_an_order_is_not_told_as_filled_while_fills_are_missing(book: OrderBook) -> None:
    one = handed()
    take_on(book, one)

    part = learn(
        book, one, Told(stage=Stage.FILLED, filled_base=Decimal("0.7"), trades=(trade(size="0.3"),))
    )
    whole = learn(
        book,
        one,
        Told(stage=Stage.FILLED, filled_base=Decimal("0.7"), trades=(trade(2, size="0.4"),)),
    )

    assert part.news is not None
    assert whole.news is not None
    assert (part.news.fate, part.news.filled_base) == (OrderFate.TRADED, Decimal("0.7"))
    assert whole.news.fate is OrderFate.FILLED
    assert sum(one.size_base for one in whole.news.fills) == Decimal("0.7")


def test_what_fills_turned_is_counted_with_their_fees_and_taken_back_with_them(
    book: OrderBook,
) -> None:
    one = handed()
    take_on(book, one)
    book.keep_mark(BINANCE, VenueMark(outside={"USD": Decimal(1_000)}))  # type: ignore[dict-item]
    bought = Told(
        stage=Stage.FILLED,
        filled_base=Decimal("0.7"),
        trades=(trade(fee="0.001", fee_asset="BNB"),),
    )

    learn(book, one, bought)
    expected = book.mark(BINANCE).expected
    back = learn(
        book,
        one,
        Told(
            stage=Stage.FILLED,
            filled_base=Decimal(0),
            trades=(trade(fee="0.001", fee_asset="BNB", is_reversal=True),),
        ),
    )

    assert expected == {
        "BNB": Decimal("-0.001"),
        "BTC": Decimal("0.7"),
        "USD": Decimal(1_000) - Decimal("70.007"),
    }
    assert book.mark(BINANCE).expected == {"USD": Decimal(1_000)}
    assert back.news is not None
    assert (back.news.fate, back.news.fills) == (OrderFate.REVERSED, ())


def test_a_fee_whose_asset_is_not_said_is_paid_in_the_quote_asset(book: OrderBook) -> None:
    one = handed()
    take_on(book, one)

    kept = learn(book, one, Told(stage=Stage.FILLED, trades=(trade(fee_asset=""),)))

    assert kept.news is not None
    assert [fill.fee_asset for fill in kept.news.fills] == ["USD"]


def test_an_order_that_is_unknown_says_since_when_until_it_is_known(book: OrderBook) -> None:
    one = handed()
    kept = KeptOrder(client_order_id=one.client_order_id)

    lost = unknown(kept, one, "no answer", now_ns=7)
    still = unknown(lost, one, "no answer", now_ns=9)
    gone = absent(still, one, OrderFate.NEVER, "nowhere")

    assert (lost.unknown_since_ns, still.unknown_since_ns, gone.unknown_since_ns) == (7, 7, 0)
    assert still.news == lost.news
    assert gone.news is not None
    assert gone.news.version == 2


def test_all_of_it_is_there_after_a_restart(tmp_path: Path) -> None:
    path, one = tmp_path / "orders.sqlite3", handed()
    first = OrderBook(path)
    take_on(first, one)
    kept = learn(first, one, Told(stage=Stage.OPEN, venue_order_id="v1", trades=(trade(),)))
    first.close()

    again = OrderBook(path)

    assert again.open_orders(BINANCE) == [(one, kept)]
    assert again.find(BINANCE, wire_id="", venue_order_id="v1") == one.client_order_id
    assert again.find(BINANCE, wire_id=one.request.wire_id, venue_order_id="") == (
        one.client_order_id
    )
    assert again.find(VenueId("gemini"), wire_id=one.request.wire_id, venue_order_id="v1") is None
    again.close()


def test_legs_of_one_request_are_on_disk_together_or_not_at_all(tmp_path: Path) -> None:
    plan = plan_at("binance", "gemini")
    legs = [order_of(plan, 0), order_of(plan, 1)]

    class Ended(BaseException):
        pass

    def crash(where: str) -> None:
        if where == "before taking on":
            raise Ended

    book = OrderBook(tmp_path / "orders.sqlite3", crash=crash)
    with pytest.raises(Ended):
        book.hand_over(legs, {})
    assert book.count() == 0
    book.close()


def test_one_process_has_the_table(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite3"
    first = OrderBook(path)

    with pytest.raises(TransientError, match="only one may"):
        OrderBook(path)

    first.close()


def test_a_table_that_cannot_be_used_stops_everything(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite3"
    path.write_bytes(b"nothing that SQLite knows" * 100)

    with pytest.raises(FatalError, match="cannot be used"):
        OrderBook(path)


DAY_MS = 86_400_000
LATER_MS = BEGIN_MS + 1_000 * DAY_MS


def ended(book: OrderBook, number: int, *, at_ms: int = BEGIN_MS + 5) -> HandedOrder:
    """Have an order that was placed and filled, of which two words were told."""
    one = handed(number)
    take_on(book, one)
    before = book.kept(one.client_order_id)
    assert before is not None
    size = one.request.size_base
    opened = learned(one, before, Told(stage=Stage.OPEN), now_ns=1)
    book.keep(one, before, opened, now_ms=at_ms)
    filled = Told(stage=Stage.FILLED, filled_base=size, trades=(trade(number, size=str(size)),))
    now = msgspec.structs.replace(learned(one, opened, filled, now_ns=1), is_open=False)
    book.keep(one, opened, now, now_ms=at_ms)
    return one


def compare_since(book: OrderBook, since_ms: int) -> None:
    book.keep_mark(BINANCE, VenueMark(since_ms=since_ms))


def acknowledge_all(book: OrderBook) -> None:
    book.acknowledge([one.number for one in book.untold(ENGINE, 0)])


def prune_all(book: OrderBook, now_ms: int = LATER_MS) -> int:
    total = 0
    while gone := book.prune(now_ms):
        total += gone
    return total


def test_of_an_order_that_ended_long_ago_there_stays_that_its_id_was_used(book: OrderBook) -> None:
    old, last = ended(book, 1), ended(book, 2)
    acknowledge_all(book)
    compare_since(book, LATER_MS - DAY_MS)
    newest = book.newest_number(BINANCE)

    prune_all(book)

    assert book.handed(old.client_order_id) is None
    assert book.kept(old.client_order_id) is None
    assert book.told_of(old.client_order_id) is None
    assert book.newest_number(BINANCE) == book.newest_number() == newest
    assert book.count() == 2
    taken, refused = book.hand_over([old, last], {})
    assert taken == []
    assert set(refused) == {old.client_order_id, last.client_order_id}
    assert book.find(BINANCE, wire_id=old.request.wire_id, venue_order_id="") is not None
    assert book.mark(BINANCE).turned != {}


def test_nothing_that_is_open_or_not_acknowledged_or_not_compared_goes(book: OrderBook) -> None:
    unheard, open_one = ended(book, 1), handed(2)
    take_on(book, open_one)
    learn(book, open_one, Told(stage=Stage.OPEN))
    numbers = [one.number for one in book.untold(ENGINE, 0)]
    compare_since(book, LATER_MS - DAY_MS)

    assert prune_all(book) == 0
    assert [one.number for one in book.untold(ENGINE, 0)] == numbers
    acknowledge_all(book)
    compare_since(book, BEGIN_MS + 4)
    prune_all(book)
    assert book.kept(unheard.client_order_id) is not None, "its fills are still compared"
    compare_since(book, LATER_MS - DAY_MS)
    prune_all(book)
    assert book.handed(unheard.client_order_id) is None
    assert [each for each, _ in book.open_orders(BINANCE)] == [open_one]


def test_a_word_goes_once_another_stands_in_its_place_and_the_last_one_stays(
    book: OrderBook,
) -> None:
    one = ended(book, 1)
    first, last = book.untold(ENGINE, 0)
    book.acknowledge([first.number, last.number])
    at_ms = one.at_ns // 1_000_000

    assert prune_all(book, at_ms + DAY_MS) == 0
    assert prune_all(book, at_ms + DAY_MS + 1_000) == 1
    assert book.told_of(one.client_order_id) == last
    assert book.handed(one.client_order_id) == one


def test_what_goes_goes_little_by_little(book: OrderBook) -> None:
    orders = [ended(book, number) for number in range(1, 6)]
    acknowledge_all(book)
    compare_since(book, LATER_MS)

    sizes = []
    while gone := prune(book._file, {BINANCE: LATER_MS}, now_ms=LATER_MS, at_once=2):
        sizes.append(gone)

    assert max(sizes) <= 4
    assert [book.handed(one.client_order_id) for one in orders] == [None] * 5
