"""Orders are signed while they are written down, and leave once both is done."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from engine.bus.unix_socket import SocketCaller
from engine.bus.wire import PROTOCOL_VERSION
from engine.connectors.limiter import Limiter
from engine.domain.engines import MAIN
from engine.domain.instruments import VenueId
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate
from engine.domain.signing import SignRefusal
from engine.gateways.gateway_list import gateway_of
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.ports import RequestBudget
from engine.trading.ahead import Signing
from engine.trading.answers import TraderAnswers
from engine.trading.connections import Connections
from engine.trading.line import Line
from engine.trading.turns import Urgency
from engine.trading.wire import HttpWire
from engine.wiring.trader_role import signed_together
from tests.patience import PATIENCE_S
from tests.trading.orders import order_of, plan_at
from tests.trading.test_work import fates, legs, play
from tests.trading.work_world import World, make_world

BOTH = ("binance", "kraken")


def world_of(path: Path) -> World:
    return make_world(path / "orders.sqlite3", *BOTH)


def made(world: World) -> int:
    return sum(len(place.exchange.orders) for place in world.venues.values())


def line_to(venue: str) -> Line:
    """Return a line that nothing is sent by."""
    limiter = Limiter(RequestBudget(weight_per_s=100.0), now_ns=lambda: 0)

    async def nobody_signs(_intent: VenueIntent) -> VenueSigned | SignRefusal:
        raise AssertionError

    return Line(
        gateway_of(venue),
        HttpWire(Connections("http://127.0.0.1:1"), limiter),
        nobody_signs,
        engine=MAIN,
        limiter=limiter,
        order_limiter=limiter,
        now_ms=lambda: 0,
    )


def fence(answers: TraderAnswers, handed: HandedOrder) -> None:
    """Ask after an order before it came, so that it never leaves."""
    answers.ask_after(handed.client_order_id, handed.venue, MAIN)


def live(world: World, during: Callable[[World, TraderAnswers], Coroutine[Any, Any, None]]) -> None:
    async def opened(world: World, answers: TraderAnswers) -> None:
        await world.until(world.is_open_for_orders)
        await during(world, answers)

    play(world, opened)


def test_all_legs_are_signed_by_one_question(tmp_path: Path) -> None:
    world = world_of(tmp_path)

    async def during(world: World, answers: TraderAnswers) -> None:
        orders = legs(world, *BOTH)
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))

        assert fates(world, orders) == [OrderFate.FILLED] * 2
        assert (world.asked["together"], world.asked["alone"]) == (1, 0)

    live(world, during)


def test_what_is_signed_and_then_not_taken_on_never_leaves_and_frees_its_lines(
    tmp_path: Path,
) -> None:
    world = world_of(tmp_path)
    world.late_share = 0.0

    async def during(world: World, answers: TraderAnswers) -> None:
        orders = legs(world, *BOTH)
        first = orders[0]
        world.signing = lambda: fence(answers, first)
        refused = (await answers.hand_over(orders)).refused
        world.signing = lambda: None
        await world.until(lambda: world.is_over(orders))

        assert [one.client_order_id for one in refused] == [first.client_order_id]
        assert set(world.signed) == {one.client_order_id for one in orders}
        assert fates(world, orders) == [OrderFate.NEVER] * 2
        assert made(world) == 0
        others = legs(world, *BOTH, number=2)
        await answers.hand_over(others)
        await world.until(lambda: world.is_over(others))
        assert fates(world, others) == [OrderFate.FILLED] * 2

    live(world, during)


def test_nothing_leaves_before_it_was_taken_on_however_soon_it_is_signed(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.late_share = 0.0
    seen: list[tuple[int, int]] = []

    def boundary(where: str) -> None:
        if where == "taken on":
            seen.append((len(world.signed), made(world)))

    world.crash = boundary

    async def during(world: World, answers: TraderAnswers) -> None:
        orders = legs(world, *BOTH)
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))
        assert seen == [(2, 0)]
        assert made(world) == 2

    live(world, during)


def test_where_a_line_is_in_use_orders_wait_for_it_and_are_signed_then(tmp_path: Path) -> None:
    world = world_of(tmp_path)

    async def during(world: World, answers: TraderAnswers) -> None:
        orders = legs(world, *BOTH)
        line = world.at[VenueId("kraken")].work.line
        async with line.turn(Urgency.READ, ()):
            await answers.hand_over(orders)
            await asyncio.sleep(1)
            assert world.signed.keys() <= {orders[0].client_order_id}
            assert made(world) == 0
        await world.until(lambda: world.is_over(orders))

        assert fates(world, orders) == [OrderFate.FILLED] * 2
        assert (world.asked["together"], world.asked["alone"]) == (0, 2)

    live(world, during)


def test_orders_that_are_handed_over_twice_at_once_are_signed_once(tmp_path: Path) -> None:
    world = world_of(tmp_path)

    async def during(world: World, answers: TraderAnswers) -> None:
        orders = legs(world, *BOTH)
        await asyncio.gather(answers.hand_over(orders), answers.hand_over(orders))
        await world.until(lambda: world.is_over(orders))
        await answers.hand_over(orders)
        await asyncio.sleep(1)

        assert world.asked["together"] == 1
        assert fates(world, orders) == [OrderFate.FILLED] * 2
        assert world.judge(orders) == []

    live(world, during)


def test_orders_of_two_plans_are_two_questions(tmp_path: Path) -> None:
    world = world_of(tmp_path)

    async def during(world: World, answers: TraderAnswers) -> None:
        orders = (*legs(world, "binance"), *legs(world, "binance", number=2))
        await answers.hand_over(orders)
        await world.until(lambda: world.is_over(orders))

        assert world.asked["together"] == 2
        assert made(world) == 2
        assert world.judge(orders) == []

    live(world, during)


def test_the_question_is_on_its_way_before_the_table_is_written(tmp_path: Path) -> None:
    """While the table is synced nothing else of the process runs: what waits for it comes late."""
    has_come = threading.Event()
    path = tmp_path / "signer.sock"

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(PROTOCOL_VERSION.to_bytes(4))
            connection.recv(4)
            connection.recv(1)
            has_come.set()
            connection.recv(1)

    async def ask() -> bool:
        signer = SocketCaller(path, role="signer")
        orders = [order_of(plan_at(*BOTH), leg) for leg in (0, 1)]
        lines = [(order, line_to(order.venue)) for order in orders]
        signing = Signing(sign=lambda intent: signed_together(signer, intent))
        await signer._connect()
        ahead = await signing.begin(lines)
        assert ahead is not None
        is_on_its_way = has_come.wait(PATIENCE_S)  # as the sync does, with the loop standing still
        ahead.drop()
        await signing.aclose()
        await signer.aclose()
        return is_on_its_way

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        listening.settimeout(PATIENCE_S)
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        assert uvloop.run(ask())
        thread.join()
