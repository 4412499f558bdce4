"""What goes wrong between the decision and the exchange: docs/traps.md has them all."""

import asyncio
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.request import Reply, Request
from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.domain.orders_told import OrderFate, VenueMatter
from engine.domain.venue_orders import OrderShown, Stage
from engine.execute.plan_executor import NO_TRADER
from engine.gateways.answers import NotPlaced, Stop
from engine.gateways.gateway_list import GATEWAYS, gateway_of
from engine.sandbox.exchange.doors.door import DoorKey
from engine.settings.schema import ExchangesSettings, MarketsSettings, Settings
from engine.trading import wire
from engine.trading.answers import TraderAnswers
from engine.wiring.live_trading import open_live_trading
from engine.wiring.paths import prepare, prepare_engine
from tests.sandbox.exchange.place import BEGIN_MS, Place
from tests.trading.orders import handed
from tests.trading.test_wire import CALL, wired
from tests.trading.test_work import fates, legs, other_than, play
from tests.trading.work_world import World, make_world

ROOT = Path(__file__).resolve().parents[2]

of_each = pytest.mark.parametrize("venue", GATEWAYS)


def halt(place: Place) -> None:
    place.books.is_open = False


def delist(place: Place) -> None:
    place.books.wire_name = "another"


def change_ticks(place: Place) -> None:
    place.books.tick = Decimal("0.5")


def change_fees(place: Place) -> None:
    exchange = place.exchange
    exchange.terms = replace(exchange.terms, taker_ratio=exchange.terms.taker_ratio * 3)


def pay_all_out(place: Place) -> None:
    place.exchange.pay("USD", Decimal(-1_000_000), 0)
    place.exchange.changed.clear()


@pytest.mark.parametrize(
    ("venue", "change"),
    [
        *((venue, halt) for venue in GATEWAYS),
        *((venue, delist) for venue in ("coinbase", "kraken")),
        *((venue, change_ticks) for venue in ("binance", "bitstamp")),
    ],
)
def test_a_leg_whose_market_halts_goes_or_changes_its_ticks_in_the_middle_of_its_plan_is_none(
    tmp_path: Path, venue: str, change: Callable[[Place], None]
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue, other_than(venue))

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue, other_than(venue))
        world.signing = lambda: change(world.venues[venue])
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))

        first, second = fates(world, orders)
        assert first in (OrderFate.REFUSED, OrderFate.NEVER)
        assert second is OrderFate.FILLED
        assert world.judge(orders) == []

    play(world, during)


@pytest.mark.parametrize("venue", ["binance", "gemini"])
def test_fees_that_change_in_the_middle_of_a_plan_are_told_as_they_are_taken(
    tmp_path: Path, venue: str
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue, other_than(venue))

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue, other_than(venue))
        world.signing = lambda: change_fees(world.venues[venue])
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        await asyncio.sleep(60)
        await world.until(world.is_open_for_orders)

        assert fates(world, orders) == [OrderFate.FILLED] * 2
        assert [*world.judge(orders), *world.differs(), *world.matters] == []

    play(world, during)


@pytest.mark.parametrize("venue", ["bitstamp", "kraken"])
def test_a_balance_smaller_than_the_books_say_refuses_the_order_and_halts_the_venue(
    tmp_path: Path, venue: str
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue)
        world.signing = lambda: pay_all_out(world.venues[venue])
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        await world.until(lambda: bool(world.at[VenueId(venue)].standing.halted))

        assert fates(world, orders) == [OrderFate.REFUSED]
        assert "USD" in world.at[VenueId(venue)].standing.halted
        assert VenueMatter.HALTED in {matter for matter, _ in world.matters}

    play(world, during)


@pytest.mark.parametrize(
    ("venue", "form"),
    [
        ("gemini", "wrong"),
        ("kraken", "expired"),
        ("coinbase", "expired"),
        *((venue, "may not trade") for venue in GATEWAYS),
    ],
)
def test_a_key_that_opens_nothing_or_may_not_trade_places_nothing(
    tmp_path: Path, venue: str, form: str
) -> None:
    world = make_world(tmp_path / "orders.sqlite3", venue)
    door = world.venues[venue].door

    def spoil() -> None:
        key: DoorKey = door.key
        door.key = replace(
            key,
            name="another" if form == "wrong" else key.name,
            is_revoked=form == "expired",
            may_trade=form != "may not trade",
        )

    async def during(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        orders = legs(world, venue)
        world.signing = spoil
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))

        assert fates(world, orders) == [OrderFate.REFUSED]
        assert door.exchange.orders == []
        refused = (await answers.hand_over(legs(world, venue, number=2))).refused
        assert [one.why for one in refused] != []

    play(world, during)


