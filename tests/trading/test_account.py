"""An account as it is read: every listing to its end, and none twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.domain.orders_told import OrderFate
from engine.sandbox.exchange.model import Life, Ordered
from engine.trading.account import UnreadError, read_account
from engine.trading.answers import TraderAnswers
from tests.sandbox.exchange.place import BEGIN_MS, Place
from tests.simulation.virtual_time import virtual_loop
from tests.trading.test_work import legs, play
from tests.trading.work_world import World, in_virtual_time, make_world


def trade(place: Place, count: int, *, since_ms: int = BEGIN_MS) -> None:
    """Let the account trade so often, one fill each."""
    price, size = place.books.asks[0]
    for number in range(count):
        place.books.asks[0] = (price, size + number)
        ordered = Ordered(
            client_id=f"n{number}",
            wire_name=place.books.wire_name,
            is_buy=True,
            size=size,
            price=price,
            life=Life.IMMEDIATE,
        )
        place.exchange.place(ordered, since_ms + 10 * number)


@pytest.mark.parametrize(
    ("venue", "count"), [("kraken", 125), ("gemini", 1_050), ("bitstamp", 1_000)]
)
def test_a_listing_of_many_pages_is_read_to_its_end_and_each_fill_once(
    tmp_path: Path, venue: str, count: int
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)
    place = world.venues[venue]
    trade(place, count)

    async def read() -> None:
        world.begin()
        (at,) = world.at.values()
        names = [place.books.wire_name]
        shown = await read_account(at.work.line, names, BEGIN_MS, fenced=lambda _at_ms: None)

        assert len(shown.trades) == count
        assert len({one.trade_id for one in shown.trades}) == count

    in_virtual_time(read)


def test_a_listing_of_which_rows_go_while_it_is_read_is_not_taken_for_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Bitstamp's pages are counted from the oldest on, and what is taken back is listed no more.
    monkeypatch.setattr("engine.gateways.bitstamp.gateway._PAGE", 10)
    world = make_world(tmp_path / "orders.sqlite3", "bitstamp")
    place = world.venues["bitstamp"]
    trade(place, 35)
    went: list[int] = []

    def page_was_read(_at_ms: int) -> None:
        if len(went) == 2:  # open orders, and the first page of fills
            place.exchange.fills[3] = replace(place.exchange.fills[3], is_reversed=True)
        went.append(1)

    async def read() -> None:
        world.begin()
        (at,) = world.at.values()
        names = [place.books.wire_name]
        with pytest.raises(UnreadError, match="rows went while it was read"):
            await read_account(at.work.line, names, BEGIN_MS, fenced=page_was_read)
        again = await read_account(at.work.line, names, BEGIN_MS, fenced=lambda _at_ms: None)
        assert len({one.trade_id for one in again.trades}) == len(again.trades) == 34

    in_virtual_time(read)


def test_an_order_whose_fills_are_on_a_later_page_ends_with_all_of_them(tmp_path: Path) -> None:
    # Kraken lists fifty fills of the account in a call, of whatever order.
    world = make_world(tmp_path / "orders.sqlite3", "kraken")
    place = world.venues["kraken"]

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, "kraken")
        world.signing = lambda: trade(place, 120, since_ms=world.wall_ms())
        await answers.hand_over(orders)
        began_s = virtual_loop().now_s
        await world.until(lambda: world.is_over(orders))

        assert virtual_loop().now_s - began_s < 15
        news = world.last(orders[0])
        assert news is not None
        assert news.fate is OrderFate.FILLED
        assert sum(one.size_base for one in news.fills) == news.filled_base > 0

    play(world, during)


@pytest.mark.parametrize(("venue", "calls"), [("kraken", 3), ("gemini", 4)])
def test_a_listing_of_all_instruments_is_read_once_however_many_are_asked_after(
    tmp_path: Path, venue: str, calls: int
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue)
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        (at,) = world.at.values()
        before = world.venues[venue].nonce
        names = [world.venues[venue].books.wire_name, "ethusd"]

        shown = await read_account(at.work.line, names, BEGIN_MS, fenced=lambda _at_ms: None)

        assert world.venues[venue].nonce - before == calls
        ids = [one.trade_id for one in shown.trades]
        assert ids
        assert len(ids) == len(set(ids))

    play(world, during)
