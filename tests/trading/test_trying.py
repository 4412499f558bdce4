"""An exchange is tried by an order far from the market, by the real roles, before all else."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.bus.trading import GetVenueOrders, TryVenue, VenueTried
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError, TransientError
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.gateways.gateway_list import GATEWAYS
from engine.gateways.rights import UNTOLD
from engine.sandbox.exchange.model import Life, State
from engine.tools.exchange_test import chosen, size_of
from tests.sandbox.exchange.place import place_of
from tests.trading.orders import ENGINE
from tests.trading.processes import Roles, running
from tests.trading.work_world import World, in_virtual_time, make_world

of_each = pytest.mark.parametrize("venue", GATEWAYS)


def asked(roles: Roles, venue: str, number: int = 1) -> TryVenue:
    instrument = roles.instrument(venue, "BTC-USD")
    best = max(roles.sandbox.truth(venue, instrument.wire_name)["bids"])
    price = instrument.floor_to_tick(best / 2)
    return TryVenue(
        venue=VenueId(venue),
        client_order_id=f"test-{venue}-{number}",
        wire_name=instrument.wire_name,
        size_base=size_of(instrument, price),
        price_limit=price,
    )


def failed(tried: VenueTried) -> list[str]:
    return [one.text for one in tried.lines if not one.is_so]


def question(world: World, venue: str, number: int = 1, **changes: Any) -> TryVenue:
    """Ask for an order at half of the best bid."""
    asked = TryVenue(
        venue=VenueId(venue),
        client_order_id=f"test-{number}",
        wire_name=world.venues[venue].books.wire_name,
        size_base=Decimal("0.24"),
        price_limit=Decimal("49.99"),
        engine=ENGINE,
    )
    return replace(asked, **changes)


def tried_in(
    path: Path, venue: str, disturb: Callable[[World], object] = lambda _world: None, **changes: Any
) -> tuple[World, VenueTried]:
    """Try a venue in virtual time, with something that goes wrong from just before on."""
    world, told = make_world(path / "orders.sqlite3", venue), []

    async def during(world: World) -> None:
        await world.until(world.is_open_for_orders)
        assert world.answers is not None
        disturb(world)
        told.append(await world.answers.try_venue(question(world, venue, **changes)))
        await asyncio.sleep(120)

    in_virtual_time(lambda: world.live(during))
    return world, told[0]


@of_each
def test_an_order_is_placed_looked_up_and_cancelled_and_nothing_of_it_is_left(
    tmp_path: Path, venue: str
) -> None:
    world, tried = tried_in(tmp_path, venue)

    assert failed(tried) == []
    assert len(tried.lines) == 6
    assert tried.reconciled_at_ns > 0
    (made,) = world.venues[venue].exchange.orders
    assert made.state is State.CANCELLED
    assert made.ordered.life is Life.MAKER_ONLY
    assert world.matters == []


@of_each
def test_an_answer_that_is_lost_is_found_by_looking_up(tmp_path: Path, venue: str) -> None:
    world, tried = tried_in(tmp_path, venue, lambda world: setattr(world, "lose_answers", 1))

    assert failed(tried) == []
    assert "its answer proves nothing" in tried.lines[1].text
    (made,) = world.venues[venue].exchange.orders
    assert made.state is State.CANCELLED


@of_each
def test_an_order_that_never_came_is_no_test_that_passed(tmp_path: Path, venue: str) -> None:
    world, tried = tried_in(tmp_path, venue, lambda world: setattr(world, "lose_requests", 1))

    assert "it should be open, and the venue does not show it" in failed(tried)[0]
    assert world.venues[venue].exchange.orders == []


@of_each
def test_an_order_that_would_take_from_the_book_is_none_that_rests(
    tmp_path: Path, venue: str
) -> None:
    world, tried = tried_in(tmp_path, venue, price_limit=Decimal(150))

    assert failed(tried)
    assert not world.venues[venue].exchange.open_orders()


@of_each
def test_it_is_not_taken_for_something_that_nobody_placed_while_it_rests(
    tmp_path: Path, venue: str
) -> None:
    def disturb(world: World) -> None:
        (at,) = world.at.values()
        for tenths in range(1, 20):
            asyncio.get_running_loop().call_later(tenths / 10, at.check.soon.set)

    world, tried = tried_in(tmp_path, venue, disturb)

    assert failed(tried) == []
    assert world.matters == []


@pytest.mark.parametrize("venue", ["binance", "coinbase", "gemini"])
def test_a_key_that_may_withdraw_is_tried_no_further(tmp_path: Path, venue: str) -> None:
    def disturb(world: World) -> None:
        world.venues[venue].door = place_of(venue, may_withdraw=True).door

    world, tried = tried_in(tmp_path, venue, disturb)

    assert "the key may withdraw" in failed(tried)[0]
    assert tried.rights.may_withdraw
    assert world.venues[venue].exchange.orders == []


def once_there_is_an_order(world: World, venue: str, act: Callable[[], object]) -> None:
    """Do something as soon as the account has an order."""

    async def wait() -> None:
        while not world.venues[venue].exchange.orders:
            await asyncio.sleep(0.001)
        act()

    world.in_flight.add(asyncio.get_running_loop().create_task(wait()))  # type: ignore[arg-type]


def test_an_order_that_somebody_else_cancels_is_no_test_that_passed(tmp_path: Path) -> None:
    def disturb(world: World) -> None:
        exchange = world.venues["kraken"].exchange
        once_there_is_an_order(
            world, "kraken", lambda: exchange.cancel(exchange.orders[0], world.wall_ms())
        )

    _, tried = tried_in(tmp_path, "kraken", disturb)

    assert "it should be open, and the venue shows it cancelled" in failed(tried)[0]


def test_an_order_that_is_filled_in_part_was_not_far_enough_away(tmp_path: Path) -> None:
    def disturb(world: World) -> None:
        at = world.venues["binance"]

        def fall() -> None:
            at.books.asks = [(Decimal(40), Decimal("0.1"))]
            at.books.bids = []
            at.exchange.advance(world.wall_ms())

        once_there_is_an_order(world, "binance", fall)

    _, tried = tried_in(tmp_path, "binance", disturb)

    assert "it was filled for 0.1: it was not far enough away" in failed(tried)[0]


def test_what_the_signer_does_not_sign_is_said_and_is_nowhere(tmp_path: Path) -> None:
    def disturb(world: World) -> None:
        world.refuses["test-1"] = "killed: a person did"

    world, tried = tried_in(tmp_path, "binance", disturb)

    assert failed(tried) == ["the signer does not sign it: killed: a person did"]
    assert world.venues["binance"].exchange.orders == []


def test_a_venue_that_is_not_compared_is_not_said_to_be(tmp_path: Path) -> None:
    def disturb(world: World) -> None:
        (at,) = world.at.values()
        at.standing.halted = "a balance that nobody can explain"

    _, tried = tried_in(tmp_path, "gemini", disturb)

    assert tried.reconciled_at_ns == 0
    assert tried.why_not_reconciled == "a balance that nobody can explain"


@pytest.mark.slow
async def test_the_real_roles_try_a_venue_before_anybody_is_live(tmp_path: Path) -> None:
    async with running(tmp_path, "gemini", "bitstamp") as roles:
        await roles.until_open()
        for venue in roles.venues:
            tried = await roles.ask(asked(roles, venue))

            assert failed(tried) == [], venue
            assert (tried.rights == UNTOLD) is (venue == "bitstamp")
            (made,) = roles.exchange(venue).orders
            assert made.state is State.CANCELLED
        report = await roles.ask(GetVenueOrders())
        assert report.count == 0
        assert [line.is_halted for line in report.venues] == [False, False]
        again = await roles.ask(asked(roles, "gemini"))
        assert "an order was signed under its id" in failed(again)[0]
        with pytest.raises(BadValueError, match="no orders are placed at ftx"):
            await roles.ask(replace(asked(roles, "gemini"), venue=VenueId("ftx")))


def instrument(pair: str, **changes: object) -> Instrument:
    fields: dict[str, object] = {
        "venue": VenueId("kraken"),
        "pair": Pair.parse(pair),
        "wire_name": pair.replace("-", ""),
        "price_decimals": 2,
        "size_decimals": 8,
        "tick_quote": Decimal("0.01"),
        "lot_base": Decimal("0.0001"),
    }
    return Instrument(**fields | changes)  # type: ignore[arg-type]


def test_the_book_that_is_tried_is_live_and_against_dollars() -> None:
    listed = [instrument(one) for one in ("ETH-BTC", "SOL-USD", "BTC-USD", "BTC-EUR")]
    bids = {("kraken", "SOL-USD"): Decimal(100), ("gemini", "BTC-USD"): Decimal(1)}
    assert chosen(listed, bids, "kraken")[0].pair == Pair(AssetCode("SOL"), AssetCode("USD"))
    bids["kraken", "BTC-USD"] = Decimal(60_000)
    assert chosen(listed, bids, "kraken")[1] == Decimal(60_000)
    with pytest.raises(TransientError, match="no book of kraken against dollars is live"):
        chosen(listed, {("kraken", "ETH-BTC"): Decimal(1)}, "kraken")


@pytest.mark.parametrize(
    ("changes", "price", "size"),
    [
        ({}, "30000", "0.0004"),
        ({"size_min_base": Decimal("0.0005")}, "30000", "0.0005"),
        ({"notional_min_quote": Decimal(20)}, "30000", "0.0008"),
        ({"lot_base": Decimal("0.001")}, "30000", "0.001"),
    ],
)
def test_its_size_is_the_least_that_the_venue_takes_above_twelve_dollars(
    changes: dict[str, object], price: str, size: str
) -> None:
    assert size_of(instrument("BTC-USD", **changes), Decimal(price)) == Decimal(size)