@pytest.mark.parametrize(
    ("venue", "status", "body"),
    [
        ("binance", 401, b'{"code":-2015,"msg":"Invalid API-key, IP, or permissions."}'),
        ("gemini", 403, b'{"result":"error","reason":"RemoteAddressForbidden","message":"m"}'),
        ("bitstamp", 403, b'{"status":"error","reason":"IP not allowed","code":"API0002"}'),
        ("kraken", 200, b'{"error":["EGeneral:Permission denied"]}'),
        ("coinbase", 401, b'{"error":"authentication_error","message":"Unauthorized"}'),
    ],
)
def test_a_call_from_an_address_that_the_key_is_not_for_is_refused_and_stops_the_venue(
    venue: str, status: int, body: bytes
) -> None:
    told = gateway_of(venue).placed(handed(venue=venue).request, status, body)

    assert isinstance(told, NotPlaced)
    assert told.stop is Stop.KEY


@of_each
def test_an_order_whose_number_is_unknown_is_cancelled_by_our_id_or_looked_up_first(
    venue: str,
) -> None:
    request, gateway = handed(venue=venue).request, gateway_of(venue)

    call = gateway.cancel(request, "")

    if call is None:
        assert gateway.look_ups(request, "", BEGIN_MS)
        call = gateway.cancel(request, "o-1")
        assert call is not None
        assert "o-1" in str(call.fields)
    else:
        assert request.wire_id in call.fields.values()


def test_binances_word_of_a_cancellation_is_about_the_order_whose_first_id_is_ours() -> None:
    request = handed().request
    report = (
        b'{"subscriptionId":0,"event":{"e":"executionReport","E":1,"s":"BTCUSD","c":"theirs",'
        b'"C":"%s","S":"BUY","o":"LIMIT","f":"IOC","q":"0.7","p":"101.01","x":"CANCELED",'
        b'"X":"CANCELED","r":"NONE","i":28,"l":"0","z":"0","L":"0","n":"0","N":null,"T":1,'
        b'"t":-1,"O":1}}'
    ) % request.wire_id.encode()

    (shown,) = gateway_of("binance").streamed(report)

    assert isinstance(shown, OrderShown)
    assert shown.wire_id == request.wire_id
    assert shown.stage is Stage.CANCELLED


async def test_a_connection_that_stays_open_and_says_nothing_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "CALL_S", 0.02)
    async with wired() as (server, way, _):
        await way.send(CALL)  # so that the next one goes out on a connection that was kept
        server.is_silent = True

        assert "no answer" in str(await way.send(CALL))
        assert len(server.came) == 2


def test_of_two_engines_one_has_the_accounts_and_the_other_places_nothing(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    prepare_engine(paths)
    settings = Settings(
        markets=MarketsSettings(source="sandbox"),
        exchanges=ExchangesSettings(
            trades="sandbox",
            venues=["binance"],
            exposure_usd={"binance": Decimal(100)},
            notional_day_usd=Decimal(1_000),
        ),
    )
    ledger = Nobody()
    with ExitStack() as stack:
        first = stack.enter_context(open_live_trading(settings, paths, ledger, lambda: 0))
        with open_live_trading(settings, paths, ledger, lambda: 0) as second:
            assert first.trader is not NO_TRADER
            assert first.of_another == ""
            assert second.trader is NO_TRADER
            assert "the accounts at exchanges are another engine's" in second.of_another
        stack.close()
        with open_live_trading(settings, paths, ledger, lambda: 0) as third:
            assert third.trader is not NO_TRADER


def test_every_trap_of_the_list_has_its_tests() -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "traps.md").read_text())

    assert len(named) > 50
    missing = [
        f"{path}::{name}"
        for path, name in named
        if f"def {name}(" not in (ROOT / "tests" / path).read_text()
    ]
    assert missing == []


class Nobody:
    """A role that is away."""

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        raise TransientError(f"nobody answers {request} within {timeout_s} s")
