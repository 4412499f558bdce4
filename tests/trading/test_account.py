"""An account as it is read: every listing to its end, and none twice."""

from pathlib import Path

import pytest

from engine.sandbox.exchange.model import Life, Ordered
from engine.trading.account import read_account
from engine.trading.answers import TraderAnswers
from tests.sandbox.exchange.place import BEGIN_MS
from tests.trading.test_work import legs, play
from tests.trading.work_world import World, in_virtual_time, make_world


@pytest.mark.parametrize(("venue", "count"), [("kraken", 125), ("gemini", 1_050)])
def test_a_listing_of_many_pages_is_read_to_its_end_and_each_fill_once(
    tmp_path: Path, venue: str, count: int
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)
    place = world.venues[venue]
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
        place.exchange.place(ordered, BEGIN_MS + 10 * number)

    async def read() -> None:
        world.begin()
        (at,) = world.at.values()
        names = [place.books.wire_name]
        shown = await read_account(at.work.line, names, BEGIN_MS, fenced=lambda _at_ms: None)

        assert len(shown.trades) == count
        assert len({one.trade_id for one in shown.trades}) == count

    in_virtual_time(read)


@pytest.mark.parametrize(("venue", "calls"), [("kraken", 3), ("gemini", 4)])
def test_a_listing_of_all_instruments_is_read_once_however_many_are_asked_after(
    tmp_path: Path, venue: str, calls: int
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue)
        answers.hand_over(orders)
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
